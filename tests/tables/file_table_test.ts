import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { dirname } from "node:path";
import { memoryLog } from "../../src/log.ts";
import { FileTable } from "../../src/tables/file_table.ts";

interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly lines: string[];
  open(): Promise<FileTable>;
}

async function folder(text?: string): Promise<Folder> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/users`;
  const lines: string[] = [];
  if (text !== undefined) await Deno.writeTextFile(path, text, { mode: 0o640 });
  return {
    path,
    lines,
    open: () => FileTable.open({ path, log: memoryLog(lines) }),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

Deno.test("FileTable looks up names and tells its values", async () => {
  await using at = await folder("ann: 1\nbob: 2\n");
  const table = await at.open();
  strictEqual(await table.lookup("bob"), "2");
  strictEqual(await table.lookup("carl"), undefined);
  deepStrictEqual(await table.keys(), ["ann", "bob"]);
  strictEqual(await table.values(), await table.values());
  deepStrictEqual(await table.values(), ["1", "2"]);
});

Deno.test("FileTable takes a missing file as empty, says so once, and sees it appear", async () => {
  await using at = await folder();
  const table = await at.open();
  strictEqual(await table.lookup("ann"), undefined);
  strictEqual(await table.lookup("ann"), undefined);
  deepStrictEqual(at.lines, [`warning: table is missing, taken as empty path=${at.path}`]);
  await Deno.writeTextFile(at.path, "ann: 1\n");
  strictEqual(await table.lookup("ann"), "1");
});

Deno.test("FileTable reads a changed file again at the next lookup", async () => {
  await using at = await folder("ann: 1\n");
  const table = await at.open();
  await Deno.writeTextFile(at.path, "ann: 22\n");
  strictEqual(await table.lookup("ann"), "22");
});

Deno.test("FileTable sees a file of the same size and time that was put in its place", async () => {
  await using at = await folder("ann: 1\n");
  const { mtime } = await Deno.stat(at.path);
  const table = await at.open();
  await Deno.writeTextFile(`${at.path}.new`, "ann: 2\n");
  await Deno.utime(`${at.path}.new`, mtime ?? 0, mtime ?? 0);
  await Deno.rename(`${at.path}.new`, at.path);
  strictEqual(await table.lookup("ann"), "2");
});

Deno.test("FileTable sees a file of the same size and time that was written over in place", async () => {
  await using at = await folder("ann: 0\n");
  const { mtime } = await Deno.stat(at.path);
  const table = await at.open();
  for (let i = 1; i <= 9; i++) {
    await Deno.writeTextFile(at.path, `ann: ${i}\n`);
    await Deno.utime(at.path, mtime ?? 0, mtime ?? 0);
    strictEqual(await table.lookup("ann"), `${i}`);
  }
});

Deno.test("FileTable.set() at the same time: nothing is lost, and one alone makes a key", async () => {
  await using at = await folder("ann: 0\n");
  const tables = await Promise.all(Array.from({ length: 8 }, () => at.open()));
  const set = await Promise.all(tables.map(async (table, i) => {
    await table.set(`user${i}`, `${i}`);
    return await table.set("same", `${i}`, undefined);
  }));
  strictEqual(set.filter((done) => done).length, 1);
  deepStrictEqual(
    [...await tables[0].keys()].sort(),
    ["ann", "same", ...tables.map((_, i) => `user${i}`)].sort(),
  );
});

Deno.test("FileTable keeps what it had when the file breaks, and says so once", async () => {
  await using at = await folder("ann: 1\n");
  const table = await at.open();
  await Deno.writeTextFile(at.path, "bob: 2\n: half a line");
  for (let i = 0; i < 3; i++) {
    strictEqual(await table.lookup("ann"), "1");
  }
  deepStrictEqual(at.lines, [
    `error: table not read again, keeping what was read before path=${at.path} ` +
    `error="${at.path}:2: Expected a name before the colon, got none"`,
  ]);
  await Deno.writeTextFile(at.path, "bob: 2\nhalf: a whole line\n");
  strictEqual(await table.lookup("ann"), undefined);
  strictEqual(await table.lookup("half"), "a whole line");
});

Deno.test("FileTable.open() fails for a broken file", async () => {
  await using at = await folder("ann: 1\n:nonsense\n");
  await rejects(
    at.open(),
    new Error(`${at.path}:2: Expected a name before the colon, got none`),
  );
});

Deno.test("FileTable.set() and remove() keep comments, order and mode, and are seen at once", async () => {
  await using at = await folder("# users\nann: 1\nbob: 2\n");
  const table = await at.open();
  await table.set("ann", "9");
  await table.set("carl", "3");
  strictEqual(await table.remove("bob"), true);
  strictEqual(await table.remove("bob"), false);
  strictEqual(await Deno.readTextFile(at.path), "# users\nann: 9\ncarl: 3\n");
  strictEqual(((await Deno.stat(at.path)).mode ?? 0) & 0o777, 0o640);
  strictEqual(await table.lookup("ann"), "9");
  deepStrictEqual(
    await Array.fromAsync(Deno.readDir(at.path.replace("/users", "")), (e) => e.name),
    [
      "users",
    ],
  );
});

Deno.test("FileTable.set() makes a file that only its owner can read", async () => {
  await using at = await folder();
  const table = await at.open();
  await table.set("ann", "1");
  strictEqual(((await Deno.stat(at.path)).mode ?? 0) & 0o777, 0o600);
});

Deno.test({
  name: "FileTable.set() by root gives the file to the owner of its folder, or leaves it its own",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using at = await folder();
    const owners = async () => {
      const { uid, gid } = await Deno.stat(at.path);
      return [uid, gid];
    };
    await Deno.chown(dirname(at.path), 12345, 12346);
    const table = await at.open();
    await table.set("ann", "1");
    deepStrictEqual(await owners(), [12345, 12346]);
    await Deno.chown(at.path, 12347, 12348);
    await table.set("bob", "2");
    deepStrictEqual(await owners(), [12347, 12348]);
  },
});

Deno.test("FileTable.set() names the folder that is missing", async () => {
  const table = await FileTable.open({ path: "/nonexistent/imapd/users", log: memoryLog([]) });
  await rejects(table.set("ann", "1"), {
    message: "The folder /nonexistent/imapd does not exist: create it first",
  });
});

Deno.test("FileTable.set() follows a symbolic link", async () => {
  await using at = await folder();
  await Deno.writeTextFile(`${at.path}.real`, "ann: 1\n");
  await Deno.symlink(`${at.path}.real`, at.path);
  await (await at.open()).set("ann", "2");
  strictEqual((await Deno.lstat(at.path)).isSymlink, true);
  strictEqual(await Deno.readTextFile(`${at.path}.real`), "ann: 2\n");
});

Deno.test("FileTable.set() by many at once loses nothing", async () => {
  await using at = await folder("");
  const tables = await Promise.all([1, 2, 3, 4].map(() => at.open()));
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => tables[i % 4].set(`user${i}`, String(i))),
  );
  strictEqual((await (await at.open()).keys()).length, 40);
});

Deno.test("FileTable.set() leaves a broken file alone", async () => {
  await using at = await folder("ann: 1\n");
  const table = await at.open();
  await Deno.writeTextFile(at.path, ":nonsense\n");
  await rejects(table.set("ann", "2"));
  strictEqual(await Deno.readTextFile(at.path), ":nonsense\n");
});

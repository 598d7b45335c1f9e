import { deepStrictEqual, fail, strictEqual } from "node:assert/strict";
import { PathStatuses } from "../../src/store/maildir/path_status.ts";

Deno.test("PathStatuses.at() tells what Deno.lstat tells, with and without the C library", async () => {
  const dir = await Deno.makeTempDir();
  const statuses = new PathStatuses();
  try {
    Deno.mkdirSync(`${dir}/ä`);
    Deno.symlinkSync("nowhere", `${dir}/link`);
    Deno.writeTextFileSync(`${dir}/file`, "");
    Deno.utimeSync(`${dir}/file`, 1_700_000_000, 1_700_000_000.5);
    const names = ["ä", "link", "file"];
    // Deno has whole seconds for ctime, and another number for a file system.
    const asked = () =>
      names.map((name) => {
        const { dev, ctime, ...status } = statuses.at(`${dir}/${name}`) ?? fail(name);
        strictEqual(dev, statuses.at(dir)?.dev);
        return { ...status, changed: Math.floor(ctime / 1000) };
      });
    const told = asked();
    strictEqual(statuses.at(`${dir}/none`), undefined);
    strictEqual(statuses.at(`${dir}/file/below`), undefined);
    for (const [i, name] of names.entries()) {
      const { isDirectory, isSymlink, ino, mtime, ctime } = Deno.lstatSync(`${dir}/${name}`);
      const changed = Math.floor(Number(ctime) / 1000);
      deepStrictEqual(told[i], { isDirectory, isSymlink, ino, mtime: Number(mtime), changed });
    }
    statuses.close();
    deepStrictEqual(asked(), told);
  } finally {
    statuses.close();
    await Deno.remove(dir, { recursive: true });
  }
});

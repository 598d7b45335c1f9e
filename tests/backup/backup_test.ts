import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { imapd, MAIN } from "../cli/program.ts";
import { startServer } from "../harness.ts";
import { until } from "../until.ts";
import { backedUp, type BackupPlace, backupPlace, inodes } from "./place.ts";

async function fill(place: BackupPlace, user: string, count: number): Promise<void> {
  await using client = await place.login(user);
  for (let i = 1; i <= count; i++) await client.append("INBOX", `Subject: ${i}\r\n\r\nbody\r\n`);
}

/** UIDs, flags and subjects of INBOX, as one text. */
async function inbox(place: BackupPlace, user: string): Promise<string> {
  await using client = await place.login(user);
  await client.command("EXAMINE INBOX");
  const { untagged } = await client.command(
    "UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
  );
  return JSON.stringify(untagged).replaceAll(" \\\\Recent", "").replaceAll("\\\\Recent", "");
}

Deno.test("imapd backup: the second one links what the first one has, with a server and without", async () => {
  await using place = await backupPlace();
  const user = place.server.freshUser();
  await fill(place, user, 20);
  const first = await place.backup();
  deepStrictEqual([first.messages, first.linked], [20, 20]);
  {
    await using client = await place.login(user);
    await client.command("SELECT INBOX");
    await client.command("STORE 1:5 +FLAGS (\\Seen)");
    await client.append("INBOX", "Subject: 21\r\n\r\nbody\r\n");
  }
  await place.server.stop();
  const second = await place.backup();
  deepStrictEqual([second.messages, second.linked], [21, 21]);
  const live = await inodes(place.server.maildir(user));
  deepStrictEqual(await inodes(backedUp(second.path, user)), live);
  const early = await inodes(backedUp(first.path, user));
  strictEqual(early.size, 20);
  for (const [name, inode] of early) strictEqual(inode, live.get(name));
  const own = Array.from(Deno.readDirSync(backedUp(first.path, user)), ({ name }) => name)
    .filter((name) => name.startsWith("imapd"));
  deepStrictEqual(own.sort(), ["imapd.sqlite", "imapd.uidvalidity"]);
});

Deno.test("imapd backup --copy: links to earlier backups only", async () => {
  await using place = await backupPlace();
  const user = place.server.freshUser();
  await fill(place, user, 3);
  const first = await place.backup("--copy");
  strictEqual(first.linked, 0);
  const second = await place.backup("--copy");
  strictEqual(second.linked, 3);
  const copies = await inodes(backedUp(first.path, user));
  deepStrictEqual(await inodes(backedUp(second.path, user)), copies);
  for (const [name, inode] of await inodes(place.server.maildir(user))) {
    notStrictEqual(copies.get(name), inode);
  }
  strictEqual(first.copied.files - second.copied.files, 3);
});

Deno.test("imapd backup: is whole while a client appends, flags, moves and expunges", async () => {
  await using place = await backupPlace();
  const user = place.server.freshUser();
  await fill(place, user, 100);
  let ended = false;
  const busy = (async () => {
    await using client = await place.login(user);
    await client.command("SELECT INBOX");
    for (let i = 0; !ended; i++) {
      await client.append("INBOX", `Subject: new ${i}\r\n\r\nbody\r\n`);
      await client.command("STORE 1:2 +FLAGS (\\Deleted)");
      await client.command("EXPUNGE");
      await client.command("STORE 3:10 FLAGS (\\Seen)");
      await client.command("MOVE 3 Archive");
      await client.append("INBOX", `Subject: more ${i}\r\n\r\nbody\r\n`);
      await client.append("INBOX", `Subject: most ${i}\r\n\r\nbody\r\n`);
    }
  })();
  const made: Awaited<ReturnType<BackupPlace["backup"]>>[] = [];
  try {
    for (let i = 0; i < 3; i++) made.push(await place.backup());
  } finally {
    ended = true;
    await busy;
  }
  await place.server.stop();
  for (const { path, messages } of made) {
    const verified = await imapd(["backup", "verify", path]);
    strictEqual(verified.code, 0, verified.out);
    const restored = await place.command("restore", path, "--force", "-y");
    strictEqual(restored.code, 0, restored.err);
    await place.server.restart();
    await using client = await place.login(user);
    const there = JSON.stringify([
      await client.command("STATUS INBOX (MESSAGES)"),
      await client.command("STATUS Archive (MESSAGES)"),
    ]).matchAll(/MESSAGES (\d+)/g);
    strictEqual([...there].reduce((sum, [, count]) => sum + Number(count), 0), messages);
    await place.server.stop();
  }
});

Deno.test("imapd backup: killed in the midst and run again, 5,000 messages", async () => {
  await using place = await backupPlace();
  const user = place.server.freshUser();
  const source = `${place.backups}/source`;
  for (const part of ["cur", "new", "tmp"]) {
    await Deno.mkdir(`${source}/${part}`, { recursive: true });
  }
  for (let i = 0; i < 5000; i++) {
    Deno.writeTextFileSync(`${source}/cur/${1e9 + i}.M1P1.host:2,S`, `Subject: ${i}\n\nb\n`);
  }
  strictEqual((await place.command("import", "maildir", source, user)).code, 0);
  const config = `${place.server.dir}/config.toml`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "backup", place.backups, "--copy", "--config", config],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(async () => await partialFiles(place.backups, user) > 100, "files being copied");
  child.kill("SIGKILL");
  await child.status;
  ok(await partialFiles(place.backups, user) > 0);
  const { path, messages } = await place.backup();
  strictEqual(messages, 5000);
  strictEqual(await partialFiles(place.backups, user), 0);
  const verified = await imapd(["backup", "verify", path]);
  deepStrictEqual([verified.code, verified.err], [0, ""]);
  // What the one that was killed had asked the server for is let go.
  await using client = await place.login(user);
  await client.command("SELECT INBOX");
  await client.command("STORE 1 +FLAGS (\\Deleted)");
  await client.command("EXPUNGE");
  await until(
    () => [...Deno.readDirSync(`${place.server.maildir(user)}/cur`)].length === 4999,
    "the file to be unlinked",
  );
});

async function partialFiles(dir: string, user: string): Promise<number> {
  for await (const { name } of Deno.readDir(dir)) {
    if (!name.endsWith(".partial")) continue;
    const files = Deno.readDir(`${backedUp(`${dir}/${name}`, user)}/cur`);
    return await Array.fromAsync(files).then(({ length }) => length, () => 0);
  }
  return 0;
}

Deno.test("imapd backup verify: names what differs, is missing, and does not belong", async () => {
  await using place = await backupPlace();
  const user = place.server.freshUser();
  await fill(place, user, 3);
  const { path } = await place.backup("--copy");
  const cur = `${backedUp(path, user)}/cur`;
  const [flipped, missing] = (await Array.fromAsync(Deno.readDir(cur), ({ name }) => name)).sort();
  const octets = await Deno.readFile(`${cur}/${flipped}`);
  octets[3] ^= 1;
  await Deno.writeFile(`${cur}/${flipped}`, octets);
  await Deno.remove(`${cur}/${missing}`);
  await Deno.writeTextFile(`${cur}/stranger`, "");
  const { code, out } = await imapd(["backup", "verify", place.backups]);
  strictEqual(code, 1);
  deepStrictEqual(
    out.split("\n").slice(0, 3).sort(),
    [
      `${cur}/${flipped}: Its contents differ`,
      `${cur}/${missing}: It is missing`,
      `${cur}/stranger: It is not in the manifest`,
    ].sort(),
  );
  match(out, /differences 3\n$/);
  const manifest = JSON.parse(await Deno.readTextFile(`${path}/manifest.json`));
  manifest.failed.push({ place: "bob", reason: "The disk is full" });
  await Deno.writeTextFile(`${path}/manifest.json`, JSON.stringify(manifest));
  match(
    (await imapd(["backup", "verify", place.backups])).out,
    /\/bob: It was not backed up whole: The disk is full\n[^]*differences 4\n$/,
  );
  await place.server.stop();
  const restored = await place.command("restore", place.backups, "--force", "-y");
  strictEqual(restored.code, 1);
  match(restored.err, /is (damaged|missing): `imapd backup verify` names all/);
  await place.server.restart();
  match(await inbox(place, user), /Subject: 3/);
});

Deno.test("imapd backup --keep: removes the oldest ones; imapd backup list", async () => {
  await using place = await backupPlace();
  await fill(place, place.server.freshUser(), 1);
  const made = [await place.backup(), await place.backup(), await place.backup("--keep", "2")];
  const stamps = made.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
  const listed = await imapd(["backup", "list", place.backups, "--json"]);
  deepStrictEqual(
    listed.out.trim().split("\n").map((line) => JSON.parse(line).stamp),
    stamps.slice(1),
  );
  strictEqual((await imapd(["backup", "verify", place.backups])).code, 0);
  for (
    const [args, message] of [
      [["--keep", "0"], /Expected a number from 1 for --keep, got 0/],
      [["--keep", "1", "--account", "u1"], /Expected --keep without --account/],
    ] as const
  ) {
    const { code, err } = await place.command("backup", place.backups, ...args);
    strictEqual(code, 2);
    match(err, message);
  }
});

Deno.test("imapd restore: one account in the running server; what is there is kept aside", async () => {
  await using place = await backupPlace();
  const [ann, bob] = [place.server.freshUser(), place.server.freshUser()];
  await fill(place, ann, 3);
  await fill(place, bob, 1);
  await place.backup();
  const before = await inbox(place, ann);
  await using client = await place.login(ann);
  await client.command("SELECT INBOX");
  await client.command("STORE 1:2 +FLAGS (\\Deleted)");
  await client.command("EXPUNGE");
  const refused = await place.command("restore", place.backups, "--account", ann, "-y");
  strictEqual(refused.code, 1);
  match(refused.err, /is there with 1 messages: --force moves it aside/);
  const { code, out, err } = await place.command(
    "restore",
    place.backups,
    "--account",
    ann,
    "--force",
    "-y",
  );
  deepStrictEqual([code, err], [0, ""]);
  const aside = out.match(/kept in (.+)\n/)?.[1] ?? "";
  strictEqual((await inodes(aside)).size, 1);
  strictEqual(await inbox(place, ann), before);
  match(await inbox(place, bob), /Subject: 1/);
  // Clients have seen what came after the backup.
  await using again = await place.login(ann);
  const status = JSON.stringify(await again.command("STATUS INBOX (UIDNEXT HIGHESTMODSEQ)"));
  ok(Number(status.match(/UIDNEXT (\d+)/)?.[1]) > 100_000);
  const account = await place.command("restore", place.backups, "--account", "nobody", "-y");
  match(account.err, /Expected accounts of the backup, got nobody/);
});

Deno.test("imapd backup: a storage without a name is refused, and the message says what to do", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-backups-" });
  try {
    const file = `${dir}/config.toml`;
    const config = `state_dir = "${dir}"\nruntime_dir = "${dir}"\ntls = "off"\n[[imap]]\n` +
      'listen = ["tcp://127.0.0.1:0"]\n' +
      `auth = { module = "pass_table", table = ["file", "${dir}/users"] }\nstorage = `;
    const backup = async (storage: string) => {
      await Deno.writeTextFile(file, config + storage);
      return await imapd(["backup", `${dir}/backups`, "--config", file]);
    };
    const { code, err } = await backup('"maildir"');
    strictEqual(code, 1);
    match(err, /a \[storage\.NAME\] block.+ got one that stands in an \[\[imap\]\]/);
    const named = await backup('"&mail"\n[storage.mail]\nmodule = "maildir"');
    deepStrictEqual([named.code, named.err], [0, ""]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("imapd backup: takes users, secrets and certificates along, and copies databases", async () => {
  await using server = await startServer({
    imap: 'storage_map = "&names"',
    storage: '[table.names]\nmodule = "sql_table"\ndriver = "sqlite3"\ndsn = "names.sqlite"\n' +
      'table_name = "names"',
  });
  const dir = await Deno.makeTempDir({ prefix: "imapd-backups-" });
  try {
    // Open, as the server has it.
    using database = new DatabaseSync(`${server.dir}/names.sqlite`);
    database.exec("PRAGMA journal_mode = WAL; INSERT INTO names VALUES ('ann', 'bob')");
    const config = ["--config", `${server.dir}/config.toml`];
    await Deno.writeTextFile(`${server.dir}/annotations.json`, "{}\n");
    const made = await imapd(["backup", `${dir}/backups`, ...config]);
    deepStrictEqual([made.code, made.err], [0, ""]);
    const restored = await imapd([
      "restore",
      `${dir}/backups`,
      "--system",
      "--to",
      `${dir}/root`,
      "-y",
    ]);
    deepStrictEqual([restored.code, restored.err], [0, ""]);
    const root = `${dir}/root${server.dir}`;
    for (
      const file of [
        "config.toml",
        "users",
        "secret",
        "annotations.json",
        "tls/self_signed.key.pem",
      ]
    ) {
      strictEqual(
        await Deno.readTextFile(`${root}/${file}`),
        await Deno.readTextFile(`${server.dir}/${file}`),
      );
      const [copy, original] = [
        await Deno.stat(`${root}/${file}`),
        await Deno.stat(`${server.dir}/${file}`),
      ];
      strictEqual(copy.mode, original.mode);
    }
    using names = new DatabaseSync(`${root}/names.sqlite`, { readOnly: true });
    strictEqual(names.prepare("SELECT value FROM names").get()?.value, "bob");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

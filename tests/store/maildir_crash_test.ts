import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { FLAG } from "../../src/store/store.ts";
import { deliver, flagsOf, refused, text, uidsOf, wholeText } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const INDEX = "imapd.sqlite";

/** Changes the index as a crash would have left it. */
function edit(fixture: MaildirFixture, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(`${fixture.root}/${INDEX}`);
  change(database);
  database.close();
}

Deno.test("Store.account() makes a missing index anew from the Maildir", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a.b/c");
  await deliver(account, "a.b/c", "kept", { system: FLAG.seen, keywords: ["$lost"] });
  const before = await account.status("a.b/c");
  await fixture.close();
  Deno.removeSync(`${fixture.root}/${INDEX}`);
  account = await (await fixture.open()).account("ann");
  const mailbox = await account.open("a.b/c");
  assert.deepEqual(flagsOf(mailbox), [[1, FLAG.seen, []]]);
  assert.match(await wholeText(mailbox, 1), /Subject: kept/);
  assert.ok(mailbox.uidValidity > before.uidValidity);
  assert.ok(account.subscriptions().includes("a.b/c"));
  mailbox.close();
});

for (const how of ["missing", "empty"]) {
  Deno.test(`Store.account() says once what is lost with an index that is ${how}`, async () => {
    await using fixture = await MaildirFixture.make();
    await (await fixture.open()).account("ann");
    await fixture.close();
    const warnings = () => fixture.log.lines.filter(({ level }) => level === "warn");
    assert.deepEqual(warnings(), []);
    if (how === "empty") Deno.truncateSync(`${fixture.root}/${INDEX}`);
    else Deno.removeSync(`${fixture.root}/${INDEX}`);
    await (await fixture.open()).account("ann");
    await (await fixture.open()).account("ann");
    assert.equal(warnings().length, 1);
    assert.match(String(warnings()[0].fields.lost), /UIDs.*keywords.*subscriptions/);
  });
}

Deno.test("Store.account() puts a damaged index aside and says so", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "kept");
  const before = await account.status("INBOX");
  await fixture.close();
  Deno.writeTextFileSync(`${fixture.root}/${INDEX}`, "not a database ".repeat(1000));
  account = await (await fixture.open()).account("ann");
  const after = await account.status("INBOX");
  assert.equal(after.messages, 1);
  assert.ok(after.uidValidity > before.uidValidity);
  const told = fixture.log.lines.find(({ level }) => level === "error");
  assert.match(String(told?.fields.lost), /UIDs/);
  assert.match(Deno.readTextFileSync(String(told?.fields.kept_as)), /^not a database/);
});

Deno.test("Store.account() makes an index anew whose pages turn out to be damaged", async () => {
  await using fixture = await MaildirFixture.make();
  let store = await fixture.open();
  let account = await store.account("ann");
  for (let i = 0; i < 300; i++) await deliver(account, "INBOX", `m${i}`);
  await fixture.close();
  const file = Deno.openSync(`${fixture.root}/${INDEX}`, { read: true, write: true });
  const { size } = file.statSync();
  // All pages but the first ones, which have the schema and the mailboxes.
  for (let at = 20 * 4096; at < size; at += 4096) {
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(4096).fill(0xa5));
  }
  file.close();
  store = await fixture.open();
  account = await store.account("ann");
  await account.open("INBOX").then((inbox) => inbox.close()).catch(() => {});
  await deliver(account, "INBOX", "late").catch(() => {});
  account = await store.account("ann");
  const inbox = await account.open("INBOX");
  assert.ok(inbox.messages.count >= 300);
  await inbox.prepare(uidsOf(inbox));
  assert.equal((await inbox.cached(["envelope"], 1, 400)).length, inbox.messages.count);
  inbox.close();
});

Deno.test("Account.open() makes an index anew whose pages are damaged at their heads", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  for (let i = 0; i < 30; i++) await deliver(account, "INBOX", `m${i}`);
  const { uidValidity } = await account.status("INBOX");
  await fixture.close();
  const path = `${fixture.root}/${INDEX}`;
  const bytes = Deno.readFileSync(path);
  for (let at = 4096; at < bytes.length; at += 4096) bytes.fill(0xff, at, at + 300);
  Deno.writeFileSync(path, bytes);
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.equal(inbox.messages.count, 30);
  assert.ok(inbox.uidValidity > uidValidity);
  inbox.close();
});

Deno.test("Account.open() makes an index anew whose message rows are damaged", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  for (let i = 0; i < 300; i++) await deliver(account, "INBOX", `m${i}`);
  const old = await account.open("INBOX");
  old.close();
  await fixture.close();
  let page = 0;
  edit(fixture, (database) => {
    page = Number(
      database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'").get()
        ?.rootpage,
    );
  });
  const path = `${fixture.root}/${INDEX}`;
  const bytes = Deno.readFileSync(path);
  bytes.fill(0xff, (page - 1) * 4096, (page - 1) * 4096 + 300);
  Deno.writeFileSync(path, bytes);
  account = await (await fixture.open()).account("ann");
  // The same account, in the session that met the damage.
  const inbox = await account.open("INBOX");
  assert.equal(inbox.messages.count, 300);
  assert.equal(await deliver(account, "INBOX"), 301);
  inbox.close();
});

Deno.test("Store.account() refuses an index from a newer version and leaves it alone", async () => {
  await using fixture = await MaildirFixture.make();
  await (await fixture.open()).account("ann");
  await fixture.close();
  edit(fixture, (database) => database.exec("PRAGMA user_version = 99"));
  const store = await fixture.open();
  await refused("unavailable", store.account("ann"));
  assert.ok(fixture.log.lines.some(({ fields }) => fields.version === 99));
  await fixture.close();
  edit(fixture, (database) => {
    assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, 99);
  });
});

Deno.test("Store.account() refuses an account that another store has open", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  const { MaildirStore } = await import("../../src/store/maildir/store.ts");
  const other = new MaildirStore({
    path: () => fixture.root,
    specialFolders: [],
    log: fixture.log,
  });
  await refused("unavailable", other.account("ann"));
  await other.close();
  assert.equal(await deliver(account, "INBOX"), 1);
});

Deno.test("Mailbox.expunge() is finished after a crash before the files were unlinked", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one");
  await deliver(account, "INBOX", "two");
  await fixture.close();
  edit(fixture, (database) => {
    database.exec(
      `INSERT INTO removals SELECT mailbox, base, id & 4294967295, in_new, info FROM files
      WHERE id & 4294967295 = 1; DELETE FROM messages WHERE uid = 1;
      DELETE FROM files WHERE id & 4294967295 = 1;`,
    );
  });
  // Another program gave it a flag meanwhile.
  const [one] = fixture.names("cur");
  Deno.renameSync(`${fixture.root}/cur/${one}`, `${fixture.root}/cur/${one}S`);
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(uidsOf(inbox), [2]);
  inbox.close();
  await fixture.close();
  assert.equal(fixture.names("cur").length, 1);
});

Deno.test("Mailbox.store() reaches file names after a crash before they were renamed", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one");
  await fixture.close();
  edit(fixture, (database) => {
    database.exec(`UPDATE messages SET flags = 5;
      INSERT INTO write_back (mailbox, first_uid, last_uid) SELECT mailbox, 1, 1 FROM messages`);
  });
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(flagsOf(inbox), [[1, FLAG.seen | FLAG.flagged, []]]);
  inbox.close();
  await fixture.close();
  assert.match(fixture.names("cur")[0], /:2,FS$/);
});

Deno.test("Mailbox.refresh() sees no change in a rename of its own that a crash cut short", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one", { system: FLAG.seen, keywords: [] });
  const { highestModseq } = await account.status("INBOX");
  await fixture.close();
  edit(fixture, (database) => database.exec("UPDATE files SET info = ':2,'"));
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(flagsOf(inbox), [[1, FLAG.seen, []]]);
  assert.equal(inbox.highestModseq, highestModseq);
  inbox.close();
});

Deno.test("Account.rename() is finished after a crash between two folders", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  for (const name of ["a", "a/b"]) await account.create(name);
  await deliver(account, "a/b", "kept");
  const before = await account.status("a/b");
  await fixture.close();
  edit(fixture, (database) => {
    const ids = database.prepare("SELECT id, folder, name FROM mailboxes WHERE name LIKE 'a%'")
      .all();
    const moves = ids.map(({ id, folder, name }) => ({
      id,
      from: folder,
      to: String(folder).replace(".a", ".z"),
      name: String(name).replace("a", "z"),
    }));
    database.prepare("INSERT INTO journal (work) VALUES (?)")
      .run(JSON.stringify({ kind: "rename", moves }));
  });
  Deno.renameSync(`${fixture.root}/.a`, `${fixture.root}/.z`);
  account = await (await fixture.open()).account("ann");
  assert.deepEqual(account.list().map(({ name }) => name), ["INBOX", "z", "z/b"]);
  assert.deepEqual(await account.status("z/b"), before);
});

/** Makes the mailbox "a" with a message, and closes the account. @returns its status */
async function closedWithMail(fixture: MaildirFixture) {
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "a");
  const status = await account.status("a");
  await fixture.close();
  return status;
}

Deno.test("Account.delete() that never took the folder away is not done at the next start", async () => {
  await using fixture = await MaildirFixture.make();
  const before = await closedWithMail(fixture);
  // As after a full disk, too, where the journal could not be told that it failed.
  edit(fixture, (database) => {
    const row = database.prepare("SELECT id, folder FROM mailboxes WHERE name = 'a'").get();
    database.prepare("INSERT INTO journal (work) VALUES (?)")
      .run(JSON.stringify({ kind: "delete", ...row }));
  });
  const account = await (await fixture.open()).account("ann");
  assert.deepEqual(await account.status("a"), before);
});

Deno.test("Account.delete() that the index refuses gives the folder back", async () => {
  await using fixture = await MaildirFixture.make();
  const before = await closedWithMail(fixture);
  edit(fixture, (database) => {
    database.exec(
      "CREATE TRIGGER refuse BEFORE DELETE ON mailboxes BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
  });
  const account = await (await fixture.open()).account("ann");
  await refused("unavailable", account.delete("a"));
  assert.deepEqual(await account.status("a"), before);
  assert.equal(fixture.names("cur", ".a").length, 1);
  assert.equal(await deliver(account, "a"), 2);
});

Deno.test("Account.rename() that moved no folder is not done at the next start", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a");
  await fixture.close();
  edit(fixture, (database) => {
    const id = database.prepare("SELECT id FROM mailboxes WHERE name = 'a'").get()?.id;
    const moves = [{ id, from: ".a", to: ".z", name: "z" }];
    database.prepare("INSERT INTO journal (work) VALUES (?)")
      .run(JSON.stringify({ kind: "rename", moves }));
  });
  account = await (await fixture.open()).account("ann");
  assert.deepEqual(account.list().map(({ name }) => name), ["INBOX", "a"]);
});

for (const kind of ["rename", "delete"]) {
  Deno.test(`Account.${kind}() that was refused is not done at the next start to a mailbox renamed since`, async () => {
    await using fixture = await MaildirFixture.make();
    let account = await (await fixture.open()).account("ann");
    for (const name of ["a", "a/x"]) await account.create(name);
    await deliver(account, "a", "kept", { system: 0, keywords: ["$kept"] });
    await deliver(account, "a/x");
    await account.rename("a/x", "d");
    // Of the children, one kept its name: the work looks as if it had been half done.
    if (kind === "delete") await account.rename("a", "c");
    const name = kind === "delete" ? "c" : "a";
    const before = [await account.status(name), await account.status("d")];
    await fixture.close();
    edit(fixture, (database) => {
      const id = (name: string) =>
        database.prepare("SELECT id FROM mailboxes WHERE name = ?").get(name)?.id;
      const moves = [
        { id: id("a"), from: ".a", to: ".z", name: "z" },
        { id: id("d"), from: ".a.x", to: ".z.x", name: "z/x" },
      ];
      const work = kind === "delete" ? { kind, id: id("c"), folder: ".a" } : { kind, moves };
      database.prepare("INSERT INTO journal (work) VALUES (?)").run(JSON.stringify(work));
    });
    account = await (await fixture.open()).account("ann");
    assert.deepEqual([await account.status(name), await account.status("d")], before);
    assert.deepEqual(account.list().map(({ name }) => name).sort(), ["INBOX", name, "d"].sort());
    const mailbox = await account.open(name);
    assert.deepEqual(flagsOf(mailbox), [[1, 0, ["$kept"]]]);
    mailbox.close();
  });
}

Deno.test("Store.account() takes the index that a repair made ready before it was killed", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "kept", { system: 0, keywords: ["$kept"] });
  const before = await account.status("INBOX");
  await fixture.close();
  const path = `${fixture.root}/${INDEX}`;
  Deno.renameSync(path, `${path}.ready`);
  Deno.writeTextFileSync(path, "not a database ".repeat(1000));
  Deno.linkSync(path, `${path}.damaged-1700000000`);
  Deno.writeTextFileSync(`${path}-wal`, "the log of the damaged one ".repeat(1000));
  account = await (await fixture.open()).account("ann");
  assert.deepEqual(await account.status("INBOX"), before);
  assert.ok([...Deno.readDirSync(fixture.root)].every(({ name }) => !name.endsWith(".ready")));
});

for (
  const [title, put] of [
    ["an older index", (path: string, older: Uint8Array) => Deno.writeFileSync(path, older)],
    ["garbage", (path: string) => Deno.writeTextFileSync(path, "garbage")],
    ["a folder", (path: string) => Deno.mkdirSync(path)],
  ] as const
) {
  Deno.test(`Store.account() takes ${title} that no repair left for no index`, async () => {
    await using fixture = await MaildirFixture.make();
    let account = await (await fixture.open()).account("ann");
    await fixture.close();
    const path = `${fixture.root}/${INDEX}`;
    const older = Deno.readFileSync(path);
    account = await (await fixture.open()).account("ann");
    await deliver(account, "INBOX", "kept", { system: 0, keywords: ["$kept"] });
    const before = await account.status("INBOX");
    await fixture.close();
    put(`${path}.ready`, older);
    account = await (await fixture.open()).account("ann");
    assert.deepEqual(await account.status("INBOX"), before);
    const [warning] = fixture.log.lines.filter(({ level }) => level === "warn");
    assert.ok(Deno.lstatSync(String(warning.fields.kept_as)));
  });
}

Deno.test("Store.account() leaves a log that a kill left beside no index", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "kept");
  const before = await account.status("INBOX");
  const path = `${fixture.root}/${INDEX}`;
  const log = Deno.readFileSync(`${path}-wal`);
  assert.ok(log.length > 0);
  await fixture.close();
  Deno.renameSync(path, `${path}.damaged-1`);
  Deno.writeFileSync(`${path}-wal`, log);
  account = await (await fixture.open()).account("ann");
  const after = await account.status("INBOX");
  assert.equal(after.messages, 1);
  assert.ok(after.uidValidity > before.uidValidity);
});

Deno.test("Account.delete() is finished after a crash before the row was gone", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "a");
  await fixture.close();
  edit(fixture, (database) => {
    const row = database.prepare("SELECT id, folder FROM mailboxes WHERE name = 'a'").get();
    database.prepare("INSERT INTO journal (work) VALUES (?)")
      .run(JSON.stringify({ kind: "delete", ...row }));
    Deno.renameSync(`${fixture.root}/.a`, `${fixture.root}/imapd-deleted-${row?.id}`);
  });
  account = await (await fixture.open()).account("ann");
  assert.deepEqual(account.list().map(({ name }) => name), ["INBOX"]);
  await account.create("a");
  assert.equal((await account.status("a")).messages, 0);
  await fixture.close();
  await (await fixture.open()).account("ann");
  await fixture.close();
  const left = [...Deno.readDirSync(fixture.root)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith("imapd-deleted")), []);
});

Deno.test("Account.append() loses nothing it acknowledged when the process is killed", async () => {
  await using fixture = await MaildirFixture.make();
  const given = new Map<number, string>();
  for (let run = 0; run < 3; run++) {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        fileURLToPath(new URL("./maildir_appender.ts", import.meta.url)),
        fixture.dir,
      ],
      stdout: "piped",
    }).spawn();
    let lines = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      lines += chunk;
      if (lines.split("\n").length > 60) child.kill("SIGKILL");
    }
    await child.status;
    for (const line of lines.split("\n").slice(0, -1)) {
      const [uid, subject] = line.split(" ");
      assert.equal(given.has(Number(uid)), false, `UID ${uid} was given twice`);
      given.set(Number(uid), subject);
    }
  }
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  const uids = new Set(uidsOf(inbox));
  assert.ok(given.size >= 180);
  for (const [uid, subject] of given) {
    assert.ok(uids.has(uid), `UID ${uid} is gone`);
    assert.match(await wholeText(inbox, uid), new RegExp(`Subject: ${subject}\r`));
  }
  assert.ok(await deliver(account, "INBOX") > Math.max(...given.keys()));
  inbox.close();
});

Deno.test("Account.append() leaves nothing behind when it fails", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one");
  const inbox = await account.open("INBOX");
  // A mailbox whose cur/ is missing refuses at the same step as a full disk does.
  await account.create("a");
  const message = await account.receive("a");
  await message.write(text("lost"));
  Deno.removeSync(`${fixture.root}/.a/cur`);
  await refused(
    "no-mailbox",
    account.append("a", [{ incoming: message, flags: { system: 0, keywords: [] } }]),
  );
  assert.deepEqual(fixture.names("tmp", ".a"), []);
  assert.equal(inbox.messages.count, 1);
  inbox.close();
});

Deno.test("Mailbox.copy() leaves no links behind after a crash before they were messages", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "INBOX", "one");
  await fixture.close();
  const [one] = fixture.names("cur");
  const link = "1700000001.M1P1Q1.host";
  edit(fixture, (database) => {
    const work = { kind: "link", folder: ".a", bases: [link, "1700000001.M1P1Q2.host"] };
    database.prepare("INSERT INTO journal (work) VALUES (?)").run(JSON.stringify(work));
  });
  // Another program gave it a flag meanwhile.
  Deno.linkSync(`${fixture.root}/cur/${one}`, `${fixture.root}/.a/cur/${link}:2,S`);
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("a")).messages, 0);
  assert.equal((await account.status("INBOX")).messages, 1);
  assert.deepEqual(fixture.names("cur", ".a"), []);
  await fixture.close();
  edit(
    fixture,
    (database) => assert.deepEqual(database.prepare("SELECT * FROM journal").all(), []),
  );
});

Deno.test("Mailbox.move() moves nothing when the process is killed between two links", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a");
  for (let i = 100; i < 700; i++) fixture.put(`cur/1700000${i}.M1P1.host:2,`, text(`m${i}`));
  assert.equal((await account.status("INBOX")).messages, 600);
  for (const links of [1, 550]) {
    await fixture.close();
    const mover = new URL("./maildir_mover.ts", import.meta.url).pathname;
    const { signal } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", mover, fixture.dir, String(links)],
    }).output();
    assert.equal(signal, "SIGKILL");
    assert.equal(fixture.names("cur", ".a").length, links);
    account = await (await fixture.open()).account("ann");
    assert.equal((await account.status("INBOX")).messages, 600);
    assert.equal((await account.status("a")).messages, 0);
    assert.deepEqual(fixture.names("cur", ".a"), []);
  }
});

Deno.test("Mailbox.copy() leaves nothing in the journal", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "INBOX", "one");
  const inbox = await account.open("INBOX");
  await inbox.copy([1], "a");
  await inbox.move([1], "a");
  inbox.close();
  await fixture.close();
  edit(
    fixture,
    (database) => assert.deepEqual(database.prepare("SELECT * FROM journal").all(), []),
  );
});

Deno.test("Account.append() of messages with keys loses and doubles none when it is killed", async () => {
  await using fixture = await MaildirFixture.make();
  const take = (how: "live" | "die", keys: readonly string[]) => {
    const importer = new URL("./maildir_importer.ts", import.meta.url).pathname;
    const args = ["run", "-A", importer, fixture.dir, how, ...keys];
    return new Deno.Command(Deno.execPath(), { args }).output();
  };
  assert.equal((await take("live", ["a", "b"])).success, true);
  const keys = ["a", "b", "c", "d", "e"];
  assert.equal((await take("die", keys)).signal, "SIGKILL");
  assert.equal(fixture.names("cur").length, 5);
  assert.equal((await take("live", keys)).success, true);
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  const subjects = (await inbox.cached(["header"], 1, 100))
    .map(({ header }) => /^Subject: (.*)\r/m.exec(header)?.[1]);
  assert.deepEqual(subjects, keys);
  assert.equal(fixture.names("cur").length, 5);
  inbox.close();
});

Deno.test("Mailbox.replace() leaves one of both messages after a crash in its middle", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "old");
  await fixture.close();
  const replacer = new URL("./maildir_replacer.ts", import.meta.url).pathname;
  const args = ["run", "-A", replacer, fixture.dir];
  assert.equal((await new Deno.Command(Deno.execPath(), { args }).output()).signal, "SIGKILL");
  assert.equal(fixture.names("cur").length, 2);
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(uidsOf(inbox), [1]);
  assert.match(await wholeText(inbox, 1), /Subject: old\r/);
  inbox.close();
  await fixture.close();
  assert.equal(fixture.names("cur").length, 1);
  edit(
    fixture,
    (database) => assert.deepEqual(database.prepare("SELECT * FROM journal").all(), []),
  );
});

/** What a kill leaves of work that was neither done nor undone. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { WriteAheadLog } from "../../src/store/maildir/write_ahead_log.ts";
import { deliver, incoming, refused, text, uidsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("Account.append() of several messages stores none when it is killed in its middle", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  // An index that is new would take what is there for older mail.
  await account.status("INBOX");
  await fixture.close();
  const appender = new URL("./maildir_multiappender.ts", import.meta.url).pathname;
  const args = ["run", "-A", appender, fixture.dir];
  assert.equal((await new Deno.Command(Deno.execPath(), { args }).output()).signal, "SIGKILL");
  assert.equal(fixture.names("cur").length, 3);
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("INBOX")).messages, 0);
  await fixture.close();
  assert.deepEqual(fixture.names("cur"), []);
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  assert.deepEqual(database.prepare("SELECT * FROM journal").all(), []);
  database.close();
});

Deno.test("Account.rename() takes the name of a folder that a crash left unfinished", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "a");
  Deno.mkdirSync(`${fixture.root}/.z/tmp`, { recursive: true });
  await account.rename("a", "z");
  assert.equal((await account.status("z")).messages, 1);
  assert.equal(existsSync(`${fixture.root}/.a`), false);
});

Deno.test("Account.rename() leaves alone what somebody has in a folder that is no mailbox", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  Deno.mkdirSync(`${fixture.root}/.z/new`, { recursive: true });
  Deno.writeTextFileSync(`${fixture.root}/.z/new/kept`, "Subject: kept\n\n");
  await refused("unavailable", account.rename("a", "z"));
  assert.equal(existsSync(`${fixture.root}/.z/new/kept`), true);
  assert.equal((await account.status("a")).messages, 0);
});

for (const crash of ["after", "before"]) {
  Deno.test(`Store.account() undoes links in a folder that a crash left ${crash} its new name`, async () => {
    await using fixture = await MaildirFixture.make();
    let account = await (await fixture.open()).account("ann");
    await account.create("a");
    if (crash === "after") await account.rename("a", "z");
    await fixture.close();
    const base = "1700000001.M1P1Q1.host";
    const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
    const id = Number(
      database.prepare("SELECT id FROM mailboxes WHERE name IN ('a', 'z')").get()?.id,
    );
    const begin = (work: object) => {
      database.prepare("INSERT INTO journal (work) VALUES (?)").run(JSON.stringify(work));
    };
    begin({ kind: "link", id, folder: ".a", bases: [base] });
    if (crash === "before") {
      begin({ kind: "rename", moves: [{ id, from: ".a", to: ".z", name: "z" }] });
    }
    database.close();
    fixture.put(`cur/${base}:2,S`, "Subject: unfinished\n\n", crash === "after" ? ".z" : ".a");
    account = await (await fixture.open()).account("ann");
    // A rename that moved nothing is not done any more.
    const name = crash === "after" ? "z" : "a";
    assert.equal((await account.status(name)).messages, 0);
    await fixture.close();
    assert.deepEqual(fixture.names("cur", `.${name}`), []);
  });
}

/** Adds work that had begun, as a kill leaves it; returns what is in the journal. */
function journal(fixture: MaildirFixture, work?: (mailbox: number) => object): unknown[] {
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  try {
    const { id } = database.prepare("SELECT id FROM mailboxes WHERE name = 'INBOX'").get() ?? {};
    const insert = database.prepare("INSERT INTO journal (work) VALUES (?)");
    if (work) insert.run(JSON.stringify(work(Number(id))));
    return database.prepare("SELECT work FROM journal").all();
  } finally {
    database.close();
  }
}

Deno.test("Store.account() tries again at the next start to undo links that it could not", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.status("INBOX");
  await fixture.close();
  const [stuck, free] = ["1700000001.M1P1Q1.host", "1700000001.M1P1Q2.host"];
  journal(fixture, (id) => ({ kind: "link", id, folder: "", bases: [stuck, free] }));
  // A folder that is not empty is not removed.
  Deno.mkdirSync(`${fixture.root}/cur/${stuck}/in`, { recursive: true });
  fixture.put(`cur/${free}:2,S`, "Subject: unfinished\n\n");
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("INBOX")).messages, 0);
  assert.equal(await deliver(account, "INBOX"), 1);
  await fixture.close();
  assert.equal(journal(fixture).length, 1);
  Deno.removeSync(`${fixture.root}/cur/${stuck}`, { recursive: true });
  fixture.put(`cur/${stuck}:2,S`, "Subject: unfinished\n\n");
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("INBOX")).messages, 1);
  await fixture.close();
  assert.equal(journal(fixture).length, 0);
  assert.equal(fixture.names("cur").length, 1);
});

Deno.test("Store.account() does not undo links that clients have seen as messages", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  await fixture.close();
  const bases = fixture.names("cur").map((name) => name.split(":")[0]);
  journal(fixture, (id) => ({ kind: "link", id, folder: "", bases }));
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(uidsOf(inbox), [1]);
  inbox.close();
  await fixture.close();
  assert.equal(fixture.names("cur").length, 1);
  assert.equal(journal(fixture).length, 0);
});

/** Has the log of the index fail from its nth sync on, until it is disposed of. */
function failingFrom(nth: number): Disposable {
  const { sync, mend } = WriteAheadLog.prototype;
  let syncs = 0;
  const fail = () => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
  WriteAheadLog.prototype.sync = function (alone) {
    return ++syncs < nth ? sync.call(this, alone) : fail();
  };
  WriteAheadLog.prototype.mend = fail;
  return {
    [Symbol.dispose]() {
      WriteAheadLog.prototype.sync = sync;
      WriteAheadLog.prototype.mend = mend;
    },
  };
}

Deno.test("Mailbox.copy() leaves no links where the journal is in doubt in its middle", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.create("a");
  for (let i = 0; i < 501; i++) fixture.put(`cur/1700000001.M1P1Q${i}.host:2,`, "Subject: m\n\n");
  const inbox = await account.open("INBOX");
  assert.equal(inbox.messages.count, 501);
  {
    using _failing = failingFrom(2);
    await refused("unavailable", inbox.copy(uidsOf(inbox), "a"));
  }
  inbox.close();
  assert.deepEqual(fixture.names("cur", ".a"), []);
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("a")).messages, 0);
});

Deno.test("Mailbox.append() leaves nothing in tmp/ where the journal is in doubt", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  await account.status("INBOX");
  const messages = [
    await incoming(account, "INBOX", text("m")),
    await incoming(account, "INBOX", text("m")),
  ];
  {
    using _failing = failingFrom(1);
    await refused("unavailable", account.append("INBOX", messages));
  }
  assert.deepEqual([...fixture.names("tmp"), ...fixture.names("cur")], []);
  account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("INBOX")).messages, 0);
});

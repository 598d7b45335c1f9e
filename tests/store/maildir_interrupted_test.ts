/** What a kill leaves of work that was neither done nor undone. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { deliver, refused } from "../contracts/store_actions.ts";
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

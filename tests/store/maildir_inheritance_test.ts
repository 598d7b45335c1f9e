import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { FLAG } from "../../src/store/store.ts";
import { deliver, flagsOf, refused, text, uidsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const V = 1234567890;

/** A Maildir as Dovecot leaves it: some of the messages listed, not in the order of delivery. */
async function fromDovecot(): Promise<MaildirFixture> {
  const fixture = await MaildirFixture.make();
  fixture.makeFolder("");
  fixture.makeFolder(".Work.2026");
  fixture.makeFolder(".Plain");
  write(
    fixture,
    "dovecot-uidlist",
    `3 V${V} N12 G0123456789abcdef\n4 :1700000009.M1P1.host,S=9\n7 W20 :1700000001.M1P1.host:2,S\n` +
      "9 :1700000005.M1P1.host\n",
  );
  write(fixture, "dovecot-keywords", "0 $Label1\n1 (bad)\n2 Todo\n");
  write(fixture, "subscriptions", "V\t2\n\nWork\t2026\nGone\n../Evil\n");
  fixture.put("cur/1700000009.M1P1.host,S=9:2,Sac", text("four"));
  fixture.put("cur/1700000001.M1P1.host:2,Fb", text("seven"));
  fixture.put("new/1700000005.M1P1.host", text("nine"));
  fixture.put("new/1700000003.M1P1.host", text("stranger"));
  fixture.put("cur/1700000002.M1P1.host:2,", text("earlier stranger"));
  write(fixture, ".Work.2026/dovecot-uidlist", `1 ${V + 1} 40\n39 1700000001.M2P1.host\n`);
  fixture.put("cur/1700000001.M2P1.host:2,", text("work"), ".Work.2026");
  return fixture;
}

function write(fixture: MaildirFixture, name: string, content: string): void {
  Deno.writeTextFileSync(`${fixture.root}/${name}`, content);
}

function edit(fixture: MaildirFixture, sql: string): void {
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  database.exec(sql);
  database.close();
}

Deno.test("Store.account() takes UIDs, keywords and subscriptions over from Dovecot", async () => {
  await using fixture = await fromDovecot();
  const store = await fixture.open({ specialFolders: [{ name: "Sent", use: "\\Sent" }] });
  const account = await store.account("ann");
  assert.deepEqual([...account.subscriptions()].sort(), ["Gone", "INBOX", "Sent", "Work/2026"]);
  const inbox = await account.open("INBOX");
  assert.equal(inbox.uidValidity, V);
  assert.deepEqual(flagsOf(inbox), [
    [4, FLAG.seen, ["$Label1", "Todo"]],
    [7, FLAG.flagged, []],
    [9, 0, []],
    [12, 0, []],
    [13, 0, []],
  ]);
  assert.equal((await account.status("INBOX")).uidNext, 14);
  inbox.close();
  const work = await account.open("Work/2026");
  assert.deepEqual([work.uidValidity, uidsOf(work)], [V + 1, [39]]);
  assert.equal((await account.status("Work/2026")).uidNext, 40);
  work.close();
  assert.ok((await account.status("Plain")).uidValidity > V + 1);
  assert.deepEqual(fixture.names("cur"), [
    "1700000001.M1P1.host:2,Fb",
    "1700000002.M1P1.host:2,",
    "1700000009.M1P1.host,S=9:2,Sac",
  ]);
});

Deno.test("Account.append() comes after what a mailbox inherits, also as the first of all", async () => {
  await using fixture = await fromDovecot();
  const account = await (await fixture.open()).account("ann");
  assert.equal(await deliver(account, "Work/2026"), 40);
  const work = await account.open("Work/2026");
  assert.deepEqual(uidsOf(work), [39, 40]);
  work.close();
});

Deno.test("Account.status() shows only what Dovecot had in new as recent", async () => {
  await using fixture = await fromDovecot();
  const account = await (await fixture.open()).account("ann");
  assert.equal((await account.status("INBOX")).recent, 1);
  assert.equal((await account.status("Work/2026")).recent, 0);
});

Deno.test("Account.open() goes on with the taking over where it was interrupted", async () => {
  await using fixture = await MaildirFixture.make();
  fixture.makeFolder("");
  let list = `3 V${V} N9001\n`;
  // The later delivered, the lower: only the list can say.
  for (let i = 1; i <= 4500; i++) {
    const name = `${1700009000 - i}.M1P1.host`;
    list += `${i * 2} :${name}\n`;
    Deno.writeTextFileSync(`${fixture.root}/cur/${name}:2,`, "Subject: x\r\n\r\n");
  }
  write(fixture, "dovecot-uidlist", list);
  await (await fixture.open()).account("ann");
  await fixture.close();
  edit(
    fixture,
    `CREATE TRIGGER interrupted BEFORE INSERT ON messages WHEN new.uid = 6000
     BEGIN SELECT RAISE(ABORT, 'interrupted'); END`,
  );
  await refused("unavailable", (await (await fixture.open()).account("ann")).open("INBOX"));
  await fixture.close();
  edit(fixture, "DROP TRIGGER interrupted");
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.equal(inbox.uidValidity, V);
  assert.deepEqual(uidsOf(inbox), Array.from({ length: 4500 }, (_, i) => 2 * i + 2));
  inbox.close();
});

Deno.test("Store.account() inherits nothing once it had the Maildir", async () => {
  await using fixture = await fromDovecot();
  const inbox = await (await (await fixture.open()).account("ann")).open("INBOX");
  inbox.close();
  await fixture.close();
  Deno.removeSync(`${fixture.root}/imapd.sqlite`);
  const account = await (await fixture.open()).account("ann");
  const { uidValidity, uidNext } = await account.status("INBOX");
  assert.ok(uidValidity > V + 1);
  assert.equal(uidNext, 6);
  fixture.makeFolder(".Later");
  write(fixture, ".Later/dovecot-uidlist", `3 V${V} N12\n`);
  await account.refresh();
  assert.notEqual((await account.status("Later")).uidValidity, V);
});

for (
  const [what, list] of [
    ["damaged", "3 V"],
    ["out of UIDs", `3 V${V} N4294967294\n`],
    ["a symbolic link", undefined],
  ] as const
) {
  Deno.test(`Store.account() steps over a list of UIDs that is ${what}`, async () => {
    await using fixture = await fromDovecot();
    const path = `${fixture.root}/dovecot-uidlist`;
    if (list !== undefined) write(fixture, "dovecot-uidlist", list);
    else {
      Deno.renameSync(path, `${fixture.dir}/elsewhere`);
      Deno.symlinkSync(`${fixture.dir}/elsewhere`, path);
    }
    const account = await (await fixture.open()).account("ann");
    const inbox = await account.open("INBOX");
    assert.notEqual(inbox.uidValidity, V);
    assert.deepEqual(uidsOf(inbox), [1, 2, 3, 4, 5]);
    assert.deepEqual(flagsOf(inbox)[4], [5, FLAG.seen, ["$Label1", "Todo"]]);
    inbox.close();
    const warned = fixture.log.lines.some(({ fields }) => fields.path === path);
    assert.equal(warned, list !== undefined);
  });
}

Deno.test("Account.open() follows a Dovecot that renumbered before the mailbox was opened", async () => {
  await using fixture = await fromDovecot();
  const account = await (await fixture.open()).account("ann");
  write(fixture, "dovecot-uidlist", `3 V${V + 5} N30\n29 :1700000001.M1P1.host\n`);
  const inbox = await account.open("INBOX");
  assert.equal(inbox.uidValidity, V + 5);
  assert.deepEqual(uidsOf(inbox), [29, 30, 31, 32, 33]);
  inbox.close();
});

Deno.test("Mailbox.copy() leaves out letters that mean another keyword elsewhere", async () => {
  await using fixture = await fromDovecot();
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  await inbox.copy([4], "Plain");
  inbox.close();
  assert.match(fixture.names("cur", ".Plain")[0], /:2,S$/);
  const plain = await account.open("Plain");
  assert.deepEqual(flagsOf(plain), [[1, FLAG.seen, ["$Label1", "Todo"]]]);
  plain.close();
});

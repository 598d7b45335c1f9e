import * as assert from "node:assert/strict";
import { yieldNow } from "../../src/pace.ts";
import { indexRemoved } from "../../src/store/maildir/disk_error.ts";
import { FLAG, type Mailbox } from "../../src/store/store.ts";
import { deliver, flagsOf, refused, text, uidsOf, until } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("Store.account() makes a Maildir anew that others removed", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await deliver(account, "INBOX");
  const inbox = await account.open("INBOX");
  Deno.removeSync(fixture.root, { recursive: true });
  const again = await store.account("ann");
  assert.equal((await again.status("INBOX")).messages, 0);
  assert.equal(await deliver(account, "INBOX"), 1);
  assert.equal(inbox.gone, true);
  assert.deepEqual(uidsOf(inbox), []);
  inbox.close();
});

const INDEX_FILES = ["imapd.sqlite", "imapd.sqlite-wal"];

/** What changes a message whose index is not where it was. */
const CHANGES = {
  store: (inbox: Mailbox) => inbox.store([1], { mode: "add", system: FLAG.flagged, keywords: [] }),
  expunge: (inbox: Mailbox) => inbox.expunge(),
  copy: (inbox: Mailbox) => inbox.copy([1], "INBOX"),
};

for (const [name, change] of Object.entries(CHANGES)) {
  Deno.test(`Mailbox.${name}() refuses what an index would take that others removed`, async () => {
    await using fixture = await MaildirFixture.make();
    const account = await (await fixture.open()).account("ann");
    await deliver(account, "INBOX", "one", { system: FLAG.deleted, keywords: [] });
    const inbox = await account.open("INBOX");
    for (const file of INDEX_FILES) Deno.removeSync(`${fixture.root}/${file}`);
    await assert.rejects(change(inbox), indexRemoved());
    assert.equal(inbox.gone, true);
    // Also once the account that it was in is closed.
    await account.refresh();
    await assert.rejects(
      change(inbox),
      /The mailbox (was closed: select it again|has been deleted)/,
    );
    inbox.close();
    await deliver(account, "INBOX", "two");
    const again = await account.open("INBOX");
    assert.deepEqual(flagsOf(again).map(([, flags]) => flags & FLAG.flagged), [0, 0]);
    again.close();
  });
}

Deno.test("Mailbox.refresh() lets a mailbox go with the whole Maildir", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  const inbox = await account.open("INBOX");
  Deno.removeSync(fixture.root, { recursive: true });
  await inbox.refresh();
  assert.equal(inbox.gone, true);
  assert.equal(inbox.messages.count, 0);
  inbox.close();
  assert.equal((await account.status("INBOX")).messages, 0);
});

for (const part of ["", "/cur"]) {
  Deno.test(`Mailbox.refresh() lets a mailbox go whose folder${part} others removed`, async () => {
    await using fixture = await MaildirFixture.make();
    const account = await (await fixture.open()).account("ann");
    await account.create("a");
    await deliver(account, "a");
    const mailbox = await account.open("a");
    const told = until(mailbox, () => mailbox.gone);
    Deno.removeSync(`${fixture.root}/.a${part}`, { recursive: true });
    await mailbox.refresh();
    await told;
    assert.deepEqual(uidsOf(mailbox), []);
    await mailbox.refresh();
    mailbox.close();
    await refused("no-mailbox", account.open("a"));
    assert.equal(account.info("a"), undefined);
  });
}

Deno.test("Mailbox.refresh() makes directories of INBOX anew that others removed", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  const inbox = await account.open("INBOX");
  Deno.removeSync(`${fixture.root}/cur`, { recursive: true });
  await inbox.refresh();
  assert.equal(inbox.gone, false);
  assert.deepEqual(uidsOf(inbox), []);
  assert.equal(await deliver(account, "INBOX"), 2);
  inbox.close();
});

Deno.test("Account.refresh() takes over folders that others made and removed", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  fixture.makeFolder(".a");
  await account.refresh();
  assert.ok(account.info("a")?.selectable);
  Deno.removeSync(`${fixture.root}/.a`, { recursive: true });
  await account.refresh();
  assert.equal(account.info("a"), undefined);
});

Deno.test("MaildirStore.closeUnused() closes accounts that open again by themselves", async () => {
  await using fixture = await MaildirFixture.make();
  let now = 1_700_000_000_000;
  const store = await fixture.open({ clock: () => now });
  const account = await store.account("ann");
  await deliver(account, "INBOX", "one");
  const inbox = await account.open("INBOX");
  now += 600_000;
  await store.closeUnused();
  assert.ok(fixture.indexIsOpen());
  inbox.close();
  await account.status("INBOX");
  await store.closeUnused();
  assert.ok(fixture.indexIsOpen());
  now += 600_000;
  // Work in the background ends first.
  while (fixture.indexIsOpen()) {
    await store.closeUnused();
    await yieldNow();
  }
  assert.deepEqual(account.list().map(({ name }) => name), ["INBOX"]);
  fixture.put("new/1700000001.M1P1.host", text("two"));
  await Promise.all([account.refresh(), account.status("INBOX"), deliver(account, "INBOX")]);
  assert.equal((await account.status("INBOX")).messages, 3);
});

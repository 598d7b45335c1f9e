/** The store contract: identifiers, previews and save dates. */

import * as assert from "node:assert/strict";
import type { Account, CachedItems, InternalDate, Mailbox } from "../../src/store/store.ts";
import { incoming, type StorePlace, type TestAccount, text } from "./store_actions.ts";

const DATE: InternalDate = { seconds: 1_700_000_000, zone: 60 };

/** Stores a message with its INTERNALDATE. */
async function append(
  account: Account,
  mailbox: string,
  bytes: Uint8Array,
  date = DATE,
): Promise<number> {
  const { uids } = await account.append(mailbox, [
    await incoming(account, mailbox, bytes, { date }),
  ]);
  return uids[0];
}

async function items<K extends keyof CachedItems>(
  mailbox: Mailbox,
  keys: readonly K[],
): Promise<(Pick<CachedItems, K> & { readonly uid: number })[]> {
  const uids = [...mailbox.messages.uids.subarray(0, mailbox.messages.count)];
  await mailbox.prepare(uids, keys);
  const rows = await mailbox.cached(keys, 1, 0xffff_ffff);
  return rows.map((row) => ({ ...row }));
}

/** Registers the tests of {@link Mailbox.mailboxId} and of what RFC 8474, 8514 and 8970 ask for. */
export function testObjects(
  testAccount: TestAccount,
  test: (title: string, body: (place: StorePlace) => Promise<void>) => void,
): void {
  testAccount("Mailbox.mailboxId stays with a mailbox, and is no other one's", async (account) => {
    const created = await account.create("a");
    assert.match(created, /^[A-Za-z][A-Za-z0-9_-]{0,254}$/);
    assert.equal((await account.status("a")).mailboxId, created);
    await account.rename("a", "b");
    const opened = await account.open("b");
    assert.equal(opened.mailboxId, created);
    opened.close();
    const { mailboxId } = await account.status("INBOX");
    await account.rename("INBOX", "old");
    assert.equal((await account.status("INBOX")).mailboxId, mailboxId);
    await account.delete("b");
    const ids = [created, mailboxId, (await account.status("old")).mailboxId];
    ids.push(await account.create("b"), (await account.status("Sent")).mailboxId);
    assert.equal(new Set(ids).size, ids.length);
  });

  testAccount("CachedItems.emailId is that of text and INTERNALDATE", async (account) => {
    await append(account, "INBOX", text("a"));
    await append(account, "INBOX", text("a"));
    await append(account, "INBOX", text("b"));
    await append(account, "INBOX", text("a"), { ...DATE, seconds: DATE.seconds + 1 });
    await append(account, "INBOX", text("a"), { seconds: -5, zone: 0 });
    const inbox = await account.open("INBOX");
    const [a, again, b, later, old] = (await items(inbox, ["emailId"])).map((row) => row.emailId);
    assert.equal(again, a);
    assert.equal(new Set([a, b, later, old]).size, 4);
    for (const id of [a, b, later, old]) assert.match(id, /^[A-Za-z][A-Za-z0-9_-]{0,254}$/);
    assert.deepEqual(await inbox.withObjectId("emailId", a, 1, 9), [1, 2]);
    assert.deepEqual(await inbox.withObjectId("emailId", a, 2, 9), [2]);
    assert.deepEqual(await inbox.withObjectId("emailId", old, 1, 9), [5]);
    assert.deepEqual(await inbox.withObjectId("emailId", "nobody", 1, 9), []);
    assert.deepEqual(await inbox.withObjectId("threadId", a, 1, 9), []);
    inbox.close();
  });

  testAccount("Mailbox.copy() and move() keep identifiers and previews", async (account) => {
    await append(account, "INBOX", text("a", "Hello a\r\n"));
    await append(account, "INBOX", text("b", "Hello b\r\n"));
    const inbox = await account.open("INBOX");
    const keys = ["emailId", "threadId", "preview"] as const;
    const before = await items(inbox, keys);
    assert.deepEqual(before.map(({ preview }) => preview), ["Hello a", "Hello b"]);
    await inbox.copy([1], "Sent");
    await inbox.move([2], "Sent");
    const sent = await account.open("Sent");
    assert.deepEqual(await items(sent, keys), before);
    assert.deepEqual(await sent.withObjectId("threadId", before[1].threadId, 1, 9), [2]);
    assert.deepEqual(await inbox.withObjectId("threadId", before[1].threadId, 1, 9), []);
    sent.close();
    inbox.close();
  });

  testAccount("CachedItems.saved is when a message came to its mailbox", async (account) => {
    const started = Math.floor(Date.now() / 1000);
    await append(account, "INBOX", text("a"));
    const inbox = await account.open("INBOX");
    await inbox.copy([1], "Sent");
    const sent = await account.open("Sent");
    for (const mailbox of [inbox, sent]) {
      const [{ saved }] = await items(mailbox, ["saved"]);
      assert.ok(saved >= started - 1 && saved <= Date.now() / 1000 + 1);
      mailbox.close();
    }
  });

  test("Store.open() finds the same identifiers again", async (place) => {
    const keys = ["emailId", "threadId", "preview", "saved"] as const;
    const all: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const store = place.open();
      const account = await store.account("ann");
      if (round === 0) await append(account, "INBOX", text("a"));
      const inbox = await account.open("INBOX");
      all.push([inbox.mailboxId, await items(inbox, keys)]);
      inbox.close();
      await store.close();
    }
    assert.deepEqual(all[1], all[0]);
  });
}

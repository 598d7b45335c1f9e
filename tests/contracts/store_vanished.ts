/** The store contract: which messages left a mailbox, and when. */

import * as assert from "node:assert/strict";
import { type Account, FLAG, type Mailbox } from "../../src/store/store.ts";
import { deliver, NO_FLAGS, type StorePlace, type TestAccount } from "./store_actions.ts";

const DELETED = { system: FLAG.deleted, keywords: [] };

async function deliverAll(account: Account, count: number, flags = NO_FLAGS): Promise<void> {
  for (let i = 0; i < count; i++) await deliver(account, "INBOX", `m${i}`, flags);
}

/** Expunges just these. */
async function expunge(mailbox: Mailbox, uids: readonly number[]): Promise<number> {
  await mailbox.store(uids, { mode: "add", ...DELETED });
  return (await mailbox.expunge(uids)).modseq;
}

/** Registers the tests of {@link Mailbox.vanishedSince}. */
export function testVanished(
  testAccount: TestAccount,
  test: (title: string, body: (place: StorePlace) => Promise<void>) => void,
): void {
  testAccount(
    "Mailbox.vanishedSince() names what was expunged after it, in joined ranges",
    async (account) => {
      await deliverAll(account, 9);
      const inbox = await account.open("INBOX");
      const before = inbox.highestModseq;
      assert.deepEqual(await inbox.vanishedSince(before), []);
      const first = await expunge(inbox, [2, 4]);
      const second = await expunge(inbox, [3, 7, 8]);
      assert.deepEqual(await inbox.vanishedSince(before), [[2, 4], [7, 8]]);
      assert.deepEqual(await inbox.vanishedSince(first - 1), [[2, 4], [7, 8]]);
      assert.deepEqual(await inbox.vanishedSince(first), [[3, 3], [7, 8]]);
      assert.deepEqual(await inbox.vanishedSince(second), []);
      inbox.close();
    },
  );

  testAccount(
    "Mailbox.vanishedSince() knows what MOVE took away, also within a mailbox",
    async (account) => {
      await deliverAll(account, 5);
      const inbox = await account.open("INBOX");
      const before = inbox.highestModseq;
      await inbox.move([1, 5], "Sent");
      assert.deepEqual(await inbox.vanishedSince(before), [[1, 1], [5, 5]]);
      await inbox.move([3], "INBOX");
      assert.deepEqual(await inbox.vanishedSince(before), [[1, 1], [3, 3], [5, 5]]);
      assert.deepEqual([...inbox.messages.uids.subarray(0, inbox.messages.count)], [2, 4, 6]);
      inbox.close();
    },
  );

  testAccount("Mailbox.vanishedSince() knows what a rename of INBOX took away", async (account) => {
    await deliverAll(account, 3);
    const inbox = await account.open("INBOX");
    const before = inbox.highestModseq;
    await account.rename("INBOX", "old");
    assert.deepEqual(await inbox.vanishedSince(before), [[1, 3]]);
    inbox.close();
  });

  test("Mailbox.vanishedSince() lasts over restarts", async (place) => {
    let store = place.open();
    let account = await store.account("ann");
    await deliverAll(account, 4);
    let inbox = await account.open("INBOX");
    const before = inbox.highestModseq;
    await expunge(inbox, [2, 3]);
    inbox.close();
    await store.close();
    store = place.open();
    account = await store.account("ann");
    inbox = await account.open("INBOX");
    assert.deepEqual(await inbox.vanishedSince(before), [[2, 3]]);
    inbox.close();
    await store.close();
  });

  testAccount(
    "Mailbox.vanishedSince() forgets old expunges, and then names all UIDs without a message",
    async (account) => {
      const inbox = await account.open("INBOX");
      await deliverAll(account, 3);
      const before = inbox.highestModseq;
      await expunge(inbox, [1]);
      await expunge(inbox, [3]);
      // Every other message: as many ranges as there can be.
      for (let wanted = 4; wanted < 25_000;) {
        const { uids } = await inbox.copy(
          [2, ...uidsFrom(inbox, 4)].slice(0, 4000),
          "INBOX",
        ).then(({ destination }) => ({ uids: destination }));
        wanted = uids[uids.length - 1];
      }
      const uids = uidsFrom(inbox, 4);
      const late = inbox.highestModseq;
      await expunge(inbox, uids.filter((uid) => uid % 2 === 0));
      const next = inbox.highestModseq;
      const last = uids[1];
      await expunge(inbox, [last]);
      for (;;) {
        const vanished = await inbox.vanishedSince(before);
        const all = vanished.reduce((sum, [from, to]) => sum + to - from + 1, 0);
        // Whatever is forgotten by now, nothing is missing, and nothing that is there is named.
        assert.equal(all, inbox.uidNext - 1 - inbox.messages.count);
        assert.ok(vanished.every(([from, to]) => from > 2 || to < 2));
        if ((await inbox.vanishedSince(late)).length === vanished.length) break;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.deepEqual(await inbox.vanishedSince(next), [[last, last]]);
      inbox.close();
    },
  );
}

function uidsFrom({ messages }: Mailbox, first: number): number[] {
  return [...messages.uids.subarray(0, messages.count)].filter((uid) => uid >= first);
}

/** The store contract: accounts as a whole, what they may hold, and what comes from elsewhere. */

import * as assert from "node:assert/strict";
import { FLAG, type Store } from "../../src/store/store.ts";
import {
  deliver,
  incoming,
  refused,
  type StorePlace,
  type TestAccount,
  text,
  uidsOf,
  until,
  wholeText,
} from "./store_actions.ts";

type Test = (title: string, body: (place: StorePlace) => Promise<void>) => void;

/** Registers the tests of accounts as a whole. */
export function testAccounts(test: Test): void {
  test("Store.accounts() names all accounts, also those of earlier runs", async (place) => {
    const first = place.open();
    assert.deepEqual(await first.accounts(), []);
    for (const name of ["bob", "ann", "Zoë"]) await first.account(name);
    assert.deepEqual(await first.accounts(), ["Zoë", "ann", "bob"]);
    await first.close();
    const second = place.open();
    assert.deepEqual(await second.accounts(), ["Zoë", "ann", "bob"]);
    await second.close();
  });

  test("Store.exists() makes no account", async (place) => {
    const store = place.open();
    assert.equal(await store.exists("ann"), false);
    assert.equal(await store.exists("../ann"), false);
    assert.equal(await store.exists("ann/../../etc"), false);
    assert.deepEqual(await store.accounts(), []);
    await store.account("ann");
    assert.equal(await store.exists("ann"), true);
    await store.close();
  });

  test("Store.remove() removes one account for good", async (place) => {
    const first = place.open();
    await deliver(await first.account("ann"), "INBOX");
    await deliver(await first.account("bob"), "INBOX");
    await first.remove("ann");
    assert.deepEqual(await first.accounts(), ["bob"]);
    assert.equal(await first.exists("ann"), false);
    await refused("no-mailbox", first.remove("ann"));
    await refused("not-permitted", first.remove("../bob"));
    await first.close();
    const second = place.open();
    assert.deepEqual(await second.accounts(), ["bob"]);
    const anew = await second.account("ann");
    assert.equal((await anew.status("INBOX")).messages, 0);
    assert.equal((await (await second.account("bob")).status("INBOX")).messages, 1);
    await second.remove("bob");
    assert.deepEqual(await second.accounts(), ["ann"]);
    await second.close();
  });

  test("Store.remove() lets sessions find their mailboxes gone", async (place) => {
    const store = place.open();
    const account = await store.account("ann");
    const uid = await deliver(account, "INBOX");
    const inbox = await account.open("INBOX");
    const told = until(inbox, () => inbox.gone);
    const arriving = await incoming(account, "INBOX", text("late"));
    await store.remove("ann");
    await told;
    assert.deepEqual(uidsOf(inbox), []);
    await refused("no-mailbox", account.status("INBOX"));
    await refused("no-mailbox", account.refresh());
    await refused("no-mailbox", account.append("INBOX", [arriving]));
    await refused("no-mailbox", inbox.copy([uid], "INBOX"));
    assert.deepEqual(account.list(), []);
    inbox.close();
    assert.deepEqual(await store.accounts(), []);
    await store.close();
  });

  test("Store.account() gives a new account while the old one is being removed", async (place) => {
    const store = place.open();
    await deliver(await store.account("ann"), "INBOX");
    const [account, again] = await Promise.all([
      store.remove("ann").then(() => undefined),
      store.account("ann"),
    ]);
    assert.equal(account, undefined);
    assert.equal((await again.status("INBOX")).messages, 0);
    assert.deepEqual(await store.accounts(), ["ann"]);
    await store.close();
  });
}

/** Registers the tests of quotas. */
export function testQuotas(testAccount: TestAccount, test: Test): void {
  const octets = text("test").length;

  testAccount("Account.quota() counts what there is, without limits", async (account) => {
    assert.deepEqual(await account.quota(), {
      storage: { used: 0, limit: undefined },
      messages: { used: 0, limit: undefined },
      mailboxes: { used: 2, limit: undefined },
    });
    await deliver(account, "INBOX");
    await deliver(account, "Sent");
    const { storage, messages } = await account.quota();
    assert.deepEqual([storage.used, messages.used], [2 * octets, 2]);
  });

  test("Account.append() stores nothing of what passes a limit", async (place) => {
    const store = place.open({ storage: 3 * octets, messages: 10 });
    const account = await store.account("ann");
    await deliver(account, "INBOX");
    const two = [
      await incoming(account, "Sent", text("test")),
      await incoming(account, "Sent", text("test")),
    ];
    const third = await incoming(account, "Sent", text("test"));
    await account.append("Sent", two);
    await refused("over-quota", account.append("Sent", [third]));
    await refused("over-quota", account.receive("INBOX"));
    assert.deepEqual(await account.quota(), {
      storage: { used: 3 * octets, limit: 3 * octets },
      messages: { used: 3, limit: 10 },
      mailboxes: { used: 2, limit: undefined },
    });
    assert.deepEqual(await account.limitedQuota(), {
      storage: { used: 3 * octets, limit: 3 * octets },
      messages: { used: 3, limit: 10 },
    });
    assert.equal((await account.status("Sent")).messages, 2);
    await store.close();
  });

  test("Account.create() makes no more mailboxes than the limit", async (place) => {
    const store = place.open({ mailboxes: 3 });
    const account = await store.account("ann");
    assert.deepEqual(await account.limitedQuota(), { mailboxes: { used: 2, limit: 3 } });
    await account.create("a/b/c");
    await refused("over-quota", account.create("a"));
    await refused("over-quota", account.rename("INBOX", "Old"));
    await refused("mailbox-exists", account.create("a/b/c"));
    await account.rename("a/b/c", "d");
    await deliver(account, "d");
    assert.deepEqual(account.list().map(({ name }) => name), ["INBOX", "Sent", "d"]);
    await account.delete("d");
    await account.create("e");
    await account.setQuota({ mailboxes: 4 });
    await account.create("f");
    assert.deepEqual((await account.quota()).mailboxes, { used: 4, limit: 4 });
    await store.close();
  });

  testAccount("Account.setQuota() may allow nothing at all", async (account) => {
    assert.deepEqual(await account.limitedQuota(), {});
    await account.setQuota({ messages: 0, mailboxes: 0 });
    assert.deepEqual(await account.limitedQuota(), {
      messages: { used: 0, limit: 0 },
      mailboxes: { used: 2, limit: 0 },
    });
    await refused("over-quota", account.receive("INBOX"));
    await refused("over-quota", account.create("a"));
    await account.setQuota({ messages: null, mailboxes: "none" });
    assert.deepEqual(await account.limitedQuota(), {});
    await account.create("a");
    await deliver(account, "a");
  });

  testAccount("Account.status() tells what an expunge would free", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    assert.equal((await account.status("INBOX")).deletedSize, 0);
    await inbox.store([1, 3], { mode: "add", system: FLAG.deleted, keywords: [] });
    const { deleted, deletedSize } = await account.status("INBOX");
    assert.deepEqual([deleted, deletedSize], [2, 2 * octets]);
    inbox.close();
  });

  test("Mailbox.copy() passes no limit, Mailbox.move() needs no room", async (place) => {
    const store = place.open({ messages: 3 });
    const account = await store.account("ann");
    const uids = [await deliver(account, "INBOX"), await deliver(account, "INBOX")];
    const inbox = await account.open("INBOX");
    await refused("over-quota", inbox.copy(uids, "Sent"));
    assert.equal((await account.status("Sent")).messages, 0);
    await inbox.copy([uids[0]], "Sent");
    await refused("over-quota", inbox.copy([uids[0]], "Sent"));
    assert.equal((await inbox.move(uids, "Sent")).source.length, 2);
    assert.deepEqual((await account.quota()).messages, { used: 3, limit: 3 });
    inbox.close();
    await store.close();
  });

  test("Account.quota() follows whatever is done, exactly", async (place) => {
    const store = place.open({ storage: 1e9 });
    const account = await store.account("ann");
    await account.create("a");
    await deliver(account, "a");
    const counted = async () => {
      const { storage, messages } = await account.quota();
      let size = 0;
      let count = 0;
      for (const { name } of account.list()) {
        const status = await account.status(name);
        size += status.size;
        count += status.messages;
      }
      assert.deepEqual([storage.used, messages.used], [size, count]);
      return count;
    };
    assert.equal(await counted(), 1);
    await Promise.all(Array.from({ length: 20 }, (_, i) => deliver(account, "a", `m${i}`)));
    assert.equal(await counted(), 21);
    const a = await account.open("a");
    await a.copy(uidsOf(a).slice(0, 10), "INBOX");
    await a.move(uidsOf(a).slice(5, 8), "Sent");
    await refused("no-mailbox", a.copy(uidsOf(a), "nowhere"));
    await a.store(uidsOf(a).slice(0, 4), { mode: "add", system: FLAG.deleted, keywords: [] });
    await a.expunge();
    assert.equal(await counted(), 27);
    await account.rename("a", "b");
    await account.rename("INBOX", "c");
    assert.equal(await counted(), 27);
    a.close();
    await account.delete("b");
    assert.equal(await counted(), 13);
    await store.close();
  });

  test("Account.setQuota() outlives the store, and null gives the configured limit back", async (place) => {
    const first = place.open({ storage: octets, messages: 1 });
    const before = await first.account("ann");
    await before.setQuota({ messages: "none", storage: 2 * octets });
    await deliver(before, "INBOX");
    await deliver(before, "INBOX");
    await refused("over-quota", before.receive("INBOX"));
    await first.close();
    const second = place.open({ storage: octets, messages: 1 });
    const after = await second.account("ann");
    await refused("over-quota", after.receive("INBOX"));
    assert.deepEqual(await after.quota(), {
      storage: { used: 2 * octets, limit: 2 * octets },
      messages: { used: 2, limit: undefined },
      mailboxes: { used: 2, limit: undefined },
    });
    await after.setQuota({ storage: null });
    assert.equal((await after.quota()).storage.limit, octets);
    await after.setQuota({ storage: "none" });
    await deliver(after, "INBOX");
    const bob = await second.account("bob");
    await deliver(bob, "INBOX");
    await refused("over-quota", bob.receive("INBOX"));
    await second.close();
  });
}

/** Registers the tests of mail that comes from other servers. */
export function testImports(testAccount: TestAccount, test: Test): void {
  testAccount(
    "Account.adoptUids() gives UIDVALIDITY to mailboxes without UIDs",
    async (account) => {
      await account.create("a");
      assert.equal(await account.adoptUids("a", { uidValidity: 77, uidNext: 500 }), true);
      const { uidValidity, uidNext, recent } = await account.status("a");
      assert.deepEqual([uidValidity, uidNext, recent], [77, 500, 0]);
      assert.equal(await deliver(account, "a"), 500);
      assert.equal(await account.adoptUids("a", { uidValidity: 77, uidNext: 400 }), true);
      assert.equal(await account.adoptUids("a", { uidValidity: 77, uidNext: 600 }), true);
      assert.equal((await account.status("a")).uidNext, 600);
      assert.equal(await account.adoptUids("a", { uidValidity: 78 }), false);
      assert.equal((await account.status("a")).uidValidity, 77);
      assert.equal(await account.adoptUids("INBOX", { uidValidity: 2 ** 32, uidNext: 5 }), false);
      await deliver(account, "INBOX");
      assert.equal(await account.adoptUids("INBOX", { uidValidity: 77 }), false);
      await refused("no-mailbox", account.adoptUids("nowhere", { uidValidity: 77 }));
    },
  );

  testAccount(
    "Account.adoptUids() gives a name no UIDVALIDITY that it had before",
    async (account) => {
      await account.create("a");
      assert.equal(await account.adoptUids("a", { uidValidity: 4_000_000_000 }), true);
      await deliver(account, "a");
      await account.delete("a");
      await account.create("a");
      const { uidValidity } = await account.status("a");
      assert.ok(uidValidity > 4_000_000_000 && uidValidity < 2 ** 32);
      assert.equal(await account.adoptUids("a", { uidValidity: 4_000_000_000 }), false);
    },
  );

  testAccount("Account.append() keeps UIDs that are free", async (account) => {
    const wanted = [10, 12, 11, undefined, 2 ** 32 - 1, 20];
    const messages = [];
    for (const [i, uid] of wanted.entries()) {
      messages.push(await incoming(account, "INBOX", text(`m${i}`), { uid }));
    }
    const { uids } = await account.append("INBOX", messages);
    assert.deepEqual(uids, [10, 12, 13, 14, 15, 20]);
    const inbox = await account.open("INBOX");
    assert.deepEqual(uidsOf(inbox), uids);
    assert.match(await wholeText(inbox, 20), /Subject: m5\r/);
    assert.equal(await deliver(account, "INBOX"), 21);
    inbox.close();
  });

  testAccount("Account.append() stores a message of elsewhere once", async (account) => {
    const add = async (...keys: string[]) => {
      const messages = [];
      for (const key of keys) messages.push(await incoming(account, "INBOX", text(key), { key }));
      return (await account.append("INBOX", messages)).uids;
    };
    // As when an import is begun again while the server still stores what came last.
    const [first, second] = await Promise.all([add("one", "two"), add("two", "three", "one")]);
    assert.deepEqual([first, second], [[1, 2], [2, 3, 1]]);
    assert.equal((await account.status("INBOX")).messages, 3);
    assert.deepEqual(await add("three"), [3]);
  });

  test("Account.taken() knows what was taken in, also after it was expunged", async (place) => {
    const first = place.open();
    const account = await first.account("ann");
    await account.create("a");
    const add = async (store: Store, key: string) => {
      const ann = await store.account("ann");
      await ann.append("a", [await incoming(ann, "a", text(key), { key })]);
    };
    for (const key of ["one", "two", "three", "four"]) await add(first, key);
    await deliver(account, "a");
    const a = await account.open("a");
    await a.store([2], { mode: "add", system: 0, keywords: ["$x"] });
    await a.store([3], { mode: "add", system: FLAG.deleted, keywords: [] });
    await a.expunge();
    await a.move([4], "Sent");
    a.close();
    await first.close();
    const second = place.open();
    const again = await second.account("ann");
    const keys = ["one", "two", "three", "four", "five"];
    assert.deepEqual([...await again.taken("a", keys)], [
      ["one", { uid: 1, unchanged: true }],
      ["two", { uid: 2, unchanged: false }],
      ["three", { uid: 3, unchanged: false }],
      ["four", { uid: 4, unchanged: false }],
    ]);
    assert.equal((await again.taken("INBOX", keys)).size, 0);
    await again.delete("a");
    await again.create("a");
    assert.equal((await again.taken("a", keys)).size, 0);
    await second.close();
  });

  test("Account.append() notes no key of a message that it refused", async (place) => {
    const store = place.open({ messages: 1 });
    const account = await store.account("ann");
    const messages = [
      await incoming(account, "INBOX", text("one"), { key: "one" }),
      await incoming(account, "INBOX", text("two"), { key: "two" }),
    ];
    await refused("over-quota", account.append("INBOX", messages));
    assert.equal((await account.taken("INBOX", ["one", "two"])).size, 0);
    assert.equal((await account.status("INBOX")).messages, 0);
    await store.close();
  });
}

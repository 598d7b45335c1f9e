/** The store contract: several sessions, restarts, and size. */

import * as assert from "node:assert/strict";
import { FLAG } from "../../src/store/store.ts";
import {
  deliver,
  flagsOf,
  incoming,
  refused,
  type StorePlace,
  type TestAccount,
  text,
  uidsOf,
  until,
  wholeText,
} from "./store_actions.ts";

/** Registers the tests of several handles. */
export function testSessions(test: TestAccount): void {
  test("Mailbox.watch() tells other handles after each kind of change", async (account) => {
    await account.create("a");
    const [one, two] = [await account.open("a"), await account.open("a")];
    let told = 0;
    let inside = false;
    const end = two.watch(() => {
      assert.equal(inside, false);
      told++;
    });
    const change = async (act: () => Promise<unknown>) => {
      const before = told;
      inside = true;
      const acting = act();
      inside = false;
      await acting;
      await until(two, () => told > before);
    };
    await change(() => deliver(account, "a"));
    assert.deepEqual(uidsOf(two), [1]);
    await change(() => one.store([1], { mode: "add", system: FLAG.deleted, keywords: [] }));
    assert.equal(two.messages.flags[0], FLAG.deleted);
    await change(() => one.copy([1], "a"));
    await change(() => one.expunge());
    assert.deepEqual(uidsOf(two), []);
    await change(() => account.rename("a", "b"));
    assert.equal(two.name, "b");
    await change(() => account.delete("b"));
    assert.equal(two.gone, true);
    const before = told;
    end();
    await refused("no-mailbox", two.store([1], { mode: "add", system: 1, keywords: [] }));
    assert.equal(told, before);
    one.close();
    two.close();
  });

  test("Mailbox.claimRecent() gives each message to one session, in this and later runs", async (account) => {
    await deliver(account, "INBOX");
    await deliver(account, "INBOX");
    const one = await account.open("INBOX");
    const two = await account.open("INBOX");
    assert.equal(one.firstRecent, 1);
    assert.equal(one.claimRecent(), 1);
    assert.equal(two.firstRecent, 3);
    assert.equal(two.claimRecent(), 3);
    assert.equal((await account.status("INBOX")).recent, 0);
    await deliver(account, "INBOX");
    assert.equal((await account.status("INBOX")).recent, 1);
    one.close();
    two.close();
  });

  test("Mailbox handles see one mailbox whatever they do at once", async (account) => {
    await account.create("to");
    const one = await account.open("INBOX");
    const two = await account.open("INBOX");
    const appended = Array.from({ length: 60 }, (_, i) => deliver(account, "INBOX", `m${i}`));
    const uids = await Promise.all(appended);
    assert.deepEqual([...uids].sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i + 1));
    await Promise.all([
      ...uids.map((uid) =>
        (uid % 2 ? one : two).store([uid], {
          mode: "add",
          system: FLAG.seen,
          keywords: [`k${uid}`],
        })
      ),
      one.store([1, 2, 3], { mode: "add", system: FLAG.deleted, keywords: [] }),
      two.copy([10, 11], "to"),
      one.move([20, 21], "to"),
      two.move([20, 22], "to"),
      deliver(account, "INBOX", "late"),
    ]);
    const [a, b] = await Promise.all([one.expunge(), two.expunge()]);
    assert.deepEqual([...a.uids, ...b.uids].sort(), [1, 2, 3]);
    const to = await account.open("to");
    assert.equal(to.messages.count, 5);
    assert.equal(one.messages.count, 61 - 3 - 3);
    assert.equal(two.messages, one.messages);
    const { messages } = one;
    for (let at = 0; at < messages.count; at++) {
      const uid = messages.uids[at];
      if (uid === 61) continue;
      assert.deepEqual(one.keywordSet(messages.keywordSets[at]), [`k${uid}`]);
      assert.match(await wholeText(one, uid), /Subject: m\d+\r/);
    }
    assert.ok(Math.max(...messages.modseqs.subarray(0, messages.count)) <= one.highestModseq);
    for (const mailbox of [one, two, to]) mailbox.close();
  });

  test("Mailbox handles outlive a rename and learn of a delete", async (account) => {
    await account.create("a");
    const uid = await deliver(account, "a", "kept");
    const mailbox = await account.open("a");
    await account.rename("a", "b/c");
    assert.equal(mailbox.name, "b/c");
    assert.match(await wholeText(mailbox, uid), /Subject: kept/);
    await mailbox.store([uid], { mode: "add", system: FLAG.flagged, keywords: [] });
    assert.equal(await deliver(account, "b/c"), uid + 1);
    await account.delete("b/c");
    assert.equal(mailbox.gone, true);
    await refused("no-mailbox", mailbox.copy([uid], "INBOX"));
    mailbox.close();
  });
}

/** Registers the tests of one store after the other. */
export function testRestarts(
  test: (title: string, body: (place: StorePlace) => Promise<void>) => void,
) {
  test("Store.close() keeps everything for the next one", async (place) => {
    const first = place.open();
    const before = await first.account("ann");
    await before.create("a/b", ["\\Junk"]);
    await before.subscribe("a/b");
    await before.unsubscribe("Sent");
    for (let i = 0; i < 5; i++) await deliver(before, "a/b", `m${i}`);
    const old = await before.open("a/b");
    await old.store([1, 2], { mode: "add", system: FLAG.answered, keywords: ["$one", "$two"] });
    await old.store([3], { mode: "add", system: FLAG.deleted, keywords: [] });
    await old.expunge();
    old.claimRecent();
    const state = { flags: flagsOf(old), modseqs: [...old.messages.modseqs.subarray(0, 4)] };
    const status = await before.status("a/b");
    const list = before.list();
    await first.close();
    await refused("unavailable", before.create("late"));
    await refused("unavailable", first.account("bob"));

    const second = place.open();
    const after = await second.account("ann");
    assert.deepEqual(after.list(), list);
    assert.deepEqual(after.subscriptions(), ["INBOX", "a/b"]);
    assert.deepEqual(await after.status("a/b"), status);
    const mailbox = await after.open("a/b");
    assert.deepEqual(flagsOf(mailbox), state.flags);
    assert.deepEqual([...mailbox.messages.modseqs.subarray(0, 4)], state.modseqs);
    assert.equal(mailbox.firstRecent, 6);
    assert.deepEqual(mailbox.keywords(), ["$one", "$two"]);
    assert.equal((await mailbox.cached(["envelope"], 1, 5)).length, 4);
    assert.equal(await deliver(after, "a/b"), 6);
    mailbox.close();
    await second.close();
  });

  test("Store.close() loses no UID of a message that was expunged last", async (place) => {
    const first = place.open();
    const account = await first.account("ann");
    const uid = await deliver(account, "INBOX", "x", { system: FLAG.deleted, keywords: [] });
    const inbox = await account.open("INBOX");
    await inbox.expunge();
    const { highestModseq } = inbox;
    await first.close();
    const second = place.open();
    const again = await second.account("ann");
    assert.equal(await deliver(again, "INBOX"), uid + 1);
    assert.ok((await again.status("INBOX")).highestModseq > highestModseq);
    await second.close();
  });
}

/** Registers the tests of large accounts. */
export function testSizes(test: TestAccount): void {
  test("Account holds many mailboxes", async (account) => {
    const names = Array.from({ length: 300 }, (_, i) => `m${i % 10}/n${i}`);
    await Promise.all(names.map((name) => account.create(name)));
    assert.equal(account.list().length, 300 + 10 + 2);
    assert.equal(account.list(), account.list());
    await deliver(account, "m2/n142");
    assert.equal((await account.status("m2/n142")).messages, 1);
  });

  test("Mailbox holds 9,000 messages", async (account) => {
    await account.create("to");
    for (let at = 0; at < 9000; at += 500) {
      const messages = [];
      for (let i = 0; i < 500; i++) {
        messages.push(await incoming(account, "INBOX", text(`m${at + i}`)));
      }
      await account.append("INBOX", messages);
    }
    const inbox = await account.open("INBOX");
    const uids = uidsOf(inbox);
    assert.equal(uids.length, 9000);
    const stored = await inbox.store(uids, { mode: "add", system: FLAG.seen, keywords: ["all"] });
    assert.equal(stored.modseq, inbox.highestModseq);
    const third = uids.filter((uid) => uid % 3 === 0);
    await inbox.store(third, { mode: "add", system: FLAG.deleted, keywords: ["third"] });
    const copied = await inbox.copy(uids.slice(0, 4500), "to");
    assert.deepEqual(copied.destination, uids.slice(0, 4500));
    assert.deepEqual((await inbox.expunge()).uids, third);
    const moved = await inbox.move(uids.slice(0, 6000), "to");
    assert.equal(moved.source.length, 4000);
    const { messages, unseen, deleted } = await account.status("INBOX");
    assert.deepEqual([messages, unseen, deleted], [9000 - third.length - 4000, 0, 0]);
    const to = await account.open("to");
    assert.equal(to.messages.count, 8500);
    assert.match(await wholeText(to, 8500), /Subject: m5998\r/);
    assert.deepEqual(flagsOf(to)[8499], [8500, FLAG.seen, ["all"]]);
    inbox.close();
    to.close();
  });
}

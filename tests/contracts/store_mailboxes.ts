/** The store contract: mailboxes, their names, and subscriptions. */

import * as assert from "node:assert/strict";
import { type Account, FLAG, MAX_SUBSCRIPTIONS } from "../../src/store/store.ts";
import { deliver, flagsOf, refused, type TestAccount, wholeText } from "./store_actions.ts";

function namesOf(account: Account): string[] {
  return account.list().map(({ name }) => name);
}

/** Registers the tests of mailboxes as a whole. */
export function testMailboxes(test: TestAccount): void {
  test("Store.account() makes INBOX and special folders, subscribed", async (account, store) => {
    assert.equal(account.name, "ann");
    assert.deepEqual(account.list(), [
      {
        name: "INBOX",
        selectable: true,
        hasChildren: false,
        subscribed: true,
        specialUse: [],
      },
      {
        name: "Sent",
        selectable: true,
        hasChildren: false,
        subscribed: true,
        specialUse: ["\\Sent"],
      },
    ]);
    assert.deepEqual(account.subscriptions(), ["INBOX", "Sent"]);
    assert.equal(await store.account("ann"), account);
    assert.notEqual(await store.account("bob"), account);
  });

  test("Account.create() makes parents that cannot be selected", async (account) => {
    await account.create("a/b/c");
    assert.deepEqual(namesOf(account), ["INBOX", "Sent", "a", "a/b", "a/b/c"]);
    assert.deepEqual(account.info("a"), {
      name: "a",
      selectable: false,
      hasChildren: true,
      subscribed: false,
      specialUse: [],
    });
    await refused("no-mailbox", account.open("a"));
    await account.create("a");
    assert.equal(account.info("a")?.selectable, true);
    assert.equal(account.info("a/b/c")?.hasChildren, false);
    assert.equal(account.info("nobody"), undefined);
  });

  test("Account.create() refuses names that are taken or bad", async (account) => {
    await refused("mailbox-exists", account.create("INBOX"));
    await refused("mailbox-exists", account.create("Sent"));
    for (const name of ["", "a//b", "/a", "a/../b", "\ud800", "a\0b", "x".repeat(300)]) {
      await refused("bad-name", account.create(name));
    }
    assert.deepEqual(namesOf(account), ["INBOX", "Sent"]);
  });

  test("Account.create() keeps special uses, several of one kind too", async (account) => {
    await account.create("Old", ["\\Sent", "\\Archive"]);
    assert.deepEqual(account.info("Old")?.specialUse, ["\\Sent", "\\Archive"]);
    assert.deepEqual(account.info("Sent")?.specialUse, ["\\Sent"]);
  });

  test("Account.create() takes names with dots, blanks, UTF-8 and wildcards", async (account) => {
    const names = [
      "a.b",
      "Entwürfe",
      "日本語/台北",
      "a&b",
      "50% *",
      "~peter",
      "x ",
      ".hidden",
      "INBOX/x",
    ];
    for (const name of names) await account.create(name);
    for (const name of names) {
      assert.equal(account.info(name)?.selectable, true, name);
      await deliver(account, name);
      assert.equal((await account.status(name)).messages, 1, name);
    }
    assert.equal(account.info("a"), undefined);
    assert.equal((await account.status("INBOX")).messages, 0);
  });

  test("Account.delete() removes one mailbox and leaves its children", async (account) => {
    await account.create("a");
    await account.create("a/b");
    await deliver(account, "a");
    await account.delete("a");
    assert.equal(account.info("a")?.selectable, false);
    await refused("has-children", account.delete("a"));
    await account.delete("a/b");
    assert.equal(account.info("a"), undefined);
    await refused("no-mailbox", account.delete("a"));
    await refused("not-permitted", account.delete("INBOX"));
    await refused("no-mailbox", account.status("a"));
  });

  test("Account.delete() then create() gives a larger UIDVALIDITY and no old mail", async (account) => {
    await account.create("a");
    await deliver(account, "a");
    const before = await account.status("a");
    await account.delete("a");
    await account.create("a");
    const after = await account.status("a");
    assert.equal(after.messages, 0);
    assert.ok(after.uidValidity > before.uidValidity);
    assert.ok(before.uidValidity > 0 && after.uidValidity < 2 ** 32);
  });

  test("Account.rename() takes children and messages along", async (account) => {
    for (const name of ["a", "a/b", "a/b/c", "ab"]) await account.create(name);
    await account.create("a/s", ["\\Junk"]);
    const uid = await deliver(account, "a/b/c", "deep");
    const before = await account.status("a/b/c");
    await account.rename("a", "x/y");
    assert.deepEqual(namesOf(account), [
      "INBOX",
      "Sent",
      "ab",
      "x",
      "x/y",
      "x/y/b",
      "x/y/b/c",
      "x/y/s",
    ]);
    assert.deepEqual(account.info("x/y/s")?.specialUse, ["\\Junk"]);
    assert.deepEqual(await account.status("x/y/b/c"), before);
    const mailbox = await account.open("x/y/b/c");
    assert.match(await wholeText(mailbox, uid), /Subject: deep/);
    mailbox.close();
  });

  test("Account.rename() moves a parent that is no mailbox by its children", async (account) => {
    await account.create("a/b");
    await account.rename("a", "z");
    assert.deepEqual(namesOf(account), ["INBOX", "Sent", "z", "z/b"]);
  });

  test("Account.rename() refuses what cannot be", async (account) => {
    await account.create("a");
    await account.create("b/x");
    await account.create("a/x");
    await refused("no-mailbox", account.rename("nobody", "c"));
    await refused("mailbox-exists", account.rename("a", "Sent"));
    await refused("mailbox-exists", account.rename("a", "INBOX"));
    await refused("mailbox-exists", account.rename("a", "a"));
    await refused("mailbox-exists", account.rename("a", "b"));
    await refused("not-permitted", account.rename("a", "a/b"));
    await refused("bad-name", account.rename("a", "c//d"));
    assert.deepEqual(namesOf(account), ["INBOX", "Sent", "a", "a/x", "b", "b/x"]);
  });

  test("Account.rename() of INBOX empties it into the new mailbox", async (account) => {
    await account.create("INBOX/child");
    await deliver(account, "INBOX", "one", { system: FLAG.seen, keywords: ["$x"] });
    await deliver(account, "INBOX", "two");
    const before = await account.status("INBOX");
    await account.rename("INBOX", "Old");
    assert.equal((await account.status("INBOX")).messages, 0);
    assert.equal((await account.status("INBOX")).uidNext, before.uidNext);
    assert.equal(account.info("INBOX/child")?.selectable, true);
    const old = await account.open("Old");
    assert.deepEqual(flagsOf(old), [[1, FLAG.seen, ["$x"]], [2, 0, []]]);
    old.close();
    await refused("mailbox-exists", account.rename("INBOX", "Old"));
  });

  test("Account.subscribe() has a bound, and so has a name", async (account) => {
    const free = MAX_SUBSCRIPTIONS - account.subscriptions().length;
    await Promise.all(Array.from({ length: free }, (_, n) => account.subscribe(`s${n}`)));
    await refused("too-many", account.subscribe("one more"));
    await account.subscribe("s7");
    await account.unsubscribe("s7");
    await account.subscribe("one more");
    await account.unsubscribe("one more");
    await refused("bad-name", account.subscribe("x".repeat(1001)));
    assert.equal(account.subscriptions().length, MAX_SUBSCRIPTIONS - 1);
  });

  test("Account.subscribe() keeps names apart from mailboxes", async (account) => {
    await account.create("a");
    await account.subscribe("a");
    await account.subscribe("no such");
    await account.subscribe("no such");
    await account.unsubscribe("Sent");
    assert.deepEqual(account.subscriptions(), ["INBOX", "a", "no such"]);
    assert.equal(account.info("a")?.subscribed, true);
    assert.equal(account.info("Sent")?.subscribed, false);
    await account.delete("a");
    assert.deepEqual(account.subscriptions(), ["INBOX", "a", "no such"]);
  });
}

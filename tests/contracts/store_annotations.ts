/** The store contract: annotations of mailboxes and of accounts. */

import * as assert from "node:assert/strict";
import {
  type Account,
  type AnnotationNews,
  MAX_ANNOTATION_OCTETS,
  MAX_ANNOTATIONS,
} from "../../src/store/store.ts";
import { deliver, refused, type StorePlace, type TestAccount } from "./store_actions.ts";

/** Sets annotations to texts, or removes them. */
function set(
  account: Account,
  mailbox: string,
  values: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const entries = new Map(
    Object.entries(values).map(([entry, value]) => [
      entry,
      value === undefined ? undefined : new TextEncoder().encode(value),
    ]),
  );
  return account.setAnnotations(mailbox, { entries });
}

/** All annotations as texts. */
async function all(account: Account, mailbox: string): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [entry, octets] of await account.annotations(mailbox)) {
    const value = await account.annotation(mailbox, entry);
    assert.equal(value?.length, octets);
    values[entry] = new TextDecoder("latin1").decode(value);
  }
  return values;
}

/** Registers the tests of annotations. */
export function testAnnotations(
  test: TestAccount,
  testPlace: (title: string, body: (place: StorePlace) => Promise<void>) => void,
): void {
  test("Account.setAnnotations() keeps octets, by names in any case", async (account) => {
    assert.equal((await account.annotations("INBOX")).size, 0);
    assert.equal(await account.annotation("INBOX", "/private/comment"), undefined);
    await set(account, "INBOX", { "/private/Comment": "one", "/shared/comment": "" });
    await set(account, "INBOX", { "/PRIVATE/COMMENT": "two\r\n" });
    assert.deepEqual(await all(account, "INBOX"), {
      "/private/Comment": "two\r\n",
      "/shared/comment": "",
    });
    const octets = new Uint8Array([0, 255, 13, 10, 0]);
    await account.setAnnotations("INBOX", { entries: new Map([["/private/x", octets]]) });
    assert.deepEqual(await account.annotation("INBOX", "/private/x"), octets);
    await set(account, "INBOX", { "/private/comment": undefined, "/private/none": undefined });
    assert.deepEqual(Object.keys(await all(account, "INBOX")), ["/private/x", "/shared/comment"]);
  });

  test("Account.annotations() of the account are none of a mailbox", async (account) => {
    await set(account, "", { "/private/vendor/x/y": "account" });
    await set(account, "INBOX", { "/private/vendor/x/y": "inbox" });
    assert.deepEqual(await all(account, ""), { "/private/vendor/x/y": "account" });
    assert.deepEqual(await all(account, "INBOX"), { "/private/vendor/x/y": "inbox" });
    await refused("no-mailbox", account.annotations("nowhere"));
    await refused("no-mailbox", account.annotation("nowhere", "/private/comment"));
    await refused("no-mailbox", set(account, "nowhere", { "/private/comment": "x" }));
  });

  test("Account.setAnnotations() does all or nothing", async (account) => {
    await set(account, "INBOX", { "/private/a": "a" });
    const long = "x".repeat(MAX_ANNOTATION_OCTETS);
    await set(account, "INBOX", { "/private/long": long });
    await refused(
      "too-big",
      set(account, "INBOX", { "/private/a": "b", "/private/b": `${long}x` }),
    );
    const names = Array.from({ length: MAX_ANNOTATIONS - 2 }, (_, i) => [`/private/${i}`, "x"]);
    await refused(
      "too-many",
      set(account, "INBOX", Object.fromEntries([...names, ["/private/b", "x"]])),
    );
    assert.deepEqual(await all(account, "INBOX"), { "/private/a": "a", "/private/long": long });
    await set(account, "INBOX", Object.fromEntries(names));
    await refused("too-many", set(account, "INBOX", { "/private/b": "x" }));
    await set(account, "INBOX", { "/private/0": "y", "/private/1": undefined, "/private/b": "x" });
    assert.equal((await account.annotations("INBOX")).size, MAX_ANNOTATIONS);
  });

  test("Account.setAnnotations() has a bound for all mailboxes together", async (account) => {
    const long = "x".repeat(MAX_ANNOTATION_OCTETS);
    const each = Object.fromEntries(
      Array.from({ length: 128 }, (_, i) => [`/private/${i}`, long]),
    );
    for (const name of ["INBOX", "Sent"]) await set(account, name, each);
    await refused("over-quota", set(account, "", { "/private/x": "x" }));
    await set(account, "INBOX", { "/private/0": undefined, "/private/x": "x" });
    await set(account, "", { "/private/x": "x" });
  });

  test("Account.rename() takes annotations along, delete() removes them", async (account) => {
    await account.create("a");
    await account.create("a/b");
    await set(account, "a", { "/private/comment": "of a" });
    await set(account, "a/b", { "/private/comment": "of b" });
    await account.rename("a", "z");
    assert.deepEqual(await all(account, "z"), { "/private/comment": "of a" });
    assert.deepEqual(await all(account, "z/b"), { "/private/comment": "of b" });
    await account.delete("z/b");
    await account.create("z/b");
    assert.deepEqual(await all(account, "z/b"), {});
    assert.deepEqual(await all(account, "z"), { "/private/comment": "of a" });
  });

  test("Account.rename() of INBOX copies its annotations", async (account) => {
    await set(account, "INBOX", { "/private/comment": "mine", "/shared/comment": "ours" });
    await deliver(account, "INBOX");
    await account.rename("INBOX", "Old");
    assert.deepEqual(await all(account, "Old"), await all(account, "INBOX"));
    assert.equal((await all(account, "Old"))["/shared/comment"], "ours");
  });

  test("Account.setAnnotations() sets special uses together with values", async (account) => {
    await account.create("a");
    assert.deepEqual(account.list().at(-1)?.specialUse, []);
    const entries = new Map([["/private/comment", new Uint8Array([65])]]);
    await account.setAnnotations("a", { entries, specialUse: ["\\Drafts", "\\Archive"] });
    assert.deepEqual(account.info("a")?.specialUse, ["\\Drafts", "\\Archive"]);
    assert.deepEqual(account.list().at(-1)?.specialUse, ["\\Drafts", "\\Archive"]);
    await set(account, "a", { "/private/comment": undefined });
    assert.deepEqual(account.info("a")?.specialUse, ["\\Drafts", "\\Archive"]);
    await account.setAnnotations("a", { entries: new Map(), specialUse: [] });
    assert.deepEqual(account.list().at(-1)?.specialUse, []);
  });

  test("Account.watchAnnotations() tells what was changed, and by whom", async (account) => {
    const heard: AnnotationNews[] = [];
    const end = account.watchAnnotations((news) => heard.push(news));
    const by = {};
    const changes = { entries: new Map([["/private/comment", undefined]]) };
    await account.setAnnotations("INBOX", changes, by);
    await refused("no-mailbox", account.setAnnotations("nowhere", changes, by));
    assert.deepEqual(heard, [{ mailbox: "INBOX", changes, by }]);
    end();
    await account.setAnnotations("INBOX", changes);
    assert.equal(heard.length, 1);
  });

  testPlace("Account.annotations() are there after a restart", async (place) => {
    const first = place.open();
    const account = await first.account("ann");
    await set(account, "", { "/private/vendor/x/y": "account" });
    await set(account, "Sent", { "/private/comment": "sent" });
    await account.setAnnotations("INBOX", { entries: new Map(), specialUse: ["\\Archive"] });
    await first.close();
    const second = place.open();
    const again = await second.account("ann");
    assert.deepEqual(await all(again, ""), { "/private/vendor/x/y": "account" });
    assert.deepEqual(await all(again, "Sent"), { "/private/comment": "sent" });
    assert.deepEqual(again.info("INBOX")?.specialUse, ["\\Archive"]);
    await second.close();
  });
}

/** The store contract: who watches a whole account. */

import * as assert from "node:assert/strict";
import { type Account, type AccountNews, FLAG } from "../../src/store/store.ts";
import { deliver, type TestAccount } from "./store_actions.ts";

/** Gathers what an account tells; `text` of one is `messages INBOX arrived`. */
class Watcher {
  readonly news: string[] = [];
  readonly end: () => void;
  #wake: () => void = () => {};

  constructor(account: Account, own?: object) {
    this.end = account.watch((news) => {
      this.news.push(textOf(news, own));
      this.#wake();
    });
  }

  /** Waits until all of `expected` was told, in this order; takes it away with all before. */
  async heard(...expected: readonly string[]): Promise<void> {
    for (const each of expected) {
      while (!this.news.includes(each)) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      this.news.splice(0, this.news.indexOf(each) + 1);
    }
  }
}

function textOf(news: AccountNews, own?: object): string {
  switch (news.kind) {
    case "messages":
      return `messages ${news.mailbox} ${[...news.changes].sort().join(" ")} ${news.arrived}`;
    case "renamed":
      return `renamed ${news.from} ${news.mailbox}`;
    case "unknown":
      return "unknown";
    default:
      return `${news.kind} ${news.mailbox}${own !== undefined && news.by === own ? " own" : ""}`;
  }
}

/** Registers the tests of watching. */
export function testWatching(test: TestAccount): void {
  test("Account.watch() tells of messages in mailboxes that nobody has open", async (account) => {
    await account.create("a");
    const watcher = new Watcher(account);
    await deliver(account, "a");
    await watcher.heard("messages a arrived 1");
    const open = await account.open("a");
    await open.store([1], { mode: "add", system: FLAG.deleted, keywords: [] });
    await watcher.heard("messages a flags 0");
    await open.copy([1], "INBOX");
    await watcher.heard("messages INBOX arrived 1");
    await open.expunge();
    await watcher.heard("messages a expunged 0");
    open.close();
    watcher.end();
  });

  test("Account.watch() tells what becomes of the list of mailboxes", async (account) => {
    const self = {};
    const watcher = new Watcher(account, self);
    await account.create("a");
    await account.create("a/b", [], self);
    await watcher.heard("created a", "created a/b own");
    await account.subscribe("a", self);
    await account.unsubscribe("a");
    await watcher.heard("subscription a own", "subscription a");
    await account.rename("a", "c");
    await watcher.heard("renamed a c");
    await account.delete("c/b");
    await watcher.heard("deleted c/b");
    watcher.end();
  });

  test("Account.watch() tells nothing to who has ended it, and goes on for others", async (account) => {
    const one = new Watcher(account);
    const two = new Watcher(account);
    one.end();
    one.end();
    await deliver(account, "INBOX");
    await two.heard("messages INBOX arrived 1");
    assert.deepEqual(one.news, []);
    two.end();
    await deliver(account, "INBOX");
    assert.deepEqual(two.news, []);
    const three = new Watcher(account);
    await deliver(account, "INBOX");
    await three.heard("messages INBOX arrived 1");
    three.end();
  });

  test("Account.watch() tells after the commit, and never inside the call", async (account) => {
    let inside = false;
    const counts: number[] = [];
    const end = account.watch((news) => {
      assert.equal(inside, false);
      if (news.kind === "created") counts.push(account.list().length);
    });
    const before = account.list().length;
    inside = true;
    const creating = account.create("x");
    inside = false;
    await creating;
    assert.deepEqual(counts, [before + 1]);
    end();
  });
}

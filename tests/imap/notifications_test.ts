import assert from "node:assert/strict";
import { Notifications, type TellingContext } from "../../src/imap/notifications.ts";
import { Session, type User } from "../../src/imap/session.ts";
import { memoryLog } from "../../src/log.ts";
import type { Account, AccountNews } from "../../src/store/store.ts";
import { notifyArgs } from "../../src/wire/notify_grammar.ts";
import { scan } from "../wire/scan.ts";

/** An account without mailboxes, which tells what the test says. */
class TellingAccount {
  readonly listeners = new Set<(news: AccountNews) => void>();
  readonly name = "ann";
  /** How often a mailbox was looked up. */
  looks = 0;

  watch(listener: (news: AccountNews) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(news: AccountNews): void {
    for (const listener of this.listeners) listener(news);
  }

  info(): undefined {
    this.looks++;
    return undefined;
  }

  subscriptions(): readonly string[] {
    return [];
  }
}

/** A session with `NOTIFY` in force, and what it is told. */
function notified(text: string) {
  const account = new TellingAccount();
  const user: User = { name: "ann", account: account as unknown as Account };
  const session = new Session("1", "127.0.0.1", true);
  session.enter({ name: "authenticated", user });
  const service = {} as TellingContext["service"];
  const notify = new Notifications(scan(notifyArgs, text).groups, session, user, service);
  session.notify = notify;
  const said: string[] = [];
  const out = {
    text: (line: string) => void said.push(line),
    bytes: () => {},
    full: false,
    flush: () => Promise.resolve(),
  };
  const dialogue = { assertOpen: () => {} } as TellingContext["dialogue"];
  const tell = () => notify.tell({ session, service, out, dialogue, log: memoryLog([]) }, false);
  return { account, session, notify, said, tell };
}

Deno.test("Notifications.tell: gathers names, each told once", async () => {
  const { account, session, notify, said, tell } = notified(" SET (personal (MailboxName))");
  let rung = 0;
  notify.onDue = () => rung++;
  assert.equal(notify.due, false);
  account.tell({ kind: "created", mailbox: "a/b" });
  account.tell({ kind: "created", mailbox: "a/c" });
  account.tell({ kind: "deleted", mailbox: "a/b" });
  account.tell({ kind: "created", mailbox: "mine", by: session });
  assert.equal(notify.due, true);
  assert.equal(rung, 1);
  await tell();
  assert.equal(notify.due, false);
  const attributes = "(\\NonExistent \\HasNoChildren)";
  assert.deepEqual(said, [
    `* LIST ${attributes} "/" a/b\r\n`,
    `* LIST ${attributes} "/" a\r\n`,
    `* LIST ${attributes} "/" a/c\r\n`,
  ]);
  session.notify = undefined;
});

Deno.test("Notifications.tell: gives up when too much waits", async () => {
  const { account, notify, said, tell } = notified(" SET (personal (MailboxName))");
  for (let i = 0; i <= 10_000; i++) account.tell({ kind: "created", mailbox: `m${i}` });
  await tell();
  assert.equal(said.length, 1);
  assert.match(said[0], /^\* OK \[NOTIFICATIONOVERFLOW\] /);
  assert.equal(account.listeners.size, 0);
  assert.equal(notify.due, false);
});

Deno.test("Notifications: lets go of the account when the session ends", () => {
  for (const name of ["logout", "not-authenticated"] as const) {
    const { account, session } = notified(" SET (subscribed (MessageNew MessageExpunge))");
    assert.equal(account.listeners.size, 1);
    session.enter({ name });
    assert.equal(account.listeners.size, 0);
    assert.equal(session.notify, undefined);
  }
});

Deno.test("Notifications: listens to no account for the selected mailbox alone, nor for NONE", () => {
  for (const text of [" NONE", " SET (selected (MessageNew MessageExpunge))"]) {
    assert.equal(notified(text).account.listeners.size, 0);
  }
});

Deno.test("Notifications: a change costs one look, however many groups there are", () => {
  const { account, notify } = notified(
    ` SET${" (subscribed (MessageNew MessageExpunge)) (subtree a (MailboxName))".repeat(600)}`,
  );
  account.tell({ kind: "messages", mailbox: "b", changes: new Set(["arrived"]), arrived: 1 });
  assert.equal(account.looks, 1);
  assert.equal(notify.wants("a/b/c", "MailboxName"), true);
  assert.equal(notify.wants("ab", "MailboxName"), false);
  assert.equal(notify.wants("a", "SubscriptionChange"), false);
  assert.equal(account.looks, 1);
});

/** What every store must do, whatever it keeps the mail in. */

import * as assert from "node:assert/strict";
import {
  type Account,
  FLAG,
  type FlagSet,
  type Mailbox,
  type NewMessage,
  type Store,
  StoreError,
  type StoreErrorCode,
} from "../../src/store/store.ts";

/** Where a store keeps its mail; outlives the stores opened on it, one at a time. */
export interface StorePlace {
  /** Opens a store whose accounts begin with INBOX, and with "Sent" as the `\Sent` mailbox. */
  open(): Store;
  remove(): Promise<void>;
}

const NO_FLAGS: FlagSet = { system: 0, keywords: [] };

/** A small message in wire form. */
export function text(subject: string, body = "Hello\r\n"): Uint8Array {
  return new TextEncoder().encode(
    `From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: ${subject}\r\n` +
      `Date: Fri, 1 Mar 2024 23:30:00 -0500\r\nMessage-ID: <${subject}@example.org>\r\n\r\n${body}`,
  );
}

/** Hands a message in, ready for `append`. */
export async function incoming(
  account: Account,
  mailbox: string,
  bytes: Uint8Array,
  more: Partial<NewMessage> = {},
): Promise<NewMessage> {
  const message = await account.receive(mailbox);
  await message.write(bytes);
  return { incoming: message, flags: NO_FLAGS, ...more };
}

/** Stores one message and returns its UID. */
export async function deliver(
  account: Account,
  mailbox: string,
  subject = "test",
  flags: FlagSet = NO_FLAGS,
): Promise<number> {
  const message = await incoming(account, mailbox, text(subject), { flags });
  return (await account.append(mailbox, [message])).uids[0];
}

/** The UIDs of a mailbox. */
export function uidsOf({ messages }: Mailbox): number[] {
  return [...messages.uids.subarray(0, messages.count)];
}

/** [uid, flags, keywords] of each message. */
export function flagsOf(mailbox: Mailbox): [number, number, string[]][] {
  const { messages } = mailbox;
  return uidsOf(mailbox).map((uid, at) => [
    uid,
    messages.flags[at],
    [...mailbox.keywordSet(messages.keywordSets[at])].sort(),
  ]);
}

/** The whole text of a message. */
export async function wholeText(mailbox: Mailbox, uid: number): Promise<string> {
  const message = await mailbox.read(uid);
  try {
    let all = "";
    for await (const piece of message.read(0, message.size)) {
      all += new TextDecoder("latin1").decode(piece);
    }
    return all;
  } finally {
    message.close();
  }
}

/** Asserts that something is refused with this code. */
export async function refused(code: StoreErrorCode, attempt: Promise<unknown>): Promise<void> {
  await assert.rejects(attempt, (error) => error instanceof StoreError && error.code === code);
}

/** Waits for the next change that `mailbox` tells of, if `done` does not hold yet. */
export async function until(mailbox: Mailbox, done: () => boolean): Promise<void> {
  while (!done()) {
    await new Promise<void>((resolve) => {
      const end = mailbox.watch(() => {
        end();
        resolve();
      });
    });
  }
}

/** Runs the suite on stores that `make` makes places for. */
export function storeContract(name: string, make: () => Promise<StorePlace>): void {
  function test(title: string, body: (place: StorePlace) => Promise<void>): void {
    Deno.test(`${title} (${name})`, async () => {
      const place = await make();
      try {
        await body(place);
      } finally {
        await place.remove();
      }
    });
  }

  /** A test of one account in one store. */
  function testAccount(
    title: string,
    body: (account: Account, store: Store) => Promise<void>,
  ): void {
    test(title, async (place) => {
      const store = place.open();
      try {
        await body(await store.account("ann"), store);
      } finally {
        await store.close();
      }
    });
  }

  testMailboxes(testAccount);
  testMessages(testAccount);
  testFlags(testAccount);
  testCopies(testAccount);
  testSessions(testAccount);
  testRestarts(test);
  testSizes(testAccount);
}

type TestAccount = (
  title: string,
  body: (account: Account, store: Store) => Promise<void>,
) => void;

function namesOf(account: Account): string[] {
  return account.list().map(({ name }) => name);
}

function testMailboxes(test: TestAccount): void {
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

function testMessages(test: TestAccount): void {
  test("Account.append() stores text, flags and date", async (account) => {
    const message = await account.receive("INBOX");
    const bytes = text("parts");
    for (const byte of bytes) await message.write(Uint8Array.of(byte));
    const flags = { system: FLAG.seen | FLAG.draft, keywords: ["$Work", "later"] };
    const date = { seconds: 1_000_000_000, zone: -330 };
    const appended = await account.append("INBOX", [{ incoming: message, flags, date }]);
    assert.deepEqual(appended.uids, [1]);
    const inbox = await account.open("INBOX");
    assert.equal(appended.uidValidity, inbox.uidValidity);
    assert.deepEqual(flagsOf(inbox), [[1, flags.system, ["$Work", "later"]]]);
    assert.deepEqual(inbox.keywords(), ["$Work", "later"]);
    assert.equal(inbox.messages.dates[0], date.seconds);
    assert.equal(inbox.messages.zones[0], date.zone);
    assert.equal(inbox.messages.sizes[0], bytes.length);
    assert.equal(await wholeText(inbox, 1), new TextDecoder().decode(bytes));
    inbox.close();
  });

  test("Account.append() of several gives them UIDs in order and one mod-sequence", async (account) => {
    const inbox = await account.open("INBOX");
    const messages = [];
    for (let i = 0; i < 40; i++) messages.push(await incoming(account, "INBOX", text(`m${i}`)));
    const { uids } = await account.append("INBOX", messages);
    assert.deepEqual(uids, Array.from({ length: 40 }, (_, i) => i + 1));
    assert.equal(new Set(inbox.messages.modseqs.subarray(0, 40)).size, 1);
    assert.equal(inbox.highestModseq, inbox.messages.modseqs[0]);
    for (const uid of uids) {
      assert.match(await wholeText(inbox, uid), new RegExp(`Subject: m${uid - 1}\r`));
    }
    inbox.close();
  });

  test("Account.append() stores all or none", async (account) => {
    const keywords = Array.from({ length: 1001 }, (_, i) => `k${i}`);
    const messages = [
      await incoming(account, "INBOX", text("one")),
      await incoming(account, "INBOX", text("two"), { flags: { system: 0, keywords } }),
    ];
    await refused("too-many", account.append("INBOX", messages));
    for (const { incoming } of messages) await incoming.abort();
    assert.equal((await account.status("INBOX")).messages, 0);
    assert.equal(await deliver(account, "INBOX"), 1);
  });

  test("Account.append() refuses a mailbox that is not there", async (account) => {
    await refused("no-mailbox", account.receive("nobody"));
    await account.create("a");
    const message = await incoming(account, "a", text("late"));
    await account.delete("a");
    await refused("no-mailbox", account.append("a", [message]));
    await message.incoming.abort();
  });

  test("IncomingMessage.abort() leaves no trace, before and after the append", async (account) => {
    const dropped = await incoming(account, "INBOX", text("dropped"));
    await dropped.incoming.abort();
    await dropped.incoming.abort();
    const kept = await incoming(account, "INBOX", text("kept"));
    await account.append("INBOX", [kept]);
    await kept.incoming.abort();
    const inbox = await account.open("INBOX");
    await inbox.refresh();
    assert.deepEqual(uidsOf(inbox), [1]);
    assert.match(await wholeText(inbox, 1), /Subject: kept/);
    inbox.close();
  });

  test("Account.append() takes a large message and reads it in ranges", async (account) => {
    const line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n";
    const message = await account.receive("INBOX");
    const head = text("large", "");
    await message.write(head);
    const chunk = new TextEncoder().encode(line.repeat(1024));
    for (let i = 0; i < 64; i++) await message.write(chunk);
    await account.append("INBOX", [{ incoming: message, flags: NO_FLAGS }]);
    const inbox = await account.open("INBOX");
    const size = head.length + 64 * chunk.length;
    assert.equal(inbox.messages.sizes[0], size);
    const stored = await inbox.read(1);
    assert.equal(stored.size, size);
    const start = head.length + 63 * 1000 + 10;
    let got = "";
    for await (const piece of stored.read(start, start + 20)) {
      got += new TextDecoder().decode(piece);
    }
    assert.equal(got, line.repeat(1100).slice(63 * 1000 + 10, 63 * 1000 + 30));
    stored.close();
    inbox.close();
  });

  test("Mailbox.cached() gives items as they go over the wire", async (account) => {
    for (const subject of ["one", "two", "three"]) await deliver(account, "INBOX", subject);
    const inbox = await account.open("INBOX");
    await inbox.prepare([1, 2, 3]);
    const rows = await inbox.cached(["envelope", "bodystructure", "header", "sentDay"], 2, 9);
    assert.deepEqual(rows.map(({ uid }) => uid), [2, 3]);
    assert.match(rows[0].envelope, /^\("Fri, 1 Mar 2024 23:30:00 -0500" "two" \(\("Ann" NIL "ann"/);
    assert.match(rows[0].bodystructure, /^\("text" "plain"/i);
    assert.match(rows[0].header, /Subject: two\r\n/);
    assert.equal(rows[0].sentDay, Date.UTC(2024, 2, 1) / 86_400_000);
    assert.ok(!("parts" in rows[0]));
    const [{ parts }] = await inbox.cached(["parts"], 1, 1);
    assert.ok(JSON.parse(parts));
    inbox.close();
  });

  test("Mailbox.cached() keeps bytes above 127 and NUL", async (account) => {
    const head = "Subject: \xe9\xff \0 x\r\n";
    const bytes = Uint8Array.from(`${head}\r\nbody\r\n`, (char) => char.charCodeAt(0));
    await account.append("INBOX", [await incoming(account, "INBOX", bytes)]);
    const inbox = await account.open("INBOX");
    const [{ header }] = await inbox.cached(["header"], 1, 1);
    assert.equal(header, head);
    inbox.close();
  });

  test("Mailbox.read() refuses a message that is gone", async (account) => {
    const uid = await deliver(account, "INBOX");
    const inbox = await account.open("INBOX");
    await inbox.store([uid], { mode: "add", system: FLAG.deleted, keywords: [] });
    await inbox.expunge();
    await refused("message-gone", inbox.read(uid));
    await refused("message-gone", inbox.read(99));
    inbox.close();
  });

  test("Mailbox.expunge() removes only what is \\Deleted, and of that only what is named", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 6; i++) {
      await deliver(account, "INBOX", "x", { system: i % 2 ? FLAG.deleted : 0, keywords: [] });
    }
    const before = inbox.messages.uids;
    const { generation } = inbox.messages;
    const first = await inbox.expunge([1, 2, 99]);
    assert.deepEqual(first.uids, [2]);
    assert.equal(first.modseq, inbox.highestModseq);
    assert.deepEqual(uidsOf(inbox), [1, 3, 4, 5, 6]);
    assert.deepEqual([...before.subarray(0, 6)], [1, 2, 3, 4, 5, 6]);
    assert.ok(inbox.messages.generation > generation);
    assert.deepEqual((await inbox.expunge()).uids, [4, 6]);
    const { highestModseq } = inbox;
    assert.deepEqual((await inbox.expunge()).uids, []);
    assert.equal(inbox.highestModseq, highestModseq);
    assert.equal(await deliver(account, "INBOX"), 7);
    inbox.close();
  });

  test("Account.status() counts", async (account) => {
    await deliver(account, "INBOX", "a", { system: FLAG.seen | FLAG.deleted, keywords: [] });
    await deliver(account, "INBOX", "b");
    const size = text("a").length + text("b").length;
    const closed = await account.status("INBOX");
    const inbox = await account.open("INBOX");
    assert.deepEqual(await account.status("INBOX"), closed);
    const { uidValidity, highestModseq } = inbox;
    assert.deepEqual(closed, {
      messages: 2,
      recent: 2,
      unseen: 1,
      deleted: 1,
      size,
      uidNext: 3,
      uidValidity,
      highestModseq,
    });
    inbox.close();
  });
}

function testFlags(test: TestAccount): void {
  test("Mailbox.store() replaces, adds and removes", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    await inbox.store([1, 2], { mode: "add", system: FLAG.seen, keywords: ["a", "b"] });
    await inbox.store([2, 3], { mode: "add", system: FLAG.flagged, keywords: ["c"] });
    await inbox.store([1, 2, 3], { mode: "remove", system: FLAG.seen, keywords: ["a"] });
    await inbox.store([3], { mode: "replace", system: FLAG.draft, keywords: ["d"] });
    assert.deepEqual(flagsOf(inbox), [
      [1, 0, ["b"]],
      [2, FLAG.flagged, ["b", "c"]],
      [3, FLAG.draft, ["d"]],
    ]);
    assert.deepEqual(inbox.keywords(), ["a", "b", "c", "d"]);
    assert.deepEqual([(await account.status("INBOX")).unseen, inbox.messages.count], [3, 3]);
    await inbox.store([2, 1, 2, 77], { mode: "replace", system: 0, keywords: [] });
    assert.deepEqual(flagsOf(inbox).slice(0, 2), [[1, 0, []], [2, 0, []]]);
    inbox.close();
  });

  test("Mailbox.store() gives one mod-sequence to what changed and none to the rest", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    const before = [...inbox.messages.modseqs.subarray(0, 3)];
    const { highestModseq } = inbox;
    await inbox.store([2], { mode: "add", system: FLAG.seen, keywords: [] });
    const stored = await inbox.store([2, 3], { mode: "add", system: FLAG.seen, keywords: [] });
    assert.equal(stored.modseq, highestModseq + 2);
    assert.equal(inbox.highestModseq, highestModseq + 2);
    assert.deepEqual(
      [...inbox.messages.modseqs.subarray(0, 3)],
      [before[0], highestModseq + 1, highestModseq + 2],
    );
    const nothing = await inbox.store([2, 3], { mode: "add", system: FLAG.seen, keywords: [] });
    assert.deepEqual(nothing, { modseq: 0, modified: [] });
    assert.equal(inbox.highestModseq, highestModseq + 2);
    inbox.close();
  });

  test("Mailbox.store() leaves alone what changed after unchangedSince", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    const since = inbox.highestModseq;
    await inbox.store([2], { mode: "add", system: FLAG.seen, keywords: [] });
    const change = { mode: "add", system: FLAG.flagged, keywords: [] } as const;
    const stored = await inbox.store([1, 2, 3], change, since);
    assert.deepEqual(stored.modified, [2]);
    assert.ok(stored.modseq > since);
    assert.deepEqual(flagsOf(inbox).map(([, flags]) => flags), [
      FLAG.flagged,
      FLAG.seen,
      FLAG.flagged,
    ]);
    assert.deepEqual(await inbox.store([1, 3], change, 0), { modseq: 0, modified: [1, 3] });
    inbox.close();
  });

  test("Mailbox.store() bounds the keywords of a mailbox, and forgets unused ones", async (account) => {
    const inbox = await account.open("INBOX");
    await deliver(account, "INBOX");
    const words = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    await inbox.store([1], { mode: "add", system: 0, keywords: words });
    const one = { mode: "add", system: FLAG.seen, keywords: ["more"] } as const;
    await refused("too-many", inbox.store([1], one));
    assert.deepEqual(flagsOf(inbox)[0].slice(0, 2), [1, 0]);
    assert.equal(inbox.keywordSet(inbox.messages.keywordSets[0]).length, 1000);
    await inbox.store([1], { mode: "remove", system: 0, keywords: words.slice(500) });
    await inbox.store([1], one);
    assert.equal(inbox.keywords().length, 501);
    inbox.close();
  });

  test("Mailbox.store() matches keywords whatever their case", async (account) => {
    const inbox = await account.open("INBOX");
    await deliver(account, "INBOX");
    await inbox.store([1], { mode: "add", system: 0, keywords: ["$Junk", "$JUNK"] });
    await inbox.store([1], { mode: "add", system: 0, keywords: ["$junk"] });
    assert.deepEqual(flagsOf(inbox), [[1, 0, ["$Junk"]]]);
    await inbox.store([1], { mode: "remove", system: 0, keywords: ["$jUNK"] });
    assert.deepEqual(flagsOf(inbox), [[1, 0, []]]);
    inbox.close();
  });
}

function testCopies(test: TestAccount): void {
  test("Mailbox.copy() keeps flags, keywords, dates and items, in source order", async (account) => {
    await account.create("to");
    await deliver(account, "to", "first");
    const date = { seconds: 1_234_567_890, zone: 60 };
    const flags = { system: FLAG.answered, keywords: ["$a"] };
    for (let i = 0; i < 4; i++) {
      const message = await incoming(account, "INBOX", text(`m${i}`), { flags, date });
      await account.append("INBOX", [message]);
    }
    const inbox = await account.open("INBOX");
    const copied = await inbox.copy([4, 1, 99, 2], "to");
    const to = await account.open("to");
    assert.deepEqual(copied, {
      uidValidity: to.uidValidity,
      source: [1, 2, 4],
      destination: [2, 3, 4],
    });
    assert.deepEqual(flagsOf(to).slice(1), [2, 3, 4].map((uid) => [uid, FLAG.answered, ["$a"]]));
    assert.equal(to.messages.dates[3], date.seconds);
    assert.equal(to.messages.zones[3], date.zone);
    assert.match(await wholeText(to, 4), /Subject: m3/);
    const items = await to.cached(["envelope"], 2, 4);
    assert.deepEqual(items.map(({ envelope }) => /"(m\d)"/.exec(envelope)?.[1]), [
      "m0",
      "m1",
      "m3",
    ]);
    assert.deepEqual(uidsOf(inbox), [1, 2, 3, 4]);
    assert.equal(to.keywords().includes("$a"), true);
    inbox.close();
    to.close();
  });

  test("Mailbox.copy() onto itself, of nothing, and to nowhere", async (account) => {
    await deliver(account, "INBOX", "one");
    const inbox = await account.open("INBOX");
    const { source, destination } = await inbox.copy([1], "INBOX");
    assert.deepEqual([source, destination], [[1], [2]]);
    assert.match(await wholeText(inbox, 2), /Subject: one/);
    const { highestModseq } = inbox;
    assert.deepEqual((await inbox.copy([7, 8], "Sent")).source, []);
    assert.equal(inbox.highestModseq, highestModseq);
    await refused("no-mailbox", inbox.copy([1], "nobody"));
    inbox.close();
  });

  test("Mailbox.move() copies and expunges in one step", async (account) => {
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX", `m${i}`);
    const inbox = await account.open("INBOX");
    const sent = await account.open("Sent");
    const { highestModseq } = inbox;
    const moved = await inbox.move([1, 3], "Sent");
    assert.deepEqual(moved, {
      uidValidity: sent.uidValidity,
      source: [1, 3],
      destination: [1, 2],
      modseq: highestModseq + 1,
    });
    assert.deepEqual(uidsOf(inbox), [2]);
    assert.deepEqual(uidsOf(sent), [1, 2]);
    await inbox.refresh();
    await sent.refresh();
    assert.deepEqual([uidsOf(inbox), uidsOf(sent)], [[2], [1, 2]]);
    assert.match(await wholeText(sent, 2), /Subject: m2/);
    await refused("no-mailbox", inbox.move([2], "nobody"));
    assert.deepEqual(uidsOf(inbox), [2]);
    const itself = await inbox.move([2], "INBOX");
    assert.deepEqual([itself.destination, uidsOf(inbox)], [[4], [4]]);
    inbox.close();
    sent.close();
  });
}

function testSessions(test: TestAccount): void {
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
    await refused(
      "no-mailbox",
      two.store([1], { mode: "add", system: 1, keywords: [] }).then(() => {
        throw new StoreError("no-mailbox", "nothing to store is fine too");
      }),
    );
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

function testRestarts(test: (title: string, body: (place: StorePlace) => Promise<void>) => void) {
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

function testSizes(test: TestAccount): void {
  test("Account holds many mailboxes", async (account) => {
    const names = Array.from({ length: 1000 }, (_, i) => `m${i % 10}/n${i}`);
    await Promise.all(names.map((name) => account.create(name)));
    assert.equal(account.list().length, 1000 + 10 + 2);
    assert.equal(account.list(), account.list());
    await deliver(account, "m2/n142");
    assert.equal((await account.status("m2/n142")).messages, 1);
  });

  test("Mailbox holds 20,000 messages", async (account) => {
    await account.create("to");
    for (let at = 0; at < 20_000; at += 500) {
      const messages = [];
      for (let i = 0; i < 500; i++) {
        messages.push(await incoming(account, "INBOX", text(`m${at + i}`)));
      }
      await account.append("INBOX", messages);
    }
    const inbox = await account.open("INBOX");
    const uids = uidsOf(inbox);
    assert.equal(uids.length, 20_000);
    const stored = await inbox.store(uids, { mode: "add", system: FLAG.seen, keywords: ["all"] });
    assert.equal(stored.modseq, inbox.highestModseq);
    const third = uids.filter((uid) => uid % 3 === 0);
    await inbox.store(third, { mode: "add", system: FLAG.deleted, keywords: ["third"] });
    const copied = await inbox.copy(uids.slice(0, 5000), "to");
    assert.deepEqual(copied.destination, uids.slice(0, 5000));
    assert.deepEqual((await inbox.expunge()).uids, third);
    const moved = await inbox.move(uids.slice(0, 6000), "to");
    assert.equal(moved.source.length, 4000);
    const { messages, unseen, deleted } = await account.status("INBOX");
    assert.deepEqual([messages, unseen, deleted], [20_000 - third.length - 4000, 0, 0]);
    const to = await account.open("to");
    assert.equal(to.messages.count, 9000);
    assert.match(await wholeText(to, 9000), /Subject: m5998\r/);
    assert.deepEqual(flagsOf(to)[8999], [9000, FLAG.seen, ["all"]]);
    inbox.close();
    to.close();
  });
}

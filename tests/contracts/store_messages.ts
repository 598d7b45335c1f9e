/** The store contract: messages, flags and copies. */

import * as assert from "node:assert/strict";
import { FLAG, TooMuchAtOnce } from "../../src/store/store.ts";
import {
  deliver,
  flagsOf,
  incoming,
  NO_FLAGS,
  refused,
  type TestAccount,
  text,
  uidsOf,
  wholeText,
} from "./store_actions.ts";

/** Registers the tests of single messages. */
export function testMessages(test: TestAccount): void {
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

  test("IncomingMessage.rest() keeps what was written", async (account) => {
    const message = await incoming(account, "INBOX", text("rested"));
    await message.incoming.rest();
    await message.incoming.rest();
    const { uids } = await account.append("INBOX", [message]);
    const inbox = await account.open("INBOX");
    assert.equal(await wholeText(inbox, uids[0]), new TextDecoder().decode(text("rested")));
    inbox.close();
    const dropped = await incoming(account, "INBOX", text("dropped"));
    await dropped.incoming.rest();
    await dropped.incoming.abort();
    assert.equal((await account.status("INBOX")).messages, 1);
  });

  test("Mailbox.replace() stores one message and expunges another", async (account) => {
    await account.create("a");
    for (const name of ["one", "two"]) await deliver(account, "INBOX", name);
    const inbox = await account.open("INBOX");
    const three = await incoming(account, "INBOX", text("three"));
    assert.deepEqual((await inbox.replace(1, "INBOX", three)).uids, [3]);
    assert.deepEqual(uidsOf(inbox), [2, 3]);
    assert.equal(inbox.messages.modseqs[1], inbox.highestModseq);
    const before = inbox.highestModseq;
    const four = await incoming(account, "a", text("four"));
    assert.deepEqual((await inbox.replace(3, "a", four)).uids, [1]);
    assert.deepEqual(uidsOf(inbox), [2]);
    assert.equal(inbox.highestModseq, before + 1);
    inbox.close();
    assert.equal((await account.status("a")).messages, 1);
  });

  test("Mailbox.replace() does both or neither", async (account) => {
    await deliver(account, "INBOX");
    const inbox = await account.open("INBOX");
    const keywords = Array.from({ length: 1001 }, (_, i) => `k${i}`);
    const tooMany = await incoming(account, "INBOX", text("x"), { flags: { system: 0, keywords } });
    await refused("too-many", inbox.replace(1, "INBOX", tooMany));
    const gone = await incoming(account, "INBOX", text("y"));
    await refused("message-gone", inbox.replace(7, "INBOX", gone));
    await account.create("a");
    const late = await incoming(account, "a", text("z"));
    await account.delete("a");
    await refused("no-mailbox", inbox.replace(1, "a", late));
    for (const { incoming } of [tooMany, gone, late]) await incoming.abort();
    assert.deepEqual(uidsOf(inbox), [1]);
    assert.equal(await deliver(account, "INBOX"), 2);
    inbox.close();
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

  test("Mailbox.withHeader() looks through few long texts at once", async (account) => {
    const long = "x".repeat(200_000);
    const subjects = ["short", ...["a", "b", "c", "d", "e", "f"].map((end) => long + end)];
    for (const subject of subjects) await deliver(account, "INBOX", subject);
    const inbox = await account.open("INBOX");
    await inbox.prepare(uidsOf(inbox));
    await assert.rejects(inbox.withHeader("subject", "short", 1, 7), TooMuchAtOnce);
    assert.deepEqual(await inbox.withHeader("subject", "short", 1, 3), [1]);
    assert.deepEqual(await inbox.withHeader("subject", "xb", 1, 3), [3]);
    assert.deepEqual(await inbox.withHeader("subject", "xf", 7, 7), [7]);
    assert.deepEqual(await inbox.withHeader("from", "ann", 1, 7), [1, 2, 3, 4, 5, 6, 7]);
    inbox.close();
  });

  test("Mailbox.withHeader() finds folded, decoded text", async (account) => {
    const add = async (head: string) => {
      const bytes = Uint8Array.from(`${head}\r\n\r\nsugar\r\n`, (char) => char.charCodeAt(0));
      await account.append("INBOX", [await incoming(account, "INBOX", bytes)]);
    };
    await add("Subject: =?utf-8?Q?Caf=C3=A9?=\r\n au\r\n lait\r\nFrom: Ann <ann@example.org>");
    await add("To: bob@example.org, sugar@example.org\r\nSubject: 100% \0 _raw");
    await add("Subject:\r\nSubject: second SUGAR");
    const inbox = await account.open("INBOX");
    assert.deepEqual(await inbox.withHeader("subject", "cafe", 1, 9), [1]);
    assert.deepEqual(await inbox.withHeader("subject", "au lait", 1, 9), [1]);
    assert.deepEqual(await inbox.withHeader("from", "@example.org", 1, 9), [1]);
    assert.deepEqual(await inbox.withHeader("to", "sugar", 1, 9), [2]);
    assert.deepEqual(await inbox.withHeader("subject", "sugar", 1, 9), [3]);
    assert.deepEqual(await inbox.withHeader("subject", "_raw", 1, 9), [2]);
    assert.deepEqual(await inbox.withHeader("subject", "%", 1, 9), [2]);
    assert.deepEqual(await inbox.withHeader("subject", "", 1, 9), [1, 2, 3]);
    assert.deepEqual(await inbox.withHeader("subject", "", 2, 2), [2]);
    assert.deepEqual(await inbox.withHeader("cc", "", 1, 9), []);
    await account.create("to");
    await inbox.copy([1, 3], "to");
    const to = await account.open("to");
    assert.deepEqual(await to.withHeader("subject", "cafe", 1, 9), [1]);
    await inbox.store([1], { mode: "add", system: FLAG.deleted, keywords: [] });
    await inbox.expunge([1]);
    assert.deepEqual(await inbox.withHeader("subject", "", 1, 9), [2, 3]);
    inbox.close();
    to.close();
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

  test("Mailbox.sortKeys() gives what SORT and THREAD compare", async (account) => {
    for (const subject of ["one", "two", "one"]) await deliver(account, "INBOX", subject);
    await account.create("to");
    const inbox = await account.open("INBOX");
    await inbox.copy([2, 3], "to");
    assert.deepEqual(await inbox.sortKeys(["subject", "sent", "messageId"], 2, 9), [
      { uid: 2, subject: "TWO", sent: 1_709_353_800, messageId: "two@example.org" },
      { uid: 3, subject: "ONE", sent: 1_709_353_800, messageId: "one@example.org" },
    ]);
    await inbox.store([2], { mode: "add", system: FLAG.deleted, keywords: [] });
    await inbox.expunge();
    assert.deepEqual(await inbox.sortKeys(["from"], 1, 9), [
      { uid: 1, from: "ANN" },
      { uid: 3, from: "ANN" },
    ]);
    inbox.close();
    const to = await account.open("to");
    assert.deepEqual(await to.sortKeys(["subject"], 1, 2), [
      { uid: 1, subject: "TWO" },
      { uid: 2, subject: "ONE" },
    ]);
    to.close();
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
    const { uidValidity, highestModseq, mailboxId } = inbox;
    assert.deepEqual(closed, {
      messages: 2,
      recent: 2,
      unseen: 1,
      deleted: 1,
      deletedSize: text("a").length,
      size,
      uidNext: 3,
      uidValidity,
      mailboxId,
      highestModseq,
    });
    inbox.close();
  });
}

/** Registers the tests of flags. */
export function testFlags(test: TestAccount): void {
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
    assert.deepEqual(nothing, { modseq: 0, modified: [], overtaken: [] });
    assert.equal(inbox.highestModseq, highestModseq + 2);
    inbox.close();
  });

  test("Mailbox.store() leaves alone what changed after unchangedSince", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    const since = inbox.highestModseq;
    await inbox.store([2], { mode: "add", system: FLAG.seen, keywords: [] });
    const change = { mode: "add", system: FLAG.flagged, keywords: [] } as const;
    const stored = await inbox.store([1, 2, 3], change, { unchangedSince: since });
    assert.deepEqual(stored.modified, [2]);
    assert.ok(stored.modseq > since);
    assert.deepEqual(flagsOf(inbox).map(([, flags]) => flags), [
      FLAG.flagged,
      FLAG.seen,
      FLAG.flagged,
    ]);
    assert.deepEqual(
      await inbox.store([1, 3], change, { unchangedSince: 0 }),
      { modseq: 0, modified: [1, 3], overtaken: [] },
    );
    inbox.close();
  });

  test("Mailbox.store() names the messages that others changed first", async (account) => {
    const inbox = await account.open("INBOX");
    for (let i = 0; i < 3; i++) await deliver(account, "INBOX");
    const told = inbox.highestModseq;
    await inbox.store([2], { mode: "add", system: FLAG.seen, keywords: [] });
    const change = { mode: "add", system: FLAG.flagged, keywords: [] } as const;
    const stored = await inbox.store([1, 2, 3], change, { told });
    assert.deepEqual(stored.overtaken, [2]);
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

/** Registers the tests of COPY and MOVE. */
export function testCopies(test: TestAccount): void {
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

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CatchUpTurns } from "../../src/store/maildir/catch_up.ts";
import type { Account, CachedItems, Mailbox } from "../../src/store/store.ts";
import { until } from "../until.ts";
import { MaildirFixture } from "./maildir_fixture.ts";
import { makeOlderIndex, OLDER_ARRIVAL, OLDER_DATE } from "./older_index.ts";

function message(subject: string, more = ""): string {
  return `Subject: ${subject}\r\nMessage-ID: <${subject}@x>\r\n${more}\r\nText of ${subject}\r\n`;
}

const ITEMS = ["emailId", "threadId", "preview", "saved"] as const;

async function items(
  mailbox: Mailbox,
  uid: number,
): Promise<Pick<CachedItems, typeof ITEMS[number]>> {
  await mailbox.prepare([uid], ITEMS);
  const [row] = await mailbox.cached(ITEMS, uid, uid);
  return row;
}

function versionOf(fixture: MaildirFixture): unknown {
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  try {
    return database.prepare("SELECT value FROM meta WHERE name = 'data_version'").get()?.value;
  } finally {
    database.close();
  }
}

function told(fixture: MaildirFixture): string[] {
  return fixture.log.lines.map(({ event }) => event).filter((event) =>
    /older messages/.test(event)
  );
}

async function caughtUp(fixture: MaildirFixture): Promise<void> {
  await until(() => told(fixture).at(-1)?.endsWith("all made") ?? false, "all data");
}

Deno.test("Store.account() brings an index of the first version up to date", async () => {
  await using fixture = await MaildirFixture.make();
  makeOlderIndex(fixture, [{ name: "INBOX", folder: "", messages: [message("a b c")] }]);
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(await inbox.withHeader("subject", "b c", 1, 1), [1]);
  assert.deepEqual((await inbox.sortKeys(["subject"], 1, 9))[0].subject, "A B C");
  assert.deepEqual(await inbox.cached(["sentDay"], 1, 1).then((rows) => rows.length), 1);
  inbox.close();
});

Deno.test("CatchUp makes data of all messages of an older index, and says so", async () => {
  await using fixture = await MaildirFixture.make();
  makeOlderIndex(fixture, [
    { name: "INBOX", folder: "", messages: [message("a"), message("b")] },
    { name: "Sent", folder: ".Sent", messages: [message("a", "In-Reply-To: <z@x>\r\n")] },
  ]);
  await (await fixture.open()).account("ann");
  await caughtUp(fixture);
  await fixture.close();
  assert.equal(versionOf(fixture), 1);
  assert.deepEqual(told(fixture), [
    "making data of older messages",
    "data of older messages: all made",
  ]);
  const database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  const previews = database.prepare("SELECT preview FROM previews ORDER BY id").all();
  assert.deepEqual(previews.map(({ preview }) => preview), ["Text of a", "Text of b", "Text of a"]);
  database.close();
  // There is nothing left to do at the next start.
  fixture.log.lines.length = 0;
  await (await fixture.open()).account("ann");
  await fixture.close();
  assert.deepEqual(told(fixture), []);
});

/** A store whose turn to catch up never comes. */
function openWithoutTurn(fixture: MaildirFixture): Promise<Account> {
  const turns = new CatchUpTurns();
  void turns.ask(() => new Promise(() => {}));
  return fixture.open({ catchUpTurns: turns }).then((store) => store.account("ann"));
}

Deno.test("Mailbox.prepare() makes data of older messages when they are asked for", async () => {
  await using fixture = await MaildirFixture.make();
  makeOlderIndex(fixture, [
    { name: "INBOX", folder: "", messages: [message("a"), message("b"), message("c")] },
  ]);
  const account = await openWithoutTurn(fixture);
  const inbox = await account.open("INBOX");
  const unknown = await inbox.cached(["preview"], 1, 3);
  assert.deepEqual(unknown.map(({ uid, preview }) => [uid, preview]), [[1, null], [2, null], [
    3,
    null,
  ]]);
  const { emailId, threadId, ...row } = await items(inbox, 2);
  assert.deepEqual({ ...row }, { uid: 2, preview: "Text of b", saved: OLDER_ARRIVAL + 2 });
  assert.ok(emailId.endsWith(`-${(OLDER_DATE + 2).toString(16)}`));
  assert.match(threadId, /^t[0-9a-f]{16}$/);
  assert.deepEqual(await inbox.cached(["emailId"], 1, 3).then((rows) => rows.map((r) => r.uid)), [
    2,
  ]);
  inbox.close();
});

Deno.test("CatchUp goes on at the next start, and keeps what was made", async () => {
  await using fixture = await MaildirFixture.make();
  const messages = Array.from({ length: 60 }, (_, i) => message(`m${i}`));
  makeOlderIndex(fixture, [{ name: "INBOX", folder: "", messages }]);
  const account = await openWithoutTurn(fixture);
  const inbox = await account.open("INBOX");
  const before = await items(inbox, 30);
  inbox.close();
  await fixture.close();
  assert.equal(versionOf(fixture), undefined);
  const again = await (await fixture.open()).account("ann");
  await caughtUp(fixture);
  const opened = await again.open("INBOX");
  assert.deepEqual(await items(opened, 30), before);
  assert.equal((await opened.cached(["emailId"], 1, 60)).length, 60);
  opened.close();
});

Deno.test("CatchUp ends when its account is closed, and goes on", async () => {
  await using fixture = await MaildirFixture.make();
  const messages = Array.from({ length: 300 }, (_, i) => message(`m${i}`));
  makeOlderIndex(fixture, [{ name: "INBOX", folder: "", messages }]);
  await (await fixture.open()).account("ann");
  await until(() => told(fixture).length > 0, "the first messages");
  await fixture.close();
  const account = await (await fixture.open()).account("ann");
  await until(() => told(fixture).at(-1)?.endsWith("all made") ?? false, "all data");
  const inbox = await account.open("INBOX");
  assert.equal((await inbox.cached(["emailId"], 1, 300)).length, 300);
  inbox.close();
});

Deno.test("CatchUp finds messages that were moved while it had no turn", async () => {
  await using fixture = await MaildirFixture.make();
  makeOlderIndex(fixture, [
    { name: "INBOX", folder: "", messages: [message("a"), message("b")] },
    { name: "Old", folder: ".Old", messages: [] },
  ]);
  const account = await openWithoutTurn(fixture);
  const inbox = await account.open("INBOX");
  await inbox.move([1], "Old");
  inbox.close();
  const old = await account.open("Old");
  assert.equal((await items(old, 1)).preview, "Text of a");
  old.close();
});

Deno.test("CatchUp is not held up by a message that is gone or cannot be read", async () => {
  await using fixture = await MaildirFixture.make();
  makeOlderIndex(fixture, [
    { name: "INBOX", folder: "", messages: [message("a"), message("b"), message("c")] },
  ]);
  const path = (uid: number) => `${fixture.root}/cur/${OLDER_ARRIVAL + uid}.M1.host:2,`;
  Deno.removeSync(path(1));
  Deno.removeSync(path(2));
  Deno.mkdirSync(path(2));
  await (await fixture.open()).account("ann");
  await caughtUp(fixture);
});

Deno.test("CatchUpTurns.ask() gives one turn after the other, and takes back what waits", async () => {
  const turns = new CatchUpTurns();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  turns.ask(() => {
    order.push("first");
    return first.promise;
  });
  const withdraw = turns.ask(() => {
    order.push("second");
    return Promise.resolve();
  });
  const third = Promise.withResolvers<void>();
  turns.ask(() => {
    order.push("third");
    third.resolve();
    return Promise.resolve();
  });
  withdraw();
  first.resolve();
  await third.promise;
  assert.deepEqual(order, ["first", "third"]);
});

Deno.test("An index made anew gives messages the identifiers that they had", async () => {
  await using fixture = await MaildirFixture.make();
  const answer = message("Re: a", "References: <a@x> <lost@x>\r\n");
  makeOlderIndex(fixture, [
    { name: "INBOX", folder: "", messages: [message("a"), answer] },
    { name: "Sent", folder: ".Sent", messages: [answer] },
  ]);
  const found: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const account = await (await fixture.open()).account("ann");
    for (const name of ["Sent", "INBOX"]) {
      const mailbox = await account.open(name);
      for (const uid of mailbox.messages.uids.subarray(0, mailbox.messages.count)) {
        found.push({ ...await items(mailbox, uid) });
      }
      mailbox.close();
    }
    await fixture.close();
    Deno.removeSync(`${fixture.root}/imapd.sqlite`);
  }
  assert.equal(found.length, 6);
  assert.deepEqual(found.slice(3), found.slice(0, 3));
  assert.equal(new Set(found.map((row) => (row as CachedItems).threadId)).size, 1);
});

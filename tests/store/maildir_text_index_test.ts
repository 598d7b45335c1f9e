import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { foldCase } from "../../src/message/search_text.ts";
import { substringQuery, type TokenQuery } from "../../src/message/trigrams.ts";
import { FLAG, type Mailbox } from "../../src/store/store.ts";
import type { AccountContext } from "../../src/store/maildir/account_context.ts";
import { Background } from "../../src/store/maildir/background.ts";
import type { Documents } from "../../src/store/maildir/documents.ts";
import { SearchService } from "../../src/store/maildir/search_service.ts";
import { TextIndex } from "../../src/store/maildir/text_index.ts";
import { uidsOf } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";
import { until } from "../until.ts";
import { appendAll, indexed, TextIndexFixture } from "./text_index_fixture.ts";

function query(needle: string): TokenQuery {
  const found = substringQuery(foldCase(needle));
  ok(found);
  return found;
}

function narrowed(mailbox: Mailbox, needle: string): Promise<readonly number[]> {
  return mailbox.narrow(uidsOf(mailbox), query(needle));
}

/** Texts of messages 1 to 12, of which every third has "needle". */
const TWELVE = Array.from(
  { length: 12 },
  (_, i) => `message ${i % 3 === 0 ? "needle" : "hay"}\r\n`,
);

Deno.test("Mailbox.narrow leaves out what is indexed and has not what is asked for", async () => {
  await using fixture = await TextIndexFixture.make();
  const { store, account } = await fixture.open();
  await appendAll(account, TWELVE);
  const inbox = await account.open("INBOX");
  await indexed(store);
  deepEqual(await narrowed(inbox, "NEEDLE"), [1, 4, 7, 10]);
  deepEqual(await narrowed(inbox, "nothing"), []);
  deepEqual(await inbox.narrow([1, 2, 3, 5, 6, 7, 8, 9, 11, 12], query("needle")), [1, 7]);
  inbox.close();
});

Deno.test("Mailbox.narrow leaves out nothing that is not indexed", async () => {
  await using fixture = await TextIndexFixture.make(1e9);
  const { account } = await fixture.open();
  await appendAll(account, TWELVE);
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  inbox.close();
});

Deno.test("TextIndex indexes copies of indexed messages not again", async () => {
  await using fixture = await TextIndexFixture.make();
  const { store, account } = await fixture.open();
  await account.create("Other");
  await appendAll(account, TWELVE);
  const inbox = await account.open("INBOX");
  await indexed(store);
  await inbox.copy(uidsOf(inbox), "Other");
  equal(store.measures().unindexed, 0);
  await inbox.move([1, 2, 3], "Other");
  const other = await account.open("Other");
  deepEqual(await narrowed(other, "needle"), [1, 4, 7, 10, 13]);
  inbox.close();
  other.close();
  await fixture.maildir.close();
  equal(fixture.documents(), 12);
});

Deno.test("TextIndex makes a lost file anew, and logs it", async () => {
  await using fixture = await TextIndexFixture.make();
  const first = await fixture.open();
  await appendAll(first.account, TWELVE);
  await indexed(first.store);
  await fixture.maildir.close();
  Deno.removeSync(fixture.file);
  const { account } = await fixture.open();
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  await until(async () => (await narrowed(inbox, "needle")).length === 4, "a new file");
  equal(fixture.maildir.log.lines.filter(({ event }) => /lost, damaged/.test(event)).length, 1);
  inbox.close();
});

Deno.test("TextIndex leaves a link alone, and SEARCH reads the messages", async () => {
  await using fixture = await TextIndexFixture.make();
  Deno.mkdirSync(fixture.maildir.root);
  Deno.symlinkSync("/nowhere", fixture.file);
  const { account } = await fixture.open();
  await appendAll(account, TWELVE);
  const inbox = await account.open("INBOX");
  const { lines } = fixture.maildir.log;
  await until(
    () => lines.some(({ event }) => /cannot be used now/.test(event)),
    "a line of the log",
  );
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  ok(Deno.lstatSync(fixture.file).isSymlink);
  inbox.close();
});

Deno.test("TextIndex keeps what has too much text for reading, until the limit grows", async () => {
  await using fixture = await TextIndexFixture.make();
  const first = await fixture.open(2000);
  await appendAll(first.account, [...TWELVE, "too long ".repeat(300)]);
  const before = await first.account.open("INBOX");
  await indexed(first.store);
  deepEqual(await narrowed(before, "needle"), [1, 4, 7, 10, 13]);
  before.close();
  const { store, account } = await fixture.open(5000);
  await indexed(store);
  const inbox = await account.open("INBOX");
  await until(async () => (await narrowed(inbox, "needle")).length === 4, "the long message");
  inbox.close();
});

Deno.test("TextIndex removes documents that no message has any more", async () => {
  await using fixture = await TextIndexFixture.make();
  const first = await fixture.open();
  await appendAll(first.account, Array.from({ length: 1300 }, (_, i) => `message ${i}\r\n`));
  const before = await first.account.open("INBOX");
  await indexed(first.store);
  await before.store(uidsOf(before).slice(30), { mode: "add", system: FLAG.deleted, keywords: [] });
  await before.expunge();
  before.close();
  await fixture.maildir.close();
  equal(fixture.documents(), 1300);
  const { store, account } = await fixture.open();
  await appendAll(account, ["needle\r\n"]);
  await indexed(store);
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "message 29"), [30]);
  deepEqual(await narrowed(inbox, "needle"), [1301]);
  inbox.close();
  await fixture.maildir.close();
  equal(fixture.documents(), 31);
});

Deno.test("TextIndex begins anew after a restore, without the file", async () => {
  await using fixture = await TextIndexFixture.make();
  const first = await fixture.open();
  await appendAll(first.account, TWELVE);
  await indexed(first.store);
  await fixture.maildir.close();
  const database = new DatabaseSync(`${fixture.maildir.root}/imapd.sqlite`);
  database.exec("INSERT INTO meta VALUES ('copied', 1)");
  database.close();
  Deno.removeSync(fixture.file);
  const { account } = await fixture.open();
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  await until(async () => (await narrowed(inbox, "needle")).length === 4, "a new file");
  deepEqual(fixture.maildir.log.lines.filter(({ event }) => /lost, damaged/.test(event)), []);
  inbox.close();
});

Deno.test("TextIndex ends where its account is removed or closed", async () => {
  await using fixture = await TextIndexFixture.make();
  const { store, account } = await fixture.open();
  const many = Array.from({ length: 300 }, (_, i) => `message ${i}\r\n`);
  await appendAll(account, many);
  await until(() => fixture.hasFile, "the beginning");
  await store.remove("ann");
  const again = await store.account("ann");
  await appendAll(again, TWELVE);
  await indexed(store);
  const inbox = await again.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), [1, 4, 7, 10]);
  await appendAll(again, many);
  inbox.close();
  await fixture.maildir.close();
  const { store: next, account: last } = await fixture.open();
  await indexed(next);
  const mailbox = await last.open("INBOX");
  await until(async () => (await narrowed(mailbox, "needle")).length === 4, "the rest");
  mailbox.close();
});

Deno.test("TextIndex.start: an index that cannot be read ends no process", async () => {
  const log = silentLog();
  const account = { background: new Background(log) } as unknown as AccountContext;
  const documents = {
    get known() {
      throw new Error("database disk image is malformed");
    },
  } as unknown as Documents;
  const service = new SearchService();
  const index = new TextIndex(() => account, { service, limit: 1, documents, states: () => [] });
  index.start();
  await until(() => log.lines.length > 0, "a line of the log");
  equal(log.lines[0].event, "work in the background failed");
  index.stop();
  service.close();
});

import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { FuzzyNeedle, fuzzyScore } from "../../src/message/fuzzy_text.ts";
import { foldCase, messageContains } from "../../src/message/search_text.ts";
import { fuzzyQuery, substringQuery, type TokenQuery } from "../../src/message/trigrams.ts";
import { SearchService } from "../../src/store/maildir/search_service.ts";
import type { MaildirStore } from "../../src/store/maildir/store.ts";
import { type Account, FLAG, type Mailbox } from "../../src/store/store.ts";
import { incoming, text, uidsOf } from "../contracts/store_actions.ts";
import { Random } from "../model/random.ts";
import { until } from "../until.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const LIMIT = 20_000;

/** A Maildir whose texts are indexed at once. */
class Fixture implements AsyncDisposable {
  readonly service: SearchService;

  private constructor(readonly maildir: MaildirFixture, quiet: number) {
    this.service = new SearchService({ quiet });
  }

  /** @param quiet milliseconds until messages are indexed */
  static async make(quiet = 0): Promise<Fixture> {
    return new Fixture(await MaildirFixture.make(), quiet);
  }

  get file(): string {
    return `${this.maildir.root}/imapd-search.sqlite`;
  }

  async open(searchLimit = LIMIT): Promise<{ store: MaildirStore; account: Account }> {
    const store = await this.maildir.open({ searchService: this.service, searchLimit });
    return { store, account: await store.account("ann") };
  }

  /** Documents in the file of an account that is closed. */
  documents(): number {
    const database = new DatabaseSync(this.file, { readOnly: true });
    try {
      return Number(database.prepare("SELECT count(*) AS n FROM documents_docsize").get()?.n);
    } finally {
      database.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.maildir[Symbol.asyncDispose]();
    this.service.close();
  }
}

function indexed(store: MaildirStore): Promise<void> {
  return until(() => store.measures().unindexed === 0, "all texts to be indexed");
}

async function appendAll(account: Account, texts: readonly (string | Uint8Array)[]): Promise<void> {
  const messages = texts.map((each) =>
    incoming(account, "INBOX", typeof each === "string" ? text("x", each) : each)
  );
  await account.append("INBOX", await Promise.all(messages));
}

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
  await using fixture = await Fixture.make();
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
  await using fixture = await Fixture.make(1e9);
  const { account } = await fixture.open();
  await appendAll(account, TWELVE);
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  inbox.close();
});

Deno.test("TextIndex indexes copies of indexed messages not again", async () => {
  await using fixture = await Fixture.make();
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
  await using fixture = await Fixture.make();
  const first = await fixture.open();
  await appendAll(first.account, TWELVE);
  await indexed(first.store);
  await fixture.maildir.close();
  Deno.removeSync(fixture.file);
  const { store, account } = await fixture.open();
  const inbox = await account.open("INBOX");
  deepEqual(await narrowed(inbox, "needle"), uidsOf(inbox));
  await until(() => store.measures().unindexed > 0, "the loss to be seen");
  await indexed(store);
  deepEqual(await narrowed(inbox, "needle"), [1, 4, 7, 10]);
  equal(fixture.maildir.log.lines.filter(({ event }) => /lost, damaged/.test(event)).length, 1);
  inbox.close();
});

Deno.test("TextIndex leaves a link alone, and SEARCH reads the messages", async () => {
  await using fixture = await Fixture.make();
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
  await using fixture = await Fixture.make();
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
  await using fixture = await Fixture.make();
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

const CHARSETS = ["utf-8", "iso-8859-1", "koi8-r", "iso-2022-jp", "shift_jis", ""];
const ALPHABET = [..."abcdeé日本語ПриветßKKfi-. \u0301ſ", "\r\n", "x".repeat(50)];

/** Mail of nested parts, with what is not always valid in its charset or encoding. */
function randomMail(random: Random, depth = 0): string {
  const words = () =>
    Array.from({ length: random.below(40) }, () => random.pick(ALPHABET)).join("");
  const octets = (of: string) =>
    Array.from(new TextEncoder().encode(of), (octet) => String.fromCharCode(octet)).join("");
  const header = `Subject: ${random.chance(0.3) ? "=?utf-8?b?w4TDtg==?=" : octets(words())}\r\n` +
    `X-Other: ${random.pick(ALPHABET).trim()}y\r\n`;
  if (depth < 3 && random.chance(0.4)) {
    const parts = Array.from({ length: 1 + random.below(3) }, () => randomMail(random, depth + 1));
    const all = parts.map((part) => `--b${depth}\r\n${part}\r\n`).join("");
    return `${header}Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n${all}--b${depth}--`;
  }
  if (depth < 3 && random.chance(0.1)) {
    return `${header}Content-Type: message/rfc822\r\n\r\n${randomMail(random, depth + 1)}`;
  }
  const charset = random.pick(CHARSETS);
  const type = `${header}Content-Type: text/plain; charset=${charset}\r\n`;
  const body = octets(words());
  if (random.chance(0.3)) return `${type}Content-Transfer-Encoding: base64\r\n\r\n${btoa(body)}`;
  const quoted = random.chance(0.3) ? "Content-Transfer-Encoding: quoted-printable\r\n" : "";
  return `${type}${quoted}\r\n${body}`;
}

/** Bytes of what {@link randomMail} made. */
function bytesOf(mail: string): Uint8Array {
  const wire = mail.replace(/\r?\n/g, "\r\n");
  return Uint8Array.from(wire, (char) => char.charCodeAt(0));
}

async function assertNarrowsRightly(mailbox: Mailbox, random: Random): Promise<void> {
  const uids = uidsOf(mailbox);
  await mailbox.prepare(uids);
  const rows = await mailbox.cached(["parts"], 1, 2 ** 32 - 1);
  const texts = await Promise.all(rows.map(async ({ uid, parts }) => {
    const message = await mailbox.read(uid);
    ok(message.whole);
    return { uid, whole: message.whole, parts: JSON.parse(parts) };
  }));
  for (let i = 0; i < 6 && uids.length > 0; i++) {
    const of = new TextDecoder().decode(random.pick(texts).whole);
    const start = random.below(of.length);
    const needle = of.slice(start, start + 1 + random.below(8));
    const exact = substringQuery(foldCase(needle));
    const kept = exact && new Set(await mailbox.narrow(uids, exact));
    const fuzzy = new FuzzyNeedle(needle);
    const words = fuzzyQuery(fuzzy);
    const keptFuzzy = words && new Set(await mailbox.narrow(uids, words));
    for (const { uid, whole, parts } of texts) {
      const found = messageContains(whole, parts, foldCase(needle), true);
      if (kept && found) ok(kept.has(uid), `${JSON.stringify(needle)} in ${uid}`);
      const score = fuzzyScore(whole, parts, fuzzy, true);
      if (keptFuzzy && score > 0) {
        ok(keptFuzzy.has(uid), `about ${JSON.stringify(needle)} in ${uid}`);
      }
    }
  }
}

Deno.test("Mailbox.narrow leaves out nothing that is found, whatever happens meanwhile", async () => {
  const random = new Random(4711);
  await using fixture = await Fixture.make();
  let { store, account } = await fixture.open();
  await account.create("Other");
  let [inbox, other] = [await account.open("INBOX"), await account.open("Other")];
  let old: Uint8Array | undefined;
  for (let step = 0; step < 40; step++) {
    const uids = uidsOf(inbox).filter(() => random.chance(0.3));
    const what = random.below(8);
    if (what < 3) {
      const mails = Array.from({ length: 1 + random.below(12) }, () => bytesOf(randomMail(random)));
      await appendAll(account, mails);
    } else if (what === 3 && uids.length > 0) await inbox.copy(uids, "Other");
    else if (what === 4 && uids.length > 0) await inbox.move(uids.slice(0, 5), "Other");
    else if (what === 5 && uids.length > 0) {
      await inbox.store(uids.slice(0, 3), { mode: "add", system: FLAG.deleted, keywords: [] });
      await inbox.expunge();
    } else if (what === 6) await indexed(store);
    else if (what === 7) {
      await fixture.maildir.close();
      if (random.chance(0.3)) Deno.removeSync(fixture.file);
      else if (old && random.chance(0.5)) Deno.writeFileSync(fixture.file, old);
      else old = Deno.readFileSync(fixture.file);
      ({ store, account } = await fixture.open());
      [inbox, other] = [await account.open("INBOX"), await account.open("Other")];
    }
    await assertNarrowsRightly(inbox, random);
    await assertNarrowsRightly(other, random);
  }
});

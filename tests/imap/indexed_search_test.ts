// Searches with the trigram index find what they find without it.

import { deepEqual, ok } from "node:assert/strict";
import { Relevancy } from "../../src/imap/relevancy.ts";
import type { Seqs } from "../../src/imap/search_columns.ts";
import { evaluate } from "../../src/imap/search_keys.ts";
import { View } from "../../src/imap/view.ts";
import { decodeHeader } from "../../src/message/header.ts";
import { Pace } from "../../src/pace.ts";
import { FLAG, type Mailbox } from "../../src/store/store.ts";
import type { SearchKey } from "../../src/wire/search_grammar.ts";
import { uidsOf, wholeText } from "../contracts/store_actions.ts";
import { Random } from "../model/random.ts";
import { appendAll, indexed, TextIndexFixture } from "../store/text_index_fixture.ts";

/** The same mailbox, which narrows, counting what it leaves out, or never does. */
function watched(mailbox: Mailbox, count: { leftOut: number } | undefined): Mailbox {
  return new Proxy(mailbox, {
    get(target, name) {
      if (name === "narrow") {
        return async (...[uids, query]: Parameters<Mailbox["narrow"]>) => {
          if (count === undefined) return uids;
          const left = await target.narrow(uids, query);
          count.leftOut += uids.length - left.length;
          return left;
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function found(
  mailbox: Mailbox,
  key: SearchKey,
  count?: { leftOut: number },
): Promise<Seqs> {
  const view = new View(watched(mailbox, count), true);
  const warnings: string[] = [];
  const seqs = await evaluate(key, {
    view,
    now: 0,
    pace: new Pace(),
    warn: (_, error) => warnings.push(error),
    annotation: () => Promise.resolve(undefined),
    relevancy: new Relevancy(),
  });
  deepEqual(warnings, []);
  return seqs;
}

const CHARSETS = ["utf-8", "iso-8859-1", "koi8-r", "iso-2022-jp", "shift_jis", "utf-7", ""];
const ALPHABET = [..."abcdeé日本語ПриветßKKfi-. \u0301ſ", "\r\n", "x".repeat(50)];
const FIELDS = ["Subject", "X-Other", "List-Id"];

function octets(text: string): string {
  return Array.from(new TextEncoder().encode(text), (octet) => String.fromCharCode(octet)).join("");
}

function words(random: Random): string {
  return Array.from({ length: random.below(40) }, () => random.pick(ALPHABET)).join("");
}

function field(random: Random): string {
  const line = octets(words(random).replace(/\s+/g, random.chance(0.5) ? " " : "\r\n "));
  const value = random.chance(0.3)
    ? `=?utf-8?b?${btoa(octets("Änderung"))}?= =?utf-8?b?${btoa(octets("日本"))}?=${line}`
    : line;
  return `${random.pick(FIELDS)}: ${value}\r\n`;
}

/** Mail of nested parts, with what is not always valid in its charset or encoding. */
function randomMail(random: Random, depth = 0): string {
  const header = Array.from({ length: 1 + random.below(3) }, () => field(random)).join("");
  if (depth < 3 && random.chance(0.4)) {
    const parts = Array.from({ length: 1 + random.below(3) }, () => randomMail(random, depth + 1));
    const all = parts.map((part) => `--b${depth}\r\n${part}\r\n`).join("");
    return `${header}Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n${all}--b${depth}--`;
  }
  if (depth < 3 && random.chance(0.1)) {
    return `${header}Content-Type: message/rfc822\r\n\r\n${randomMail(random, depth + 1)}`;
  }
  const type = `${header}Content-Type: text/plain; charset=${random.pick(CHARSETS)}\r\n`;
  const body = octets(words(random));
  if (random.chance(0.3)) return `${type}Content-Transfer-Encoding: base64\r\n\r\n${btoa(body)}`;
  const quoted = random.chance(0.3) ? "Content-Transfer-Encoding: quoted-printable\r\n" : "";
  return `${type}${quoted}\r\n${body}`;
}

function bytesOf(mail: string): Uint8Array {
  return Uint8Array.from(mail.replace(/\r?\n/g, "\r\n"), (char) => char.charCodeAt(0));
}

/** A program of keys that look at texts, with needles cut from `text`. */
function randomKey(random: Random, text: string, depth = 0): SearchKey {
  const start = random.below(text.length);
  const value = text.slice(start, start + random.below(9));
  const again = () => randomKey(random, text, depth + 1);
  switch (random.below(depth < 2 ? 8 : 3)) {
    case 0:
      return { name: "BODY", value };
    case 1:
      return { name: "TEXT", value };
    case 2:
      return { name: "HEADER", field: random.pick(FIELDS), value };
    case 3:
      return { name: "NOT", key: again() };
    case 4:
      return { name: "OR", left: again(), right: again() };
    case 5:
      return { name: "FUZZY", key: again() };
    default:
      return { name: "AND", keys: [again(), again()] };
  }
}

async function assertSame(
  mailbox: Mailbox,
  random: Random,
  count: { leftOut: number },
): Promise<void> {
  const uids = uidsOf(mailbox);
  if (uids.length === 0) return;
  for (let i = 0; i < 8; i++) {
    const text = await wholeText(mailbox, random.pick(uids));
    const key = randomKey(random, random.chance(0.5) ? decodeHeader(text) : text);
    deepEqual(
      await found(mailbox, key, count),
      await found(mailbox, key),
      JSON.stringify(key),
    );
  }
}

Deno.test("SEARCH finds the same with the index, behind or lost, and without it", async () => {
  const random = new Random(20_260_301);
  await using fixture = await TextIndexFixture.make();
  let { store, account } = await fixture.open();
  await account.create("Other");
  let [inbox, other] = [await account.open("INBOX"), await account.open("Other")];
  const count = { leftOut: 0 };
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
      if (uidsOf(inbox).length > 0) await indexed(store);
      await fixture.maildir.close();
      if (!fixture.hasFile) old = undefined;
      else if (random.chance(0.3)) Deno.removeSync(fixture.file);
      else if (old && random.chance(0.5)) Deno.writeFileSync(fixture.file, old);
      else old = Deno.readFileSync(fixture.file);
      ({ store, account } = await fixture.open());
      [inbox, other] = [await account.open("INBOX"), await account.open("Other")];
    }
    await assertSame(inbox, random, count);
    await assertSame(other, random, count);
  }
  ok(count.leftOut > 100, `Only ${count.leftOut} messages were left out`);
});

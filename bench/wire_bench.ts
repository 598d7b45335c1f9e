/** What comes from clients, and what is said to them. */

import { Buffer } from "node:buffer";
import { Framer } from "../src/wire/framer.ts";
import { fetchItems } from "../src/wire/fetch_grammar.ts";
import { sequenceSet, tag } from "../src/wire/grammar.ts";
import { formatNumberSet, numbersIn, uidsIn } from "../src/wire/number_set.ts";
import { flagNames, statusLine, string } from "../src/wire/response.ts";
import { Scanner } from "../src/wire/scanner.ts";
import { searchArgs } from "../src/wire/search_grammar.ts";
import { findCommand } from "../src/imap/table.ts";

const LIMITS = { line: 65_536, literals: 1_048_576 };
const COMMANDS = Buffer.from([
  "a1 NOOP",
  "a2 UID FETCH 1:* (FLAGS)",
  "a3 UID STORE 17 +FLAGS.SILENT (\\Seen)",
  'a4 LIST "" "*"',
  'a5 UID SEARCH UNSEEN SINCE 1-Jan-2026 SUBJECT "lunch"',
  "",
].join("\r\n"));
const FETCH =
  "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY.PEEK[HEADER.FIELDS (From To Subject Date)])";
const SEARCH = 'OR FROM "ann" (SUBJECT "lunch" NOT DELETED SINCE 1-Jan-2026) UID 1:4000,4100:*';

const UIDS = Uint32Array.from({ length: 100_000 }, (_, n) => 3 * n + 1);
const SPARSE = Array.from({ length: 20_000 }, (_, n) => n + (n >> 3));
const ALL = sequenceSet(new Scanner("1:*", []));
const SOME = sequenceSet(new Scanner("5,17,1000:5000,90000:*", []));

Deno.bench("Framer: five commands in one packet", () => {
  const framer = new Framer(LIMITS);
  framer.push(COMMANDS);
  while (framer.next() !== undefined);
});

Deno.bench("Framer: an APPEND of 64 KB, streamed", () => {
  const framer = new Framer(LIMITS);
  framer.push(Buffer.from("a APPEND INBOX {65536+}\r\n"));
  framer.next();
  framer.stream(undefined);
  framer.push(Buffer.alloc(65_536));
  framer.next();
  framer.push(Buffer.from("\r\n"));
  framer.next();
});

Deno.bench("tag and name of a command", () => {
  const scanner = new Scanner("a17 UID FETCH 1:* (FLAGS)", []);
  tag(scanner);
  scanner.take(" ");
  findCommand(scanner);
});

Deno.bench("fetchItems: what a mail program lists", () => {
  fetchItems(new Scanner(FETCH, []));
});

Deno.bench("searchArgs: a search of some keys", () => {
  searchArgs(new Scanner(` ${SEARCH}`, []));
});

Deno.bench("uidsIn: UIDs of 1:* among 100,000", () => {
  uidsIn(ALL, UIDS, UIDS.length);
});

Deno.bench("uidsIn: UIDs of some ranges among 100,000", () => {
  uidsIn(SOME, UIDS, UIDS.length);
});

Deno.bench("numbersIn: 1:* of 100,000", () => {
  numbersIn(ALL, 100_000);
});

Deno.bench("formatNumberSet: 20,000 numbers in runs of eight", () => {
  formatNumberSet(SPARSE);
});

Deno.bench("responses: FLAGS of 1,000 messages", () => {
  let text = "";
  for (let n = 1; n <= 1000; n++) {
    text += `* ${n} FETCH (UID ${3 * n} FLAGS (${flagNames(n & 31, false, [])}))\r\n`;
  }
  return void text.length;
});

Deno.bench("string: quoted, and as a literal", () => {
  string("Re: the budget");
  string('with "quotes"\r\n');
});

Deno.bench("statusLine: a tagged OK", () => {
  statusLine("a17", "OK", "FETCH completed");
});

/** What is made of messages. */

import { latin1 } from "../src/wire/bytes.ts";
import { bodystructure } from "../src/message/bodystructure.ts";
import { envelope } from "../src/message/envelope.ts";
import { headerFields, headerFilter } from "../src/message/header.ts";
import { MessageIndexer } from "../src/message/indexer.ts";
import { MimeParser, offsetsOf } from "../src/message/mime.ts";
import { foldCase, messageContains } from "../src/message/search_text.ts";
import { references } from "../src/message/threading.ts";
import { toWireForm } from "../src/message/wire_form.ts";
import { SAMPLE_FILE, SAMPLE_HEADER, SAMPLE_MESSAGE } from "./sample_mail.ts";

function parsed() {
  const parser = new MimeParser();
  parser.push(SAMPLE_MESSAGE);
  return parser.end();
}

const ROOT = parsed();
const PARTS = offsetsOf(ROOT);
const TEXT = latin1(SAMPLE_MESSAGE);
const NEEDLE = foldCase("nothing of that kind");
const LISTED = headerFilter(["From", "To", "Subject", "Date"], false);
const OTHERS = headerFilter(["Received", "DKIM-Signature"], true);

const COUNT = 10_000;
const PLACES = Int32Array.from({ length: COUNT }, (_, n) => n);
const THREADED = {
  count: COUNT,
  bySent: PLACES,
  sentRank: PLACES,
  arrived: PLACES,
  subject: PLACES.map((n) => 1 + n % 2000),
  reply: new Uint8Array(COUNT).fill(1, 2000),
  id: PLACES.map((n) => n + 1),
  references: Array.from(PLACES, (n) => n < 2000 ? [] : [n - 1999]),
  lastId: COUNT,
};

Deno.bench("toWireForm: LF to CRLF, 34 KB", () => {
  toWireForm(SAMPLE_FILE);
});

Deno.bench("toWireForm: CRLF already", () => {
  toWireForm(SAMPLE_MESSAGE);
});

Deno.bench("MimeParser: one pass of 34 KB", () => {
  parsed();
});

Deno.bench("MessageIndexer: all that is kept of 34 KB", () => {
  const indexer = new MessageIndexer();
  indexer.push(SAMPLE_FILE);
  indexer.end();
});

Deno.bench("envelope", () => {
  envelope(SAMPLE_HEADER);
});

Deno.bench("bodystructure", () => {
  bodystructure(ROOT);
});

Deno.bench("headerFields", () => {
  headerFields(SAMPLE_HEADER);
});

Deno.bench("headerFilter: four fields", () => {
  LISTED(SAMPLE_HEADER);
});

Deno.bench("headerFilter: all but two", () => {
  OTHERS(SAMPLE_HEADER);
});

Deno.bench("foldCase: 34 KB of ASCII", () => {
  foldCase(TEXT);
});

Deno.bench("foldCase: umlauts", () => {
  foldCase("Überraschung für Ångström ".repeat(100));
});

Deno.bench("messageContains: 34 KB without a hit", () => {
  messageContains(SAMPLE_MESSAGE, PARTS, NEEDLE, true);
});

Deno.bench("references: threads of 10,000 messages", () => {
  const threading = references(THREADED);
  while (!threading.next().done);
});

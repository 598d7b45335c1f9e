/** What is done with the texts of messages: `deno task bench`. */

import { envelope } from "../src/message/envelope.ts";
import { cachedHeader, headerFields, headerFilter } from "../src/message/header.ts";
import { MessageIndexer } from "../src/message/indexer.ts";
import { MimeParser, offsetsOf, type PartOffsets } from "../src/message/mime.ts";
import { foldCase, messageContains } from "../src/message/search_text.ts";
import { sortKeysOf } from "../src/message/sort_keys.ts";
import { trigramDecoding, Trigrams } from "../src/message/trigrams.ts";
import { toWireForm } from "../src/message/wire_form.ts";
import { attachedMessage, plainMessage, SAMPLE_HEADER } from "./sample_mail.ts";

const KINDS: readonly (readonly [name: string, message: Uint8Array])[] = [
  ["text, 14 KB", plainMessage(14_000)],
  ["attachment, 100 KB", attachedMessage(100_000)],
];

function parsed(message: Uint8Array): PartOffsets {
  const parser = new MimeParser();
  parser.push(message);
  return offsetsOf(parser.end());
}

for (const [kind, message] of KINDS) {
  const parts = parsed(message);
  Deno.bench(`MimeParser: ${kind}`, () => void parsed(message));
  Deno.bench(`MessageIndexer, all that is kept: ${kind}`, () => {
    const indexer = new MessageIndexer();
    indexer.push(message);
    indexer.end();
  });
  Deno.bench(`messageContains, no hit: ${kind}`, () => {
    messageContains(message, parts, "zebra42", false);
  });
  const trigrams = new Trigrams();
  Deno.bench(`Trigrams: ${kind}`, () => {
    const decoding = trigramDecoding(parts, trigrams);
    decoding.push(message);
    decoding.end();
    trigrams.take();
  });
}

const bareLf = plainMessage(14_000, "\n");
Deno.bench("toWireForm: LF, 14 KB", () => void toWireForm(bareLf));
Deno.bench("toWireForm: CRLF, 14 KB", () => void toWireForm(KINDS[0][1]));

const fields = headerFields(SAMPLE_HEADER);
Deno.bench("headerFields", () => void headerFields(SAMPLE_HEADER));
Deno.bench("cachedHeader", () => void cachedHeader(SAMPLE_HEADER, fields));
Deno.bench("envelope", () => void envelope(fields));
Deno.bench("sortKeysOf", () => void sortKeysOf(fields));

const kept = cachedHeader(SAMPLE_HEADER);
const filter = headerFilter(["FROM", "TO", "CC", "SUBJECT", "DATE", "MESSAGE-ID"], false);
Deno.bench("headerFilter of six fields", () => void filter(kept));

const text = "Quarterly Report of the Meeting, agenda and minutes. ".repeat(100);
Deno.bench("foldCase: ASCII, 5 KB", () => void foldCase(text));
Deno.bench("foldCase: accents, 5 KB", () => void foldCase(`${text}ÅÄÖ`));

/** Targets of `src/message`: whole messages. */

import assert from "node:assert/strict";
import { BinaryParts } from "../../../src/message/binary_parts.ts";
import { body, bodystructure, bodyWithoutExtensions } from "../../../src/message/bodystructure.ts";
import { FuzzyNeedle, fuzzyScore, FuzzyTextSearch } from "../../../src/message/fuzzy_text.ts";
import { MessageIndexer } from "../../../src/message/indexer.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../../src/message/latin1.ts";
import {
  locateSection,
  MimeParser,
  parseOffsets,
  type Part,
  type PartOffsets,
} from "../../../src/message/mime.ts";
import { PREVIEW_CHARS } from "../../../src/message/preview.ts";
import { foldCase, messageContains, TextSearch } from "../../../src/message/search_text.ts";
import {
  fuzzyQuery,
  substringQuery,
  type TokenQuery,
  trigramDecoding,
  Trigrams,
} from "../../../src/message/trigrams.ts";
import { toWireForm, WireForm } from "../../../src/message/wire_form.ts";
import { parseNodes } from "../../transcript_match.ts";
import { piecesOf } from "../engine/random.ts";
import { type FuzzTarget, pureTarget } from "../engine/target.ts";

const GOLDEN = new URL("../../golden/", import.meta.url);

const MAILS: readonly string[] = Array.from(Deno.readDirSync(GOLDEN), (entry) => entry.name)
  .filter((name) => name.endsWith(".eml")).sort()
  .map((name) => latin1FromBytes(Deno.readFileSync(new URL(name, GOLDEN))))
  .filter((mail) => mail.length < 4000);

const SOURCES = [
  ..."address base_subject bodystructure charset content date encoded_word envelope header".split(
    " ",
  ),
  ..."html_text mime preview structured_field transfer_encoding".split(" "),
].map((file) => `message/${file}.ts`);

const TOKENS = [
  ..."Content-Type: |Content-Transfer-Encoding: |Content-Disposition: |Subject: |From: |To: ".split(
    "|",
  ),
  ..."multipart/mixed; boundary=b|multipart/digest; boundary=|message/rfc822|text/html".split("|"),
  ..."\r\n--b\r\n|\r\n--b--\r\n|--b|\n\n|\r\n\r\n|\r\n |\r\r\n|=\r\n|=C3=A9|; charset=|; name*0*="
    .split("|"),
  ..."base64|quoted-printable|=?utf-8?q?=C3=A9?=|=?iso-2022-jp?b?GyRCRnw=?=|utf-7|+AOk-".split("|"),
  ..."<blockquote>|</div>|<style>|<!--|-->|&#x41;|&amp;|\x1b$B|\x1b(B|On |wrote:|> |References: <"
    .split("|"),
  ..."iso-2022-jp|shift_jis|gb18030|utf-16|hz-gb-2312|x-user-defined|replacement".split("|"),
];

/** Everything that the store keeps of a message, whatever pieces it comes in. */
export const mime = pureTarget({
  name: "mime",
  seeds: MAILS,
  sources: SOURCES,
  tokens: TOKENS,
  run(input) {
    const indexer = new MessageIndexer();
    indexer.push(input);
    const summary = indexer.end();
    const cut = new MessageIndexer();
    for (const piece of piecesOf(input)) {
      cut.push(piece);
      piece.fill(0x2d);
    }
    assert.deepEqual(cut.end(), summary);
    const wire = toWireForm(input);
    assert.equal(summary.size, wire.length);
    const parser = new MimeParser();
    parser.push(wire);
    const root = parser.end();
    checkTree(root, 0, wire.length, 0);
    assert.equal(summary.bodystructure, bodystructure(root));
    assert.equal(bodyWithoutExtensions(summary.bodystructure), body(root));
    for (const text of [summary.envelope, summary.bodystructure, body(root)]) {
      assert.equal(parseNodes(text).length, 1);
      assert.ok(!text.includes("\0"));
    }
    assert.ok([...summary.preview].length <= PREVIEW_CHARS && summary.preview.isWellFormed());
    assert.doesNotMatch(summary.preview, /\p{Cc}/u);
    checkSections(offsetsIn(summary.parts), root, []);
  },
});

/** Parts lie within what holds them, one after the other, and no deeper than promised. */
function checkTree(part: Part, start: number, end: number, depth: number): void {
  assert.ok(depth <= 202, "nested too deep");
  assert.ok(start <= part.headerStart && part.headerStart <= part.bodyStart);
  assert.ok(part.bodyStart <= part.end && part.end <= end && part.lines >= 0);
  assert.ok(part.parts === undefined || part.message === undefined);
  let from = part.bodyStart;
  for (const child of part.message ? [part.message] : part.parts ?? []) {
    checkTree(child, from, part.end, depth + 1);
    from = child.end;
  }
}

/** A section is where the part lies that has its numbers. */
function checkSections(offsets: PartOffsets, part: Part, path: readonly number[]): void {
  const found = locateSection(offsets, path, "");
  if (path.length > 0) assert.deepEqual(found, [part.bodyStart, part.end]);
  for (const text of ["HEADER", "TEXT", "MIME"] as const) {
    const [start, end] = locateSection(offsets, path, text) ?? [0, 0];
    assert.ok(start <= end && end <= offsets.at[2]);
  }
  const holder = path.length > 0 && part.message ? part.message : part;
  for (const [i, child] of (holder.parts ?? []).entries()) {
    checkSections(offsets, child, [...path, i + 1]);
  }
  if (path.length === 0 && part.message) checkSections(offsets, part, [1]);
}

export const wireForm = pureTarget({
  name: "wire-form",
  seeds: ["a\nb\r\nc\rd\r\r\n\n", "\n", "\r", "plain\nlines\n", "\xe9\n"],
  sources: ["message/wire_form.ts"],
  tokens: ["\n", "\r", "\r\n", "\xff"],
  run(input) {
    const text = latin1FromBytes(input);
    const expected = text.replace(/(?<!\r)\n/g, "\r\n");
    assert.equal(latin1FromBytes(toWireForm(input)), expected);
    const form = new WireForm();
    const cut = piecesOf(input).map((piece) => latin1FromBytes(form.push(piece))).join("");
    assert.equal(cut, expected);
    assert.equal(form.changed, expected !== text);
    assert.equal(latin1FromBytes(toWireForm(toWireForm(input))), expected);
  },
});

const NEEDLES = [
  "a",
  "\xe9",
  "the",
  "\r",
  "hello world",
  "gr\xf6\xdfe",
  "\u65e5\u672c",
  "wrote",
  "\u0130",
];

/** The first line says what is looked for, the rest is the message. */
export const search: FuzzTarget = {
  name: "search-text",
  seeds: MAILS.map((mail, i) =>
    `${latin1FromBytes(new TextEncoder().encode(NEEDLES[i % NEEDLES.length]))}\n${mail}`
  ),
  sources: [
    "message/search_text.ts",
    "message/trigrams.ts",
    "message/fuzzy_text.ts",
    "message/charset.ts",
  ],
  tokens: TOKENS,
  begin: () => {
    // 2 MB, which one text after the other uses.
    const trigrams = new Trigrams();
    return { run: (input) => checkSearch(input, trigrams) };
  },
};

function offsetsIn(json: string): PartOffsets {
  const offsets = parseOffsets(json);
  assert.ok(offsets !== undefined);
  return offsets;
}

function checkSearch(input: Uint8Array, trigrams: Trigrams): void {
  const end = input.indexOf(10);
  const words = new TextDecoder().decode(input.subarray(0, Math.max(0, Math.min(end, 200))));
  const file = input.subarray(end + 1);
  const wire = toWireForm(file);
  const indexer = new MessageIndexer();
  indexer.push(wire);
  const parts = offsetsIn(indexer.end().parts);
  const needle = foldCase(words);
  const fuzzy = new FuzzyNeedle(words);
  const decoding = trigramDecoding(parts, trigrams);
  const sought = new TextSearch(needle, { headers: true }, parts);
  const soughtFuzzily = new FuzzyTextSearch(fuzzy, { headers: true }, parts);
  for (const piece of piecesOf(wire)) {
    decoding.push(piece);
    sought.push(piece);
    soughtFuzzily.push(piece);
  }
  decoding.end();
  const tokens = trigrams.take();
  const contains = messageContains(file, parts, needle, true);
  assert.equal(sought.end(), contains);
  const score = fuzzyScore(file, parts, fuzzy, true);
  assert.equal(soughtFuzzily.end(), score);
  // What the index rules out must not be there.
  if (contains) assert.ok(mayHold(tokens, substringQuery(needle)), "the index rules it out");
  if (score > 0 && fuzzy.words.length > 0) {
    assert.ok(mayHold(tokens, fuzzyQuery(fuzzy)), "the index rules it out, fuzzily");
  }
  assert.ok(score >= 0 && score <= 100);
}

function mayHold(tokens: string, query: TokenQuery | undefined): boolean {
  if (query === undefined) return true;
  const all = new Set(tokens.split(" "));
  const has = (token: string) =>
    token.length === 2 ? [...all].some((each) => each.startsWith(token)) : all.has(token);
  return query.every((alternatives) => alternatives.some((each) => each.every(has)));
}

/** BINARY: parts with their transfer encoding undone. */
export const binary = pureTarget({
  name: "binary-parts",
  seeds: MAILS.filter((mail) => /transfer-encoding/i.test(mail)),
  sources: ["message/binary_parts.ts", "message/transfer_encoding.ts"],
  tokens: TOKENS,
  run(input) {
    const read = (pieces: readonly Uint8Array[]) => {
      const parts = new BinaryParts();
      let text = "";
      for (const piece of pieces) text += latin1FromBytes(parts.push(piece));
      return text + latin1FromBytes(parts.end());
    };
    const once = read([input]);
    assert.equal(read(piecesOf(input)), once);
    // Nothing binary is left.
    assert.equal(read([bytesFromLatin1(once)]), once);
  },
});

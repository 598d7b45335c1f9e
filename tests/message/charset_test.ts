import { equal } from "node:assert/strict";
import fc from "fast-check";
import { charsetReader, decodeCharset, decodeUnlabelled } from "../../src/message/charset.ts";
import { CHARSET_LABELS } from "../../src/message/charset_labels.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import { chunked } from "./mail_arbitrary.ts";

function read(charset: string, pieces: readonly Uint8Array[]): string {
  const reader = charsetReader(charset);
  return pieces.map((piece, i) => reader.read(piece, i === pieces.length - 1)).join("");
}

Deno.test("decodeUnlabelled takes valid UTF-8 as such and every other byte as windows-1252", () => {
  equal(decodeUnlabelled("ascii"), "ascii");
  equal(decodeUnlabelled("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "é € 😀");
  equal(decodeUnlabelled("\xe9 \x80 \xc3"), "é € Ã");
  equal(decodeUnlabelled("\xc3\xa9\xe9\xc3\xa9"), "éée\u0301".normalize("NFC"));
  equal(decodeUnlabelled("\x81\x9f\xff\xc1\x80\xf5\x80\x80\x80"), "\x81ŸÿÁ€õ€€€");
  equal(decodeUnlabelled("\xef\xbb\xbfa"), "\ufeffa");
  // Sequences of UTF-8 that mean no char
  for (const none of ["\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80"]) {
    equal(decodeUnlabelled(none), "\ufffd".repeat(none.length));
  }
});

Deno.test("charsetReader without a known charset reads as decodeUnlabelled does, in any pieces", () => {
  const piece = fc.constantFrom(
    "a",
    "\xc3",
    "\xa9",
    "\xe2\x82",
    "\xac",
    "\xf0\x9f\x98",
    "\x80",
    "\xff",
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
  const charset = fc.constantFrom("", "us-ascii", "x-nowhere");
  fc.assert(fc.property(text, charset, fc.array(fc.nat()), (bytes, label, cuts) => {
    equal(read(label, chunked(bytes, cuts)), decodeUnlabelled(bytes));
  }));
});

Deno.test("charsetReader reads characters that are cut in pieces", () => {
  const cases: Readonly<Record<string, readonly [bytes: string, text: string]>> = {
    "utf-8": ["\xf0\x9f\x98\x80\xc3\xa9", "😀é"],
    "UTF-16LE": ["a\0\xe9\0", "aé"],
    "Shift_JIS": ["\x83\x65\x83\x58", "テス"],
    "iso-2022-jp": ["\x1b$B\x46\x7c\x1b(Ba", "日a"],
    "gb18030": ["\x81\x30\x81\x30\xd6\xd0", "\x80中"],
    "utf-7": ["a+AOQ-b", "aäb"],
    '"utf-8"': ["\xc3\xa9", "é"],
  };
  for (const [charset, [bytes, text]] of Object.entries(cases)) {
    equal(read(charset, [bytesFromLatin1(bytes)]), text, charset);
    equal(read(charset, [...Array.from(bytes, bytesFromLatin1), new Uint8Array()]), text, charset);
  }
});

Deno.test("decodeCharset tells a charset that nobody knows", () => {
  equal(decodeCharset("a", "x-nowhere"), undefined);
  equal(decodeCharset("\xe9", "ISO-8859-1"), "é");
  equal(decodeCharset("\xe9", "us-ascii"), "é");
});

Deno.test("latin1FromBytes and bytesFromLatin1 undo each other", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  equal(latin1FromBytes(all), Array.from(all, (byte) => String.fromCharCode(byte)).join(""));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    equal(bytesFromLatin1(latin1FromBytes(bytes)).toString(), bytes.toString());
  }));
  const invalid = bytesFromLatin1("\xef\xbf\xbdab\xff");
  equal(latin1FromBytes(invalid), "\xef\xbf\xbdab\xff");
});

Deno.test("CHARSET_LABELS: a decoder knows each of them", () => {
  for (const label of CHARSET_LABELS) {
    equal(new TextDecoder(label).encoding.length > 0, true, label);
  }
  equal(decodeCharset("\xe9", "x-nothing"), undefined);
  equal(decodeCharset("\xe9", "constructor"), undefined);
});

Deno.test("charsetReader reads UTF-7 as it comes, and holds none of it", () => {
  const reader = charsetReader("utf-7");
  equal(reader.read(bytesFromLatin1("a+AOQ-b+"), false), "aäb");
  equal(reader.read(bytesFromLatin1("-c+AO"), false), "+c");
  equal(reader.read(bytesFromLatin1("Q d++x"), false), "ä d");
  equal(reader.read(bytesFromLatin1("!e+"), true), "!e+");
  const texts = fc.string({ unit: fc.constantFrom(..."a+-/AOQ \xe9"), maxLength: 20 });
  fc.assert(fc.property(texts, fc.array(fc.nat(20), { maxLength: 4 }), (text, cuts) => {
    equal(read("utf-7", chunked(text, cuts)), decodeCharset(text, "utf-7"));
  }));
});

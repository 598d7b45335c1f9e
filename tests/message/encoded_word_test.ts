import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { decodeWords } from "../../src/message/encoded_word.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";

const CASES: Readonly<Record<string, readonly [encoded: string, decoded: string]>> = {
  "Q": ["=?utf-8?q?J=C3=B6rg_M=?=", "Jörg M="],
  "B": ["=?UTF-8?B?R3LDtsOfZQ==?=", "Größe"],
  "B without padding": ["=?utf-8?b?R3LDtsOfZQ?=", "Größe"],
  "text around a word": ["Re: =?utf-8?q?x?= y", "Re: x y"],
  "blanks between words": ["=?utf-8?q?a?= \t =?iso-8859-1?q?=E9?=", "aé"],
  "text between words": ["=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"],
  "words that touch": ["=?utf-8?q?a?==?utf-8?q?b?=", "ab"],
  "a character split over two words": ["=?utf-8?q?=C3?= =?UTF-8?b?qQ==?=", "é"],
  "ISO-2022-JP": ["=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "日本語"],
  "Shift_JIS": ["=?Shift_JIS?B?g2WDWINn?=", "テスト"],
  "GB2312": ["=?gb2312?B?1tDOxA==?=", "中文"],
  "Big5": ["=?big5?B?wWPF6Q==?=", "繁體"],
  "EUC-KR": ["=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"],
  "KOI8-R": ["=?koi8-r?B?8NLJ18XU?=", "Привет"],
  "windows-1251": ["=?windows-1251?Q?=CF=F0=E8?=", "При"],
  "UTF-7": ["=?utf-7?Q?+AOQ-_+2D3eAA-?=", "ä 😀"],
  "a language": ["=?us-ascii*en?Q?hi?=", "hi"],
  "a vendor's label": ["=?cp932?B?g2WDWINn?=", "テスト"],
  "an unknown charset": ["=?x-nowhere?Q?a=41?=", "=?x-nowhere?Q?a=41?="],
  "an unknown encoding": ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  "broken base64": ["=?utf-8?B?!!!?=", "=?utf-8?B?!!!?="],
  "an open word": ["=?utf-8?Q?abc", "=?utf-8?Q?abc"],
  "an empty word": ["a =?utf-8?Q??= b", "a  b"],
  "8-bit beside a word": ["\xc3\xb6 =?utf-8?q?x?=", "ö x"],
};

for (const [name, [encoded, decoded]] of Object.entries(CASES)) {
  Deno.test(`decodeWords: ${name}`, () => equal(decodeWords(encoded), decoded));
}

Deno.test("decodeWords reads back what is written as Q words, cut at any octet", () => {
  const octets = (text: string) => latin1FromBytes(new TextEncoder().encode(text));
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.nat(), (text, cut) => {
    const escaped = Array.from(
      octets(text.replace(/^\ufeff/, "x")),
      (char) => `=${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
    const at = cut % (escaped.length + 1);
    const words = [escaped.slice(0, at), escaped.slice(at)].map((part) =>
      `=?utf-8?q?${part.join("")}?=`
    );
    equal(decodeWords(words.join("\t ")), text.replace(/^\ufeff/, "x"));
  }));
});

Deno.test("decodeWords takes time in proportion to hostile text", () => {
  for (const piece of ["=?", "=?a?q?", "=?a?b?x", "=?utf-8?q?=", " =?utf-8?q?a?="]) {
    const text = piece.repeat(200_000);
    ok(decodeWords(text).length > 0);
  }
  equal(latin1FromBytes(bytesFromLatin1("\xff")), "\xff");
});

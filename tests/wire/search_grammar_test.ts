import assert from "node:assert/strict";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import {
  ProgramTooLong,
  searchArgs,
  type SearchKey,
  UnknownCharset,
} from "../../src/wire/search_grammar.ts";
import { STAR } from "../../src/wire/number_set.ts";
import { faultOf, refuses, scan } from "./scan.ts";

function keyOf(text: string, literals: string[] = []): SearchKey {
  return scan(searchArgs, ` ${text}`, literals).key;
}

function keys(rows: readonly (readonly [string, SearchKey])[]): void {
  for (const [text, key] of rows) assert.deepEqual(keyOf(text), key, text);
}

const SEEN: SearchKey = { name: "FLAG", flag: "seen", set: true };
const ALL: SearchKey = { name: "ALL" };
const from = (value: string): SearchKey => ({ name: "HEADER", field: "From", value });

Deno.test("searchArgs: knows the keys about flags", () => {
  for (const flag of ["answered", "deleted", "draft", "flagged", "seen"] as const) {
    keys([
      [flag, { name: "FLAG", flag, set: true }],
      [`UN${flag}`, { name: "FLAG", flag, set: false }],
    ]);
  }
  keys([
    ["KEYWORD $Junk", { name: "KEYWORD", keyword: "$Junk", set: true }],
    ["UNKEYWORD x", { name: "KEYWORD", keyword: "x", set: false }],
    ["RECENT", { name: "RECENT", set: true }],
    ["OLD", { name: "RECENT", set: false }],
    ["NEW", {
      name: "AND",
      keys: [{ name: "RECENT", set: true }, { name: "FLAG", flag: "seen", set: false }],
    }],
  ]);
});

Deno.test("searchArgs: knows the keys about text", () => {
  for (const field of ["Bcc", "Cc", "From", "Subject", "To"]) {
    keys([[`${field.toUpperCase()} x`, { name: "HEADER", field, value: "x" }]]);
  }
  keys([
    ['HEADER X-Foo "a b"', { name: "HEADER", field: "X-Foo", value: "a b" }],
    ['HEADER Message-ID ""', { name: "HEADER", field: "Message-ID", value: "" }],
    ["BODY x", { name: "BODY", value: "x" }],
    ["text ALL", { name: "TEXT", value: "ALL" }],
    ["FROM <a@b>", from("<a@b>")],
  ]);
  assert.deepEqual(keyOf("FROM {4}\r\n SEEN", ["a\r\nb"]), {
    name: "AND",
    keys: [from("a\r\nb"), SEEN],
  });
});

Deno.test("searchArgs: knows the keys about dates, sizes and numbers", () => {
  for (const name of ["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"] as const) {
    keys([[`${name} 2-Jan-1970`, { name, day: 1 }], [`${name} "2-Jan-1970"`, { name, day: 1 }]]);
  }
  keys([
    ["LARGER 0", { name: "LARGER", size: 0 }],
    ["SMALLER 4294967296", { name: "SMALLER", size: 4294967296 }],
    ["OLDER 1", { name: "OLDER", seconds: 1 }],
    ["YOUNGER 86400", { name: "YOUNGER", seconds: 86400 }],
    ["UID 5:*", { name: "UID", set: { ranges: [[5, STAR]] } }],
    ["2,4:3", { name: "SEQUENCE", set: { ranges: [[2, 2], [3, 4]] } }],
    ["*", { name: "SEQUENCE", set: { ranges: [[STAR, STAR]] } }],
    ["MODSEQ 620162338", { name: "MODSEQ", modseq: 620162338 }],
    ['MODSEQ "/flags/\\\\draft" all 0', { name: "MODSEQ", modseq: 0 }],
  ]);
  refuses(searchArgs, [
    " OLDER 0",
    " LARGER -1",
    " LARGER",
    " SINCE 31-Feb-2020",
    " SINCE yesterday",
    " UID",
    " UID x",
    " 0",
    " 1,",
    " MODSEQ x",
    ' MODSEQ "/flags/x" 1',
    ' MODSEQ "/flags/x" some 1',
  ]);
});

Deno.test("searchArgs: joins keys", () => {
  keys([
    ["SEEN ALL", { name: "AND", keys: [SEEN, ALL] }],
    ["(SEEN)", SEEN],
    ["((SEEN) ALL)", { name: "AND", keys: [SEEN, ALL] }],
    ["NOT SEEN", { name: "NOT", key: SEEN }],
    ["OR SEEN ALL", { name: "OR", left: SEEN, right: ALL }],
    ["OR NOT SEEN (SEEN ALL) ALL", {
      name: "AND",
      keys: [
        { name: "OR", left: { name: "NOT", key: SEEN }, right: { name: "AND", keys: [SEEN, ALL] } },
        ALL,
      ],
    }],
  ]);
  refuses(searchArgs, [
    "",
    " ",
    " ()",
    " (SEEN",
    " SEEN)",
    " NOT",
    " OR SEEN",
    " SEEN  ALL",
    " FOO",
    ' "SEEN"',
  ]);
});

Deno.test("searchArgs: bounds nesting and the number of keys", () => {
  keyOf(`${"NOT ".repeat(100)}ALL`);
  keyOf(Array(1000).fill("ALL").join(" "));
  const message = (text: string) => faultOf(searchArgs, ` ${text}`).message;
  assert.match(message(`${"NOT ".repeat(101)}ALL`), /^Expected at most 100 nested levels/);
  assert.match(message(`${"(".repeat(101)}ALL`), /^Expected at most 100 nested levels/);
  assert.match(message(`${"OR ALL ".repeat(101)}ALL`), /^Expected at most 100 nested levels/);
  assert.match(message(Array(1001).fill("ALL").join(" ")), /^Expected at most 1000 search keys/);
});

Deno.test("searchArgs: bounds strings to search for", () => {
  const LIMIT = /^Expected a string of at most 1000 octets/;
  for (const key of ["BODY", "TEXT", "SUBJECT", "HEADER X-Foo", "FUZZY TEXT"]) {
    keyOf(`${key} {1000}\r\n`, ["x".repeat(1000)]);
    for (const octets of ["x".repeat(1001), "\xc3\xa9".repeat(501)]) {
      const fault = faultOf(searchArgs, ` ${key} {1}\r\n`, [latin1Bytes(octets)]);
      assert.ok(fault instanceof ProgramTooLong);
      assert.match(fault.message, LIMIT);
    }
  }
  keyOf('HEADER {1000}\r\n ""', ["x".repeat(1000)]);
  const fault = faultOf(searchArgs, ' HEADER {1}\r\n ""', [latin1Bytes("-".repeat(1001))]);
  assert.match(fault.message, LIMIT);
});

Deno.test("searchArgs: knows RETURN options", () => {
  const returns = (text: string) => scan(searchArgs, text).returns?.map(({ name }) => name);
  assert.equal(returns(" ALL"), undefined);
  assert.deepEqual(returns(" RETURN () ALL"), ["ALL"]);
  assert.deepEqual(returns(" return (min Max COUNT MIN save) ALL"), [
    "MIN",
    "MAX",
    "COUNT",
    "SAVE",
  ]);
  assert.deepEqual(returns(" RETURN (ALL) CHARSET UTF-8 ALL"), ["ALL"]);
  refuses(searchArgs, [
    " RETURN ALL",
    " RETURN (FOO) ALL",
    " RETURN (ALL)",
    " RETURN (ALL)ALL",
    " RETURN",
  ]);
});

Deno.test("searchArgs: reads the range of PARTIAL", () => {
  const range = (text: string) => scan(searchArgs, ` RETURN (PARTIAL ${text}) ALL`).returns?.[0];
  const read = { first: 400, last: 500, fromEnd: false, text: "500:400" };
  assert.deepEqual(range("500:400"), { name: "PARTIAL", range: read });
  const newest = { first: 1, last: 100, fromEnd: true, text: "-1:-100" };
  assert.deepEqual(range("-1:-100"), { name: "PARTIAL", range: newest });
  refuses(searchArgs, [
    " RETURN (PARTIAL) ALL",
    " RETURN (PARTIAL 1) ALL",
    " RETURN (PARTIAL 1:*) ALL",
    " RETURN (PARTIAL 0:1) ALL",
    " RETURN (PARTIAL -1:1) ALL",
    " RETURN (PARTIAL 1:-1) ALL",
    " RETURN (PARTIAL 1:2 ALL) ALL",
    " RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
  ]);
});

Deno.test("searchArgs: reads strings in their CHARSET", () => {
  const rows: [string, string][] = [
    ['FROM "\xc3\xa9"', "é"],
    ['FROM "\xe9"', "é"],
    ['CHARSET US-ASCII FROM "\xc3\xa9"', "é"],
    ['CHARSET utf-8 FROM "\xc3\xa9"', "é"],
    ['CHARSET "UTF-8" FROM a', "a"],
    ['CHARSET ISO-8859-1 FROM "\xe9"', "é"],
    ['charset koi8-r FROM "\xd7"', "в"],
    ['CHARSET Shift_JIS FROM "\x93\xfa"', "日"],
  ];
  for (const [text, value] of rows) assert.deepEqual(keyOf(text), from(value), text);
  assert.deepEqual(keyOf("CHARSET {5}\r\n FROM a", ["UTF-8"]), from("a"));
});

Deno.test("searchArgs: refuses bytes that their CHARSET does not have", () => {
  const fault = faultOf(searchArgs, ' CHARSET UTF-8 SEEN FROM "\xe9"');
  assert.match(fault.message, /^Expected a string valid in its charset at byte 26/);
  refuses(searchArgs, [" CHARSET UTF-8", " CHARSET", " CHARSET UTF-8 RETURN (ALL) ALL"]);
});

Deno.test("searchArgs: throws UnknownCharset for a charset that cannot be read", () => {
  for (const name of ["X-UNKNOWN", "UTF-7", "iso-2022-kr", '""']) {
    assert.throws(() => scan(searchArgs, ` CHARSET ${name} ALL`), UnknownCharset, name);
  }
  const message = /^Expected a known charset: got "X\?"$/;
  assert.throws(() => scan(searchArgs, " CHARSET {2}\r\n ALL", ["X\n"]), { message });
});

Deno.test("searchArgs: UIDAFTER and UIDBEFORE are ranges of UIDs", () => {
  const keyOf = (text: string) => scan(searchArgs, text).key;
  assert.deepEqual(keyOf(" UIDAFTER 7"), { name: "UID", set: { ranges: [[8, 4294967295]] } });
  assert.deepEqual(keyOf(" UIDBEFORE 7"), { name: "UID", set: { ranges: [[1, 6]] } });
  assert.deepEqual(keyOf(" UIDAFTER 4294967295"), { name: "UID", set: { ranges: [] } });
  assert.deepEqual(keyOf(" UIDBEFORE 1"), { name: "UID", set: { ranges: [] } });
  refuses(searchArgs, [" UIDAFTER", " UIDAFTER 1:2", " UIDBEFORE *", " UIDBEFORE 0"]);
});

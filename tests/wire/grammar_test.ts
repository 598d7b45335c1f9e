import assert from "node:assert/strict";
import { date, dateTime } from "../../src/wire/date_grammar.ts";
import {
  commandName,
  decodeBase64,
  flagList,
  lenientText,
  listMailbox,
  mailbox,
  sequenceSet,
  storeFlags,
  tag,
} from "../../src/wire/grammar.ts";
import { STAR } from "../../src/wire/number_set.ts";
import { refuses, scan, table } from "./scan.ts";

Deno.test("tag: is any astring without +", () => {
  table(tag, [["a1", "a1"], ["A.[]-$", "A.[]-$"]]);
  refuses(tag, ["", "+", "a+", "*", "(", '"a"', "a\xe9", "{1}"]);
});

Deno.test("commandName: is in upper case, with UID as a part of it", () => {
  table(commandName, [
    ["noop", "NOOP"],
    ["uid fetch", "UID FETCH"],
    ["UID", "UID"],
    ["X-foo", "X-FOO"],
  ]);
  refuses(commandName, ["", "(", "UID  FETCH", "NOOP x"]);
});

Deno.test("mailbox: is INBOX in any case, all else as spelled", () => {
  table(mailbox, [
    ["inbox", "INBOX"],
    ['"iNbOx"', "INBOX"],
    ["inbox/a", "inbox/a"],
    ["~peter/mail/&U,BTFw-", "~peter/mail/&U,BTFw-"],
    ['"a b"', "a b"],
    ['""', ""],
    ["Foo/", "Foo/"],
    ["a&b", "a&b"],
  ]);
  assert.equal(scan(mailbox, "{5}\r\n", ["inbox"]), "INBOX");
});

Deno.test("listMailbox: takes wildcards", () => {
  table(listMailbox, [["*", "*"], ["%", "%"], ["a/%.*]", "a/%.*]"], ['"% "', "% "], ['""', ""]]);
  refuses(listMailbox, ["", "(", "a\\", "a b"]);
});

Deno.test("flagList: has bits for system flags, and keywords as spelled", () => {
  table(flagList, [
    ["()", { system: 0, keywords: [] }],
    ["(\\Seen)", { system: 1, keywords: [] }],
    ["(\\answered \\FLAGGED \\Deleted \\dRaFt)", { system: 30, keywords: [] }],
    ["(\\Recent)", { system: 0, keywords: [] }],
    ["(\\Seen $Forwarded NonJunk)", { system: 1, keywords: ["$Forwarded", "NonJunk"] }],
    ["(Junk junk JUNK \\Seen \\Seen)", { system: 1, keywords: ["Junk"] }],
    ["(Seen)", { system: 0, keywords: ["Seen"] }],
  ]);
  refuses(flagList, ["(\\Foo)", "(\\*)", "(\\)", '("a")', "(a]b)", "\\Seen", "( )", "(\\Seen"]);
});

Deno.test("storeFlags: needs no parentheses", () => {
  table(storeFlags, [
    ["\\Seen", { system: 1, keywords: [] }],
    ["\\Seen a \\Draft", { system: 17, keywords: ["a"] }],
    ["(\\Seen)", { system: 1, keywords: [] }],
  ]);
  refuses(storeFlags, ["", "\\Seen  a", "\\Seen,a", "\\Seen (a)"]);
});

Deno.test("sequenceSet: keeps order, and puts the lower end first", () => {
  table(sequenceSet, [
    ["1", { ranges: [[1, 1]] }],
    ["*", { ranges: [[STAR, STAR]] }],
    ["1:*", { ranges: [[1, STAR]] }],
    ["*:1", { ranges: [[1, STAR]] }],
    ["4:2,1", { ranges: [[2, 4], [1, 1]] }],
    ["$", { ranges: [], saved: true }],
    ["4294967295", { ranges: [[4294967295, 4294967295]] }],
  ]);
  refuses(sequenceSet, [
    "",
    "0",
    "1,",
    ",1",
    "1:",
    ":1",
    "1:2:3",
    "1, 2",
    "4294967296",
    "-1",
    "a",
    "1,$",
    "$:2",
  ]);
});

const DAY = 86_400;

Deno.test("date: is a day since 1970", () => {
  table(date, [
    ["1-Jan-1970", 0],
    ["01-jan-1970", 0],
    ['"2-JAN-1970"', 1],
    ["31-Dec-1969", -1],
    ["29-Feb-2000", 11016],
    ["28-Feb-2023", 19416],
    ["1-Jan-0001", -719162],
  ]);
  refuses(date, ["29-Feb-2023", "29-Feb-1900", "31-Apr-2020", "0-Jan-2020", "32-Jan-2020"]);
  refuses(date, [
    "1-Foo-2020",
    "1-January-2020",
    "1-Jan-20",
    "1 Jan 2020",
    "2020-01-01",
    '"1-Jan-2020',
    "",
  ]);
});

Deno.test("dateTime: is seconds and a zone", () => {
  table(dateTime, [
    ['" 1-Jan-1970 00:00:00 +0000"', { seconds: 0, zone: 0 }],
    ['"01-Jan-1970 00:00:00 -0000"', { seconds: 0, zone: 0 }],
    ['"1-Jan-1970 00:00:00 +0000"', { seconds: 0, zone: 0 }],
    ['"17-Jul-1996 02:44:25 -0700"', { seconds: 837596665, zone: -420 }],
    ['"02-jan-1970 05:30:00 +0530"', { seconds: DAY, zone: 330 }],
    ['"31-Dec-2016 23:59:60 +0000"', { seconds: 1483228800, zone: 0 }],
    ['"02-Jan-1970 14:00:00 +1400"', { seconds: DAY, zone: 840 }],
  ]);
  const at = (text: string) => `"${text}"`;
  refuses(dateTime, [
    at("31-Feb-2020 00:00:00 +0000"),
    at("01-Jan-2020 24:00:00 +0000"),
    at("01-Jan-2020 00:60:00 +0000"),
    at("01-Jan-2020 00:00:61 +0000"),
    at("01-Jan-2020 00:00:00 +1401"),
    at("01-Jan-2020 00:00:00 -1500"),
    at("01-Jan-2020 00:00:00 +0060"),
    at("01-Jan-2020 00:00:00 0000"),
    at("01-Jan-2020 00:00:00 GMT"),
    at("01-Jan-2020 0:00:00 +0000"),
    at("  1-Jan-2020 00:00:00 +0000"),
    at("01-Jan-2020"),
    "01-Jan-2020 00:00:00 +0000",
    at(""),
  ]);
});

Deno.test("dateTime: never gives a zone of minus zero", () => {
  const { zone } = scan(dateTime, '"01-Jan-1970 00:00:00 -0000"');
  assert.ok(Object.is(zone, 0));
});

Deno.test("lenientText: is UTF-8, or else Latin-1", () => {
  assert.equal(lenientText("\xc3\xa9"), "é");
  assert.equal(lenientText("\xe9"), "é");
});

Deno.test("decodeBase64: wants full groups and padding", () => {
  const text = (base64: string) => {
    const bytes = decodeBase64(base64);
    return bytes && new TextDecoder().decode(bytes);
  };
  assert.equal(text(""), "");
  assert.equal(text("AGFhAGJi"), "\0aa\0bb");
  assert.equal(text("YQ=="), "a");
  for (const bad of ["=", "*", "YQ", "YQ=", "Y===", "YQ==YQ==", "Y Q=", "YQ\n=", "____"]) {
    assert.equal(text(bad), undefined, bad);
  }
});

import assert from "node:assert/strict";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import { decodeUtf8, Scanner } from "../../src/wire/scanner.ts";
import { faultOf, refuses, scan, table } from "./scan.ts";

const astring = (s: Scanner) => s.astring();
const quoted = (s: Scanner) => s.quoted();
const string = (s: Scanner) => s.string();

Deno.test("Scanner.atom: takes ATOM-CHARs", () => {
  table((s) => s.atom(), [["INBOX", "INBOX"], ["a[b", "a[b"], ["$x&~!#", "$x&~!#"]]);
  refuses((s) => s.atom(), ["", " ", "a b", "a(", "a)", "a{", "a%", "a*", 'a"', "a\\", "a]"]);
  refuses((s) => s.atom(), ["a\x00", "a\x1f", "a\x7f", "a\xe9"]);
});

Deno.test("Scanner.astring: takes an atom, a quoted string or a literal", () => {
  table(astring, [["a]b", "a]b"], ['""', ""], ['"a b"', "a b"], ["NIL", "NIL"]]);
  assert.equal(scan(astring, "{3}\r\n", ["a\r\n"]), "a\r\n");
  assert.equal(scan(astring, "{3+}\r\n", ["\xe9()"]), "\xe9()");
  refuses(astring, ["", "(", '"', "%", "{3}", "{3}\r\n", "\\Seen"]);
});

Deno.test("Scanner.quoted: knows two escapes, and takes 8-bit text", () => {
  table(quoted, [
    ['""', ""],
    [String.raw`"a\"b\\c"`, 'a"b\\c'],
    [String.raw`"\\\\\""`, '\\\\"'],
    ['"\xc3\xa9 {3}"', "\xc3\xa9 {3}"],
    ['"\t\x7f"', "\t\x7f"],
  ]);
  refuses(quoted, ['"', '"a', '"a\\', '"a\\"', '"\\n"', '"a\0"', '"a\r"', '"a\n"', '"a"b', "a"]);
});

Deno.test("Scanner.string: refuses atoms, NUL in a literal, and streamed literals", () => {
  refuses(string, ["a", "NIL", "~{1}\r\n"]);
  faultOf(string, "{1}\r\n", [latin1Bytes("\0")]);
  faultOf(string, "{1}\r\n", [{ streamed: true, size: 1, message: undefined }]);
});

Deno.test("Scanner.nstring: is undefined for NIL alone", () => {
  table((s) => s.nstring(), [["NIL", undefined], ["nil", undefined], ['"NIL"', "NIL"]]);
  refuses((s) => s.nstring(), ["NILL", "a"]);
});

Deno.test("Scanner.literal: takes literals in order", () => {
  const both = (s: Scanner) => {
    const first = s.string();
    s.space();
    return [first, s.string()];
  };
  assert.deepEqual(scan(both, "{1}\r\n {0+}\r\n", ["a", ""]), ["a", ""]);
  faultOf(both, "{1}\r\n {1}\r\n", [latin1Bytes("a")]);
  faultOf(string, "{1}\n", [latin1Bytes("a")]);
});

Deno.test("Scanner.number: is from 0 to 4294967295", () => {
  table((s) => s.number(), [["0", 0], ["007", 7], ["4294967295", 4294967295]]);
  refuses((s) => s.number(), ["", "-1", "+1", "4294967296", "1.5", "a", "9".repeat(400)]);
});

Deno.test("Scanner.nzNumber: is from 1 to 4294967295", () => {
  table((s) => s.nzNumber(), [["1", 1], ["4294967295", 4294967295]]);
  refuses((s) => s.nzNumber(), ["0", "01", "4294967296"]);
});

Deno.test("Scanner.number64: is up to 2^63-1, clipped to what a double holds", () => {
  table((s) => s.number64(), [
    ["0", 0],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740993", Number.MAX_SAFE_INTEGER],
    ["9223372036854775807", Number.MAX_SAFE_INTEGER],
    ["000000000000000000000000000001", 1],
  ]);
  refuses((s) => s.number64(), ["9223372036854775808", "10000000000000000000", "-1", ""]);
  refuses((s) => s.nzNumber64(), ["0", "00"]);
});

Deno.test("Scanner.takeKeyword: takes whole words in any case", () => {
  const nil = (s: Scanner) => s.takeKeyword("NIL");
  for (const text of ["NIL", "nil", "Nil"]) assert.equal(scan(nil, text), true);
  for (const text of ["NILS", "NI", "NIL.", '"NIL"', ""]) {
    const s = new Scanner(text);
    assert.equal(nil(s), false, text);
    assert.equal(s.position, 0);
  }
});

Deno.test("Scanner.list: is in parentheses, parted by one space", () => {
  const list = (s: Scanner) => s.list((s) => s.atom());
  table(list, [["(a)", ["a"]], ["(a b c)", ["a", "b", "c"]]]);
  refuses(list, ["()", "( a)", "(a )", "(a  b)", "(a", "a", "(a) b"]);
  table((s) => s.listOrEmpty((s) => s.atom()), [["()", []], ["(a)", ["a"]]]);
});

Deno.test("Scanner.nested: goes 100 levels deep", () => {
  const tree = (s: Scanner): unknown => s.peek() === "(" ? s.list(tree) : s.atom();
  const text = (depth: number) => "(".repeat(depth) + "a" + ")".repeat(depth);
  scan(tree, text(100));
  assert.match(faultOf(tree, text(101)).message, /^Expected at most 100 nested levels$/);
  scan((s) => s.separated(" ", tree), Array(200).fill(text(100)).join(" "));
});

Deno.test("Scanner.end: forgives spaces only", () => {
  for (const text of ["", " ", "   "]) new Scanner(text).end();
  assert.throws(
    () => new Scanner(" a").end(),
    /Expected the end of the command at byte 1: got " a"/,
  );
});

Deno.test("Scanner.spaceBeforeMore: takes a space before an argument only", () => {
  for (const [text, more] of [["", false], ["  ", false], [" a", true]] as const) {
    assert.equal(new Scanner(text).spaceBeforeMore(), more, text);
  }
  assert.throws(() => new Scanner("a").spaceBeforeMore(), /Expected a space at byte 1/);
});

Deno.test("SyntaxFault: says what was wanted, where, and what was got", () => {
  const fault = faultOf((s) => s.separated(",", (s) => s.nzNumber("a message number")), "1,");
  assert.equal(fault.offset, 2);
  assert.equal(
    fault.message,
    'Expected a message number from 1 to 4294967295 at byte 3: got "the end of the line"',
  );
});

Deno.test("SyntaxFault: quotes little, and nothing that a response line cannot hold", () => {
  const { message } = faultOf((s) => s.number(), `\r\n\0\xe9[${"x".repeat(100)}`);
  assert.equal(
    message,
    `Expected a number from 0 to 4294967295 at byte 1: got "????[${"x".repeat(15)}"`,
  );
});

Deno.test("Scanner.conceal: keeps what was got out of faults", () => {
  const { message } = faultOf((s) => {
    s.conceal();
    s.end();
  }, "secret");
  assert.equal(message, "Expected the end of the command at byte 1");
});

Deno.test("decodeUtf8: is undefined for what is not UTF-8", () => {
  assert.equal(decodeUtf8("abc"), "abc");
  assert.equal(decodeUtf8("\xc3\xa9"), "é");
  assert.equal(decodeUtf8("\xef\xbb\xbfa"), "\ufeffa");
  for (const bytes of ["\xe9", "\xc3", "\xc0\x80", "\xed\xa0\x80"]) {
    assert.equal(decodeUtf8(bytes), undefined);
  }
});

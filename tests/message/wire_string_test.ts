import { equal } from "node:assert/strict";
import { nstring, wireString } from "../../src/message/wire_string.ts";

Deno.test("wireString quotes printable ASCII", () => {
  equal(wireString(""), '""');
  equal(wireString("a\tb"), '"a\tb"');
  equal(wireString('say "hi" \\ bye'), '"say \\"hi\\" \\\\ bye"');
});

Deno.test("wireString gives all else as a literal with its octets counted", () => {
  equal(wireString("a\r\nb"), "{4}\r\na\r\nb");
  equal(wireString("J\xc3\xb6rg"), "{5}\r\nJ\xc3\xb6rg");
  equal(wireString("\x07"), "{1}\r\n\x07");
  equal(wireString("x".repeat(1025)), `{1025}\r\n${"x".repeat(1025)}`);
});

Deno.test("wireString leaves NUL out", () => {
  equal(wireString("a\0b"), '"ab"');
  equal(wireString("\xe9\0"), "{1}\r\n\xe9");
});

Deno.test("nstring tells missing from empty", () => {
  equal(nstring(undefined), "NIL");
  equal(nstring(""), '""');
  equal(nstring("NIL"), '"NIL"');
});

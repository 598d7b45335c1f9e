import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";
import { toWireForm, WireForm } from "../../src/message/wire_form.ts";
import { chunked, garbageMail } from "./mail_arbitrary.ts";

function wire(text: string): string {
  return latin1FromBytes(toWireForm(bytesFromLatin1(text)));
}

Deno.test("toWireForm ends every line in CRLF and leaves a lone CR", () => {
  equal(wire("a\nb\r\nc\rd\n\n"), "a\r\nb\r\nc\rd\r\n\r\n");
  equal(wire("\n"), "\r\n");
  equal(wire("\xe9\n\x80\r\n"), "\xe9\r\n\x80\r\n");
  equal(wire("ascii\nonly\n"), "ascii\r\nonly\r\n");
});

Deno.test("toWireForm gives the same array if there is nothing to change", () => {
  for (const text of ["", "a", "a\r\n", "\r", "\r\n\r\n", "a\rb"]) {
    const bytes = bytesFromLatin1(text);
    equal(toWireForm(bytes), bytes);
  }
});

Deno.test("WireForm in any chunks is the replacement of each bare LF", () => {
  fc.assert(fc.property(garbageMail, fc.array(fc.nat()), (text, cuts) => {
    const form = new WireForm();
    const got = chunked(text, cuts).map((chunk) => latin1FromBytes(form.push(chunk))).join("");
    equal(got, text.replace(/(?<!\r)\n/g, "\r\n"));
    equal(form.changed, got !== text);
  }));
});

Deno.test("WireForm gives back a chunk that it need not change", () => {
  const form = new WireForm();
  const first = bytesFromLatin1("a\r");
  const second = bytesFromLatin1("\nb\r\n");
  equal(form.push(first), first);
  equal(form.push(second), second);
  equal(form.changed, false);
  deepEqual(form.push(bytesFromLatin1("\n")), bytesFromLatin1("\r\n"));
  equal(form.changed, true);
});

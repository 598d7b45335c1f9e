import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  normalDomain,
  quoteLocal,
  splitEmail,
  unquoteLocal,
} from "../../src/names/email_address.ts";

Deno.test("splitEmail: splits at the last @, where both sides have something", () => {
  deepStrictEqual(splitEmail("a@b@c"), { local: "a@b", domain: "c" });
  for (const text of ["", "a", "@", "a@", "@a"]) strictEqual(splitEmail(text), undefined);
});

const LOCALS: readonly (readonly [string, string?])[] = [
  ["ann", "ann"],
  ["a.b+c", "a.b+c"],
  ["j\u00f6rg", "j\u00f6rg"],
  ['"a b"', "a b"],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ['"ann"', "ann"],
  ['""'],
  ["a b"],
  ["a..b"],
  [".a"],
  ['a"b'],
  ['"a"b"'],
  ['"a\\"'],
  ["a@b"],
  ['"a\u0000"'],
];

for (const [local, text] of LOCALS) {
  Deno.test(`unquoteLocal: ${JSON.stringify(local)}`, () => strictEqual(unquoteLocal(local), text));
}

Deno.test("quoteLocal: quotes only what is no atom, and nothing that has control characters", () => {
  strictEqual(quoteLocal("a.b"), "a.b");
  strictEqual(quoteLocal("a b"), '"a b"');
  strictEqual(quoteLocal('a"\\b'), '"a\\"\\\\b"');
  strictEqual(quoteLocal("a@b"), '"a@b"');
  strictEqual(quoteLocal(""), undefined);
  strictEqual(quoteLocal("a\nb"), undefined);
});

Deno.test("unquoteLocal: undoes quoteLocal", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
    const quoted = quoteLocal(text);
    if (quoted !== undefined) strictEqual(unquoteLocal(quoted), text);
  }));
});

Deno.test("normalDomain: has one form for all spellings", () => {
  for (const domain of ["B\u00fccher.Example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE."]) {
    strictEqual(normalDomain(domain), "b\u00fccher.example");
  }
  strictEqual(normalDomain("_x.example"), "_x.example");
  for (const domain of ["", ".", "a..b", "-a", "a-", "a b", "a/b", "xn--a", "a\u0000", "[::1]"]) {
    strictEqual(normalDomain(domain), undefined, domain);
  }
  strictEqual(normalDomain(`${"x.".repeat(127)}org`), undefined);
});

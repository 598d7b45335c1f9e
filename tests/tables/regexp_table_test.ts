import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { regexpTable, type RegexpTableOptions } from "../../src/tables/regexp_table.ts";
import { allValues } from "../../src/tables/table.ts";

const DEFAULTS = { fullMatch: true, caseInsensitive: true, expandPlaceholders: true };

function table(pattern: string, options: Partial<RegexpTableOptions> = {}) {
  return regexpTable({ ...DEFAULTS, pattern, ...options });
}

Deno.test("regexpTable: matches the whole key, also with alternatives", async () => {
  strictEqual(await table("a|ab").lookup("ab"), "ab");
  strictEqual(await table("a|b").lookup("axxb"), undefined);
  strictEqual(await table("^ann$").lookup("ann"), "ann");
  strictEqual(await table("ann").lookup("ann\n"), undefined);
});

Deno.test("regexpTable: finds a part of the key where full_match is off", async () => {
  const part = table("b(.)", { fullMatch: false, replacements: ["<$1>"] });
  strictEqual(await part.lookup("abcd"), "<c>");
  strictEqual(await part.lookup("ab"), undefined);
});

Deno.test("regexpTable: tells capitals apart where case_insensitive is off", async () => {
  strictEqual(await table("ann").lookup("ANN"), "ANN");
  strictEqual(await table("ann", { caseInsensitive: false }).lookup("ANN"), undefined);
  strictEqual(await table("\u00e4").lookup("\u00c4"), "\u00c4");
});

Deno.test("regexpTable: gives the key where there is no replacement", async () => {
  deepStrictEqual(await allValues(table(".+@example\\.org"), "A@example.org"), ["A@example.org"]);
});

Deno.test("regexpTable: fills in groups by number and name", async () => {
  const expand = (replacement: string) =>
    table("(?P<user>a+)(x)?", { replacements: [replacement] }).lookup("aa");
  strictEqual(await expand("$1"), "aa");
  strictEqual(await expand("${1}1"), "aa1");
  strictEqual(await expand("$user-${user}$0"), "aa-aaaa");
  strictEqual(await expand("[$2]"), "[]");
  strictEqual(await expand("$$1 $ ${"), "$1 $ ${");
  strictEqual(await expand("a$"), "a$");
});

Deno.test("regexpTable: takes placeholders as text where expand_placeholders is off", async () => {
  const plain = table("(.*)", { replacements: ["$1$9"], expandPlaceholders: false });
  strictEqual(await plain.lookup("x"), "$1$9");
});

Deno.test("regexpTable: refuses placeholders for groups that the pattern does not have", () => {
  for (const replacement of ["$2", "$1x", "${none}", "$constructor"]) {
    throws(
      () => table("(a)", { replacements: [replacement] }),
      { message: `Expected placeholders for groups of the pattern (a), got ${replacement}` },
    );
  }
});

Deno.test("regexpTable: refuses what is no pattern, and what no linear time is known for", () => {
  for (const pattern of ["(", "a{2,1}", "(?=a)", "(a)\\1"]) throws(() => table(pattern));
});

Deno.test("regexpTable: takes time in proportion to the key for patterns that can blow up", async () => {
  const nested = table("(a+)+$", { fullMatch: false });
  // A backtracking engine would need 2^5000 steps.
  strictEqual(await nested.lookup(`${"a".repeat(5000)}b`), undefined);
  ok(await nested.lookup("aaa"));
});

import assert from "node:assert/strict";
import { Refusal } from "../../src/imap/command.ts";
import { assertFilters, withoutFilters } from "../../src/imap/filters.ts";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import type { SearchKey } from "../../src/wire/search_grammar.ts";

const filter = (name: string): SearchKey => ({ name: "FILTER", filter: name });

/** Replaces a filter where the server keeps these annotations. */
function replaced(name: string, entries: Readonly<Record<string, string>>): Promise<SearchKey> {
  return withoutFilters(filter(name), (entry) => {
    const value = entries[entry];
    return Promise.resolve(value === undefined ? undefined : latin1Bytes(value));
  });
}

Deno.test("withoutFilters: the private filter comes before the public one", async () => {
  const shared = { "/shared/filters/values/a": "SEEN" };
  const both = { ...shared, "/private/filters/values/a": "DRAFT" };
  assert.deepEqual(await replaced("a", shared), { name: "FLAG", flag: "seen", set: true });
  assert.deepEqual(await replaced("a", both), { name: "FLAG", flag: "draft", set: true });
});

Deno.test("withoutFilters: a value may have literals", async () => {
  const entries = { "/private/filters/values/a": "OR BODY {3}\r\na)( SUBJECT {2+}\r\n{0" };
  assert.deepEqual(await replaced("a", entries), {
    name: "OR",
    left: { name: "BODY", value: "a)(" },
    right: { name: "HEADER", field: "Subject", value: "{0" },
  });
});

Deno.test("withoutFilters: refuses values that are no program", async () => {
  for (const value of ["", "OR SMALLER", "BODY {9}\r\nabc", "CHARSET UTF-8 ALL", "ALL)"]) {
    await assert.rejects(replaced("a", { "/private/filters/values/a": value }), Refusal, value);
  }
});

Deno.test("assertFilters: looks at the values of filters alone", () => {
  const set = (entry: string, value: string | undefined) =>
    assertFilters(new Map([[entry, value === undefined ? undefined : latin1Bytes(value)]]));
  set("/private/filters/values/a", "FLAGGED FILTER b");
  set("/private/filters/values/a", undefined);
  set("/private/filters/descriptions/a", "OR SMALLER");
  set("/private/comment", "OR SMALLER");
  assert.throws(() => set("/PRIVATE/Filters/Values/a", "OR SMALLER"), Refusal);
  assert.throws(() => set("/shared/filters/values/a/b", "ALL"), Refusal);
  assert.throws(() => set("/shared/filters/values/", "ALL"), Refusal);
});

/** What every table must do, wherever its values come from. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { allValues, isMutable, type Table } from "../../src/tables/table.ts";

/** A table to test, and what it is made of. */
export interface TablePlace {
  readonly table: Table;
  /** Keys and what the table has for them; `[]` for those that it does not know. */
  readonly entries: readonly (readonly [string, readonly string[]])[];
  /** Removes what the table was made of. */
  remove?(): Promise<void>;
}

/** Keys that clients may send, and that must do no more than not be found. */
const ODD_KEYS = [
  "",
  " ",
  "@",
  "a\0b",
  "a\nb: c",
  "' OR 1=1 --",
  "%",
  "$1",
  "__proto__",
  "constructor",
  "\ud800",
  "x".repeat(100_000),
];

/** Runs the suite on tables that `make` makes. */
export function tableContract(name: string, make: () => Promise<TablePlace>): void {
  function test(title: string, body: (place: TablePlace) => Promise<void>): void {
    Deno.test(`${title} (${name})`, async () => {
      const place = await make();
      try {
        await body(place);
      } finally {
        place.table.close?.();
        await place.remove?.();
      }
    });
  }

  test("Table.lookup: gives the first value of a key", async ({ table, entries }) => {
    ok(entries.some(([, values]) => values.length > 0));
    for (const [key, values] of entries) strictEqual(await table.lookup(key), values[0], key);
  });

  test("Table.lookupAll: gives all values of a key in order", async ({ table, entries }) => {
    for (const [key, values] of entries) deepStrictEqual(await allValues(table, key), values);
  });

  test("Table.rule: agrees with the table", async ({ table, entries }) => {
    if (table.rule === undefined) return;
    const valuesByRule = new Map<string | undefined, string>();
    for (const key of [...entries.map(([each]) => each), ...ODD_KEYS]) {
      const values = await allValues(table, key);
      const ruled = table.rule.apply(key);
      if (table.rule.whole) deepStrictEqual(values, ruled === undefined ? [] : [ruled], key);
      strictEqual(valuesByRule.get(ruled) ?? values.join(), values.join(), key);
      valuesByRule.set(ruled, values.join());
    }
  });

  test("Table.lookup: answers many at once", async ({ table, entries }) => {
    const many = Array.from({ length: 200 }, (_, i) => entries[i % entries.length]);
    const found = await Promise.all(many.map(([key]) => table.lookup(key)));
    deepStrictEqual(found, many.map(([, values]) => values[0]));
  });

  test("Table.lookup: takes any key, and finds the same again", async ({ table, entries }) => {
    for (const key of ODD_KEYS) {
      const values = await allValues(table, key);
      strictEqual(await table.lookup(key), values[0]);
    }
    for (const [key, values] of entries) strictEqual(await table.lookup(key), values[0]);
  });

  test("MutableTable: sets, lists and removes keys", async ({ table }) => {
    if (!isMutable(table)) return;
    const before = [...await table.keys()];
    ok(!before.includes("new"));
    await table.set("new", "1");
    deepStrictEqual([...await table.keys()].sort(), [...before, "new"].sort());
    strictEqual(await table.lookup("new"), "1");
    await table.set("new", "it's 2");
    deepStrictEqual(await allValues(table, "new"), ["it's 2"]);
    strictEqual(await table.set("new", "3", "another"), false);
    strictEqual(await table.set("new", "3", undefined), false);
    deepStrictEqual(await allValues(table, "new"), ["it's 2"]);
    strictEqual(await table.set("new", "3", "it's 2"), true);
    deepStrictEqual(await allValues(table, "new"), ["3"]);
    strictEqual(await table.remove("new"), true);
    strictEqual(await table.remove("new"), false);
    strictEqual(await table.set("new", "4", undefined), true);
    strictEqual(await table.remove("new"), true);
    strictEqual(await table.lookup("new"), undefined);
    deepStrictEqual([...await table.keys()].sort(), before.sort());
  });
}

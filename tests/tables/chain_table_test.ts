import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { chainTable } from "../../src/tables/chain_table.ts";
import { emailLocalpartTable } from "../../src/tables/email_tables.ts";
import { identityTable, staticTable } from "../../src/tables/fixed_tables.ts";
import { allValues, type Table } from "../../src/tables/table.ts";

const fan = staticTable(new Map([["ann", ["a", "b"]]]));
const onlyA = staticTable(new Map([["a", ["A"]]]));
const both = staticTable(new Map([["a", ["A"]], ["b", ["B", "A"]]]));

function step(table: Table, optional = false) {
  return { table, optional };
}

Deno.test("chainTable: looks up every value in the next step, and drops doubles", async () => {
  deepStrictEqual(await allValues(chainTable([step(fan), step(both)]), "ann"), ["A", "B"]);
});

Deno.test("chainTable: finds nothing where a step does not know one of the values", async () => {
  deepStrictEqual(await allValues(chainTable([step(fan), step(onlyA)]), "ann"), []);
});

Deno.test("chainTable: leaves out an optional step that does not know one of the values", async () => {
  const chain = chainTable([step(fan), step(onlyA, true), step(identityTable())]);
  deepStrictEqual(await allValues(chain, "ann"), ["a", "b"]);
});

Deno.test("Table.rule: a chain has that of the steps before its first list", () => {
  const local = emailLocalpartTable();
  const [rules, mixed] = [chainTable([step(local, true)]), chainTable([step(local), step(fan)])];
  strictEqual(rules.rule?.apply("ann@example.org"), "ann");
  strictEqual(rules.rule?.apply("ann"), "ann");
  strictEqual(rules.rule?.whole, true);
  strictEqual(mixed.rule?.apply("ann@example.org"), "ann");
  strictEqual(mixed.rule?.apply("ann"), undefined);
  strictEqual(mixed.rule?.whole, false);
  // Who is listed goes another way through them.
  for (const lists of [[step(fan, true), step(local)], [step(mixed, true), step(local)]]) {
    strictEqual(chainTable(lists).rule, undefined);
  }
});

Deno.test("chainTable: fails where a step cannot be read, also an optional one", async () => {
  const broken: Table = { lookup: () => Promise.reject(new Error("broken")) };
  await rejects(chainTable([step(broken, true)]).lookup("ann"), { message: "broken" });
});

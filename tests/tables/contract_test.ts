import { memoryLog } from "../../src/log.ts";
import { chainTable } from "../../src/tables/chain_table.ts";
import {
  emailLocalpartTable,
  emailWithDomainTable,
  optionalEmailLocalpartTable,
} from "../../src/tables/email_tables.ts";
import { FileTable } from "../../src/tables/file_table.ts";
import { identityTable, staticTable } from "../../src/tables/fixed_tables.ts";
import { regexpTable } from "../../src/tables/regexp_table.ts";
import { sqlTable, statementsOf } from "../../src/tables/sql_table.ts";
import { openSqlite } from "../../src/tables/sqlite_driver.ts";
import type { Table } from "../../src/tables/table.ts";
import { tableContract, type TablePlace } from "../contracts/table_contract.ts";

/** A suite for a table that is made of nothing but its settings. */
function pure(
  name: string,
  make: () => Table,
  entries: TablePlace["entries"],
): void {
  tableContract(name, () => Promise.resolve({ table: make(), entries }));
}

/** A suite for a table that lies in a folder. */
function inFolder(
  name: string,
  make: (dir: string) => Promise<Table>,
  entries: TablePlace["entries"],
): void {
  tableContract(name, async () => {
    const dir = await Deno.makeTempDir();
    const remove = () => Deno.remove(dir, { recursive: true });
    return { table: await make(dir), entries, remove };
  });
}

pure("identity", identityTable, [["ann", ["ann"]], ["a b", ["a b"]]]);

pure("static", () => staticTable(new Map([["ann", ["1"]], ["bob", ["2", "3"]], ["", [""]]])), [
  ["ann", ["1"]],
  ["bob", ["2", "3"]],
  ["", [""]],
  ["carl", []],
  ["Ann", []],
]);

inFolder("file", async (dir) => {
  await Deno.writeTextFile(`${dir}/t`, "# users\nann: 1\nbob: 2\nann: a, b\ndora\n");
  return await FileTable.open({ path: `${dir}/t`, log: memoryLog([]) });
}, [["ann", ["1", "a", "b"]], ["bob", ["2"]], ["dora", [""]], ["carl", []], ["# users", []]]);

pure("email_localpart", emailLocalpartTable, [
  ["ann@example.org", ["ann"]],
  ["a@b@example.org", []],
  ['"a@b"@example.org', ["a@b"]],
  ['"a \\"b\\""@example.org', ['a "b"']],
  ["postmaster", []],
  ["@example.org", []],
  ["ann@", []],
]);

pure("email_localpart_optional", optionalEmailLocalpartTable, [
  ["ann@example.org", ["ann"]],
  ["ann", ["ann"]],
  ['"a b"@example.org', ["a b"]],
  ["@example.org", ["@example.org"]],
]);

pure("email_with_domain", () => emailWithDomainTable(["example.org", "example.net"]), [
  ["ann", ["ann@example.org", "ann@example.net"]],
  ["a b", ['"a b"@example.org', '"a b"@example.net']],
  ["", []],
]);

const regexp = {
  pattern: "([^@]+)@(?P<domain>example\\.(?:org|net))",
  fullMatch: true,
  caseInsensitive: true,
  expandPlaceholders: true,
};

pure("regexp", () => regexpTable({ ...regexp, replacements: ["$1", "${domain}/$1.$$"] }), [
  ["Ann@Example.ORG", ["Ann", "Example.ORG/Ann.$"]],
  ["ann@example.com", []],
  ["xann@example.orgx", []],
]);

pure(
  "chain",
  () =>
    chainTable([
      { table: emailLocalpartTable(), optional: true },
      { table: staticTable(new Map([["ann", ["a", "b"]], ["bob", ["b"]]])), optional: false },
      { table: staticTable(new Map([["a", ["A"]]])), optional: true },
    ]),
  [
    ["ann", ["a", "b"]],
    ["ann@example.org", ["a", "b"]],
    ["bob", ["b"]],
    ["carl", []],
  ],
);

inFolder("sql_query", (dir) =>
  sqlTable({
    driver: openSqlite,
    dsn: `${dir}/t.sqlite`,
    init: ["CREATE TABLE t (k TEXT, v, n); INSERT INTO t VALUES ('ann', 'x', 1), ('ann', 2, 0)"],
    namedArgs: false,
    statements: {
      lookup: "SELECT v, 5 FROM t WHERE k = $1 ORDER BY n",
      add: "INSERT INTO t (v, k) VALUES ($2, $1)",
      list: "SELECT DISTINCT k FROM t",
      set: "UPDATE t SET v = $2 WHERE k = $1",
      del: "DELETE FROM t WHERE k = $1",
    },
  }), [["ann", ["2", "x"]], ["bob", []]]);

inFolder("sql_table", async (dir) => {
  const names = { tableName: 'my "users"', keyColumn: "key", valueColumn: "the value" };
  const { init, statements } = statementsOf(names);
  const insert = `INSERT INTO "my ""users""" VALUES ('ann', '1'), ('bob', '')`;
  const dsn = `${dir}/t.sqlite`;
  return await sqlTable({
    driver: openSqlite,
    dsn,
    init: [init, insert],
    namedArgs: true,
    statements,
  });
}, [["ann", ["1"]], ["bob", [""]], ["carl", []]]);

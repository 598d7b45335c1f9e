import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { sqlTable, type SqlTableOptions, statementsOf } from "../../src/tables/sql_table.ts";
import { openSqlite } from "../../src/tables/sqlite_driver.ts";
import { isMutable } from "../../src/tables/table.ts";

const USERS = statementsOf({ tableName: "users", keyColumn: "key", valueColumn: "value" });

/** A folder with a table of ann, and another connection to it. */
async function place() {
  const dir = await Deno.makeTempDir();
  const dsn = `${dir}/t.sqlite`;
  const open = (options: Partial<SqlTableOptions> = {}) =>
    sqlTable({
      driver: openSqlite,
      dsn,
      init: [],
      namedArgs: true,
      statements: USERS.statements,
      ...options,
    });
  const other = new DatabaseSync(dsn);
  other.exec(`${USERS.init}; INSERT INTO users VALUES ('ann', '1')`);
  return {
    dsn,
    open,
    other,
    async [Symbol.asyncDispose]() {
      other.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test("sqlTable: sees what another connection changes", async () => {
  await using at = await place();
  const table = await at.open();
  strictEqual(await table.lookup("ann"), "1");
  at.other.exec("UPDATE users SET value = '2'");
  strictEqual(await table.lookup("ann"), "2");
  table.close?.();
});

Deno.test("sqlTable: waits for a lock without holding up the event loop", async () => {
  await using at = await place();
  const table = await at.open();
  at.other.exec("BEGIN EXCLUSIVE");
  let found: string | undefined;
  const looking = table.lookup("ann").then((value) => found = value);
  // Were the loop held until the lock is gone, this turn would never come.
  await new Promise((resolve) => setTimeout(resolve));
  strictEqual(found, undefined);
  at.other.exec("COMMIT");
  strictEqual(await looking, "1");
  table.close?.();
});

Deno.test("sqlTable: of those that change a key at the same time, each from what it saw, one does", async () => {
  await using at = await place();
  const tables = await Promise.all([1, 2, 3].map(() => at.open()));
  for (const before of ["1", undefined]) {
    if (before === undefined) at.other.exec("DELETE FROM users");
    const done = await Promise.all(tables.flatMap((table, i) => {
      ok(isMutable(table));
      return [table.set("ann", `${i}a`, before), table.set("ann", `${i}b`, before)];
    }));
    strictEqual(done.filter((each) => each).length, 1, `${before}`);
  }
  for (const table of tables) table.close?.();
});

Deno.test("sqlTable: fails when the database stays locked, and works again afterwards", async () => {
  await using at = await place();
  const table = await at.open({ driver: (options) => openSqlite(options, 30) });
  at.other.exec("BEGIN EXCLUSIVE");
  await rejects(table.lookup("ann"), { message: "database is locked" });
  at.other.exec("COMMIT");
  strictEqual(await table.lookup("ann"), "1");
  table.close?.();
});

Deno.test("sqlTable: fails when the table is gone", async () => {
  await using at = await place();
  const table = await at.open();
  at.other.exec("DROP TABLE users");
  await rejects(table.lookup("ann"), { message: "no such table: users" });
  table.close?.();
});

Deno.test("sqlTable: leaves out NULL, and gives numbers and octets as text", async () => {
  await using at = await place();
  const lookup = "SELECT column1 FROM (VALUES (NULL), (12345678901234567), (x'61'), ('b')) " +
    "WHERE :key = 'ann'";
  const table = await at.open({ statements: { lookup } });
  deepStrictEqual(await table.lookupAll?.("ann"), ["12345678901234567", "a", "b"]);
  table.close?.();
});

Deno.test("sqlTable: cannot be changed where statements for that are missing", async () => {
  await using at = await place();
  const { lookup, list, set, del } = USERS.statements;
  const frozen = await at.open({ statements: { lookup, list, set } });
  strictEqual(isMutable(frozen), false);
  frozen.close?.();
  const known = await at.open({ statements: { lookup, list, set, del } });
  ok(isMutable(known));
  await known.set("ann", "2");
  strictEqual(await known.lookup("ann"), "2");
  await rejects(known.set("bob", "1"), { message: "The database took no value for bob" });
  known.close?.();
});

Deno.test("sqlTable: makes a file that only its owner can read, if it has something to put there", async () => {
  await using at = await place();
  const dsn = `${at.dsn}.new`;
  await rejects(at.open({ dsn }), /The database .*\.new cannot be opened: No such file/);
  const table = await at.open({ dsn, init: [USERS.init] });
  strictEqual(((await Deno.stat(dsn)).mode ?? 0) & 0o777, 0o600);
  table.close?.();
});

const isRoot = Deno.uid() === 0;

Deno.test({
  name: "sqlTable: gives a file that root makes to the owner of its folder" +
    (isRoot ? "" : " (skipped: not root here)"),
  ignore: !isRoot,
  async fn() {
    await using at = await place();
    const folder = at.dsn.slice(0, at.dsn.lastIndexOf("/"));
    await Deno.chown(folder, 12345, 12346);
    const dsn = `${folder}/new.sqlite`;
    const table = await at.open({ dsn, init: [USERS.init], statements: USERS.statements });
    ok(isMutable(table));
    await table.set("ann", "1");
    const { uid, gid, mode } = await Deno.stat(dsn);
    deepStrictEqual([uid, gid, (mode ?? 0) & 0o777], [12345, 12346, 0o600]);
    table.close?.();
  },
});

Deno.test("sqlTable: refuses a faulty statement when it is opened", async () => {
  await using at = await place();
  const open = (lookup: string, namedArgs = true) => at.open({ namedArgs, statements: { lookup } });
  await rejects(open("SELECT nonsense FROM users WHERE key = :key"), /no such column: nonsense/);
  await rejects(open("SELECT value FROM users WHERE key = :name"), {
    message: "Expected a statement with :key, got SELECT value FROM users WHERE key = :name",
  });
  await rejects(open("SELECT value FROM users WHERE key = :key", false), {
    message: "Expected a statement with $1, got SELECT value FROM users WHERE key = :key",
  });
  await Deno.writeTextFile(`${at.dsn}.text`, "This is not a database, but it is long enough.\n");
  await rejects(at.open({ dsn: `${at.dsn}.text` }), /file is not a database/);
});

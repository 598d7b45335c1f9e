/** Tables in SQL databases. */

import type { SqlArguments, SqlConnection, SqlDriver, SqlStatement } from "./sql_driver.ts";
import type { MutableTable, Table } from "./table.ts";

/** The statements of a table; without those after `lookup` it cannot be changed. */
export interface SqlStatements {
  /** Gives the values of a key. */
  readonly lookup: string;
  /** Adds a key and its value. */
  readonly add?: string;
  /** Gives all keys. */
  readonly list?: string;
  /** Changes the value of a key. */
  readonly set?: string;
  /** Removes a key. */
  readonly del?: string;
}

/** How to open an {@link sqlTable}. */
export interface SqlTableOptions {
  readonly driver: SqlDriver;
  readonly dsn: string;
  /** Statements that run once, before all others. */
  readonly init: readonly string[];
  readonly namedArgs: boolean;
  readonly statements: SqlStatements;
}

/**
 * Opens a table that asks a database. It can be changed where there are statements for that.
 *
 * @throws {Error} when the database cannot be opened, or does not take one of the statements
 */
export async function sqlTable(options: SqlTableOptions): Promise<Table | MutableTable> {
  const { driver, dsn, init, namedArgs, statements } = options;
  const connection = await driver({ dsn, namedArgs, create: init.length > 0 });
  try {
    for (const statement of init) await connection.execute(statement);
    return await prepared(connection, statements);
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function prepared(
  connection: SqlConnection,
  { lookup, add, list, set, del }: SqlStatements,
): Promise<Table | MutableTable> {
  const prepare = async (text: string | undefined, uses: readonly (keyof SqlArguments)[]) =>
    text === undefined ? undefined : await connection.prepare(text, uses);
  const find = await connection.prepare(lookup, ["key"]);
  const adding = await prepare(add, ["key", "value"]);
  const setting = await prepare(set, ["key", "value"]);
  const listing = await prepare(list, []);
  const removing = await prepare(del, ["key"]);
  const table: Table = {
    lookup: async (key) => (await find.values({ key })).at(0),
    lookupAll: (key) => find.values({ key }),
    close: () => connection.close(),
  };
  const puts = [setting, adding].filter((statement) => statement !== undefined);
  if (puts.length === 0 || listing === undefined || removing === undefined) return table;
  return {
    ...table,
    keys: () => listing.values({}),
    set: (key, value, ...before) =>
      connection.transaction(async () => {
        for (const each of before) if (each !== (await find.values({ key })).at(0)) return false;
        await put(puts, key, value);
        return true;
      }),
    remove: (key) => connection.transaction(async () => await removing.change({ key }) > 0),
  };
}

/** The first of `statements` that changes anything is the right one. */
async function put(
  statements: readonly SqlStatement[],
  key: string,
  value: string,
): Promise<void> {
  for (const statement of statements) {
    if (await statement.change({ key, value }) > 0) return;
  }
  throw new Error(`The database took no value for ${key}`);
}

/** Names of a table with one row for each key. */
export interface SqlNames {
  readonly tableName: string;
  readonly keyColumn: string;
  readonly valueColumn: string;
}

/** What makes such a table, and asks it, with named arguments. */
export function statementsOf(
  names: SqlNames,
): { init: string; statements: Required<SqlStatements> } {
  const table = quoted(names.tableName);
  const key = quoted(names.keyColumn);
  const value = quoted(names.valueColumn);
  return {
    init: `CREATE TABLE IF NOT EXISTS ${table} (${key} TEXT PRIMARY KEY NOT NULL, ` +
      `${value} TEXT NOT NULL)`,
    statements: {
      lookup: `SELECT ${value} FROM ${table} WHERE ${key} = :key`,
      add: `INSERT INTO ${table} (${key}, ${value}) VALUES (:key, :value)`,
      list: `SELECT ${key} FROM ${table} ORDER BY ${key}`,
      set: `UPDATE ${table} SET ${value} = :value WHERE ${key} = :key`,
      del: `DELETE FROM ${table} WHERE ${key} = :key`,
    },
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

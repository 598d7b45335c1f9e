/** Tables in SQLite files. */

import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { createOwnedFile } from "../ownership.ts";
import type { SqlArguments, SqlConnection, SqlOptions, SqlStatement } from "./sql_driver.ts";

/** Milliseconds for which a locked database is tried again. */
const PATIENCE = 5000;

/**
 * Opens the file `options.dsn`. SQLite runs on the event loop, where a lookup by an index takes
 * some microseconds; waiting for another process that has locked the file does not.
 *
 * @throws {Error} when there is no such file and none is to be made, or it cannot be opened
 */
export async function openSqlite(
  options: SqlOptions,
  patience = PATIENCE,
): Promise<SqlConnection> {
  const { dsn, namedArgs, create } = options;
  await requireFile(dsn, create);
  // SQLite's own way to wait would stop everything else.
  const database = new DatabaseSync(dsn, { timeout: 0 });
  const execute = (statements: string) => whenUnlocked(() => database.exec(statements), patience);
  let last: Promise<unknown> = Promise.resolve();
  return {
    execute,
    async transaction(work) {
      const running = last.then(() => inTransaction(execute, work));
      last = running.catch(() => {});
      return await running;
    },
    async prepare(text, uses): Promise<SqlStatement> {
      const names = namedArgs ? { key: ":key", value: ":value" } : { key: "$1", value: "$2" };
      const used = uses.map((use) => ({ use, name: names[use] }));
      for (const { name } of used) {
        if (isUsed(text, name)) continue;
        throw new Error(`Expected a statement with ${name}, got ${text}`);
      }
      const statement = await whenUnlocked(() => database.prepare(text), patience);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      const named = (args: SqlArguments) =>
        Object.fromEntries(used.map(({ use, name }) => [name, args[use] ?? null]));
      return {
        async values(args) {
          const rows = await whenUnlocked(() => statement.all(named(args)), patience);
          return rows.flatMap((row: unknown) => Array.isArray(row) ? textOf(row[0]) : []);
        },
        change: (args) => whenUnlocked(() => Number(statement.run(named(args)).changes), patience),
      };
    },
    close: () => database.close(),
  };
}

async function inTransaction<T>(
  execute: (statement: string) => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  // Locked for others from the start: what is read shall still be so when it is changed.
  await execute("BEGIN IMMEDIATE");
  try {
    const result = await work();
    await execute("COMMIT");
    return result;
  } catch (error) {
    // There is none any more where SQLite has ended it by itself.
    await execute("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** A file that may hold passwords is made for its owner only, who is that of its folder. */
async function requireFile(path: string, create: boolean): Promise<void> {
  try {
    if (create) createUnlessThere(path);
    const file = await Deno.open(path, { read: true, write: create });
    file.close();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The database ${path} cannot be opened: ${reason}`, { cause: error });
  }
}

function createUnlessThere(path: string): void {
  if (fs.existsSync(path)) return;
  try {
    fs.closeSync(createOwnedFile(path, 0o600));
  } catch (error) {
    // Made by another program meanwhile
    if (!fs.existsSync(path)) throw error;
  }
}

function isUsed(statement: string, name: string): boolean {
  return new RegExp(`${name.replace("$", "\\$")}(?![A-Za-z0-9_])`).test(statement);
}

function textOf(value: unknown): string[] {
  if (value === null) return [];
  if (value instanceof Uint8Array) return [new TextDecoder().decode(value)];
  return [String(value)];
}

async function whenUnlocked<T>(work: () => T, patience: number): Promise<T> {
  const until = performance.now() + patience;
  for (let wait = 5;; wait = Math.min(100, wait * 2)) {
    try {
      return work();
    } catch (error) {
      if (!isLocked(error) || performance.now() + wait > until) throw error;
    }
    await setTimeout(wait);
  }
}

/** SQLITE_BUSY; Deno gives no code of its own for it. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && /database (table )?is locked/.test(error.message);
}

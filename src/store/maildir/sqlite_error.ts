/** What went wrong in SQLite, told from its message: `node:sqlite` gives no result code in Deno. */

import { StoreError } from "../store.ts";

/**
 * SQLITE_CORRUPT, that of FTS5 too, and SQLITE_NOTADB: the file is not a sound database; or it has
 * not the tables that were made in it, or those of a later version than it says; or a constraint
 * does not hold, which only a table can cause that differs from its index.
 */
export function isDamage(error: unknown): boolean {
  const message = messageOf(error);
  return /malformed|not a database|unsupported file format|corruption/.test(message) ||
    /no such (table|column)|has no column|already exists|duplicate column|constraint failed/.test(
      message,
    );
}

/** SQLITE_BUSY: another process, or another store, has the file. */
export function isLocked(error: unknown): boolean {
  return /database (table )?is locked/.test(messageOf(error));
}

/** SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN: the system refuses, which says nothing of the file. */
export function isRefused(error: unknown): boolean {
  return /is full|disk I\/O error|unable to open/.test(messageOf(error));
}

/** Damage that SQLite itself did not fail at, told as if it had. */
export class IndexDamage extends Error {
  constructor(found: string) {
    super(`database disk image is malformed: ${found}`);
  }
}

/** True for an error that `node:sqlite` threw, and for {@link IndexDamage}. */
export function isSqliteError(error: unknown): boolean {
  return error instanceof IndexDamage ||
    (error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR");
}

/** The refusal that a failing index means to the client. */
export function sqliteRefusal(error: unknown): StoreError {
  if (/full/.test(messageOf(error))) {
    return new StoreError("over-quota", "The disk is full", { cause: error });
  }
  return new StoreError("unavailable", "The mailbox index cannot be used now", { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

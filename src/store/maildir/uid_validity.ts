/** Gives each mailbox of an account a UIDVALIDITY that no other one ever had. */

import { closeSync, renameSync, writeFileSync } from "node:fs";
import type { Log } from "../../log.ts";
import { createOwnedFile, readStart } from "../../ownership.ts";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import type { DatabaseSync } from "node:sqlite";
import { fsync, syncDirectory } from "./incoming_file.ts";
import { lstat } from "./locating.ts";
import type { MailboxRows } from "./mailbox_rows.ts";

/** Outlives the index, so that mailboxes of an index made anew never repeat an old value. */
export const UID_VALIDITY_FILE = "imapd.uidvalidity";
/** More than the number takes. */
const OCTETS = 16;
const LARGE = 0xf000_0000;
const META = "last_uid_validity";

/** Seconds since 1970, or one above the last value given. @see RFC 9051 §2.3.1.1 */
export class UidValidities {
  readonly #root: string;
  readonly #path: string;
  readonly #rows: MailboxRows;
  readonly #clock: () => number;
  #last: number;
  /** The last value in the file. */
  #kept: number;
  #keeping: Promise<void> = Promise.resolve();

  constructor(root: string, rows: MailboxRows, clock: () => number, log: Log) {
    this.#root = root;
    this.#path = `${root}/${UID_VALIDITY_FILE}`;
    this.#rows = rows;
    this.#clock = clock;
    this.#kept = this.#read(log);
    this.#last = Math.max(rows.meta(META), this.#kept);
  }

  /** The next value; {@link keep} and {@link save} must follow before the transaction commits. */
  next(): number {
    this.#last = Math.max(Math.floor(this.#clock() / 1000), this.#last + 1);
    return this.#last;
  }

  /** A value that comes from another server; the same must follow as after {@link next}. */
  note(value: number): void {
    // Time gets to large ones late, and above them there would soon be none left.
    if (value < LARGE) this.#last = Math.max(this.#last, value);
  }

  /** Notes the values given; call it in their transaction. */
  save(): void {
    this.#rows.setMeta(META, this.#last);
  }

  /**
   * Makes the values given durable beside the index, and with that all entries of the Maildir.
   *
   * @throws {StoreError} `over-quota`, `unavailable`
   */
  keep(): Promise<void> {
    return this.#keeping = this.#keeping.catch(() => {}).then(() => this.#write());
  }

  async #write(): Promise<void> {
    const value = this.#last;
    try {
      if (value !== this.#kept) {
        const tmp = `${this.#path}.tmp`;
        removeIfThere(tmp);
        const fd = createOwnedFile(tmp, 0o600);
        try {
          writeFileSync(fd, `${value}\n`);
          await fsync(fd);
        } finally {
          closeSync(fd);
        }
        if (lstat(this.#path)?.isDirectory) Deno.removeSync(this.#path);
        renameSync(tmp, this.#path);
      }
      await syncDirectory(this.#root);
      this.#kept = value;
    } catch (error) {
      throw storeErrorOf(error, "making a mailbox");
    }
  }

  /** Without it those in the index are known, and the time. */
  #read(log: Log): number {
    try {
      return valueOf(readStart(this.#path, OCTETS)) ?? 0;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return 0;
      log.warn("the last UIDVALIDITY cannot be read", { path: this.#path, problem: String(error) });
      return 0;
    }
  }
}

/** An empty folder, too. Its errors are the system's, which those of rmSync are not. */
function removeIfThere(path: string): void {
  if (lstat(path)) Deno.removeSync(path);
}

function valueOf(text: string): number | undefined {
  const value = /^\d{1,10}\n?$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value < 0xffffffff ? value : undefined;
}

/** What is wrong with the file beside an index, after its name; undefined if it is as it should be. */
export function uidValidityFault(root: string, database: DatabaseSync): string | undefined {
  const least = leastUidValidity(database);
  if (least === 0) return undefined;
  try {
    const value = valueOf(readStart(`${root}/${UID_VALIDITY_FILE}`, OCTETS));
    if (value === undefined) return "holds no number";
    return value < least ? `holds ${value}, and ${least} was given` : undefined;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "is not there";
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The last value that was given by the index. */
export function leastUidValidity(database: DatabaseSync): number {
  const row = database.prepare(
    `SELECT max(ifnull((SELECT value FROM meta WHERE name = ?), 0),
       ifnull((SELECT max(uid_validity) FROM mailboxes WHERE uid_validity < ?), 0)) AS least`,
  ).get(META, LARGE);
  return Number(row?.least ?? 0);
}

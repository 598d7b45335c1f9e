/** A state of an account that does not change any more, for backups: a copy of its index. */

import { DatabaseSync } from "node:sqlite";
import * as fs from "node:fs";
import { Pace, yieldNow } from "../../pace.ts";
import { type AccountSnapshot, type SnapshotFile, StoreError } from "../store.ts";
import type { AccountContext } from "./account_context.ts";
import { storeErrorOf } from "./disk_error.ts";
import { COPIED } from "./restored.ts";
import { INDEX_FILE } from "./schema.ts";
import { isSqliteError, sqliteRefusal } from "./sqlite_error.ts";

/** In the Maildir, where the server may write; nobody sees it for longer than the copying takes. */
const COPY_FILE = `${INDEX_FILE}.snapshot`;
const PIECE = 256 * 1024;
const FILES_PER_STEP = 500;
const DOING = "copying the index";

/** Copies the index of one open account. */
export class IndexCopies {
  readonly #path: string;
  readonly #database: DatabaseSync;
  /**
   * Open until the database is closed: the locks of SQLite are the process's, and closing any
   * descriptor of the file would drop them.
   */
  #index: number | undefined;

  constructor(root: string, database: DatabaseSync) {
    this.#path = `${root}/${INDEX_FILE}`;
    this.#database = database;
  }

  /** Writes the index to `path`; nothing may change it meanwhile. */
  async copy(path: string): Promise<void> {
    // One that is empty would only get another time.
    if (fs.statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size !== 0) {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    this.#index ??= fs.openSync(this.#path, "r");
    using copy = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
    const piece = new Uint8Array(PIECE);
    for (let position = 0;;) {
      // Synchronous, since Deno's asynchronous calls close duplicates of the descriptor.
      const count = fs.readSync(this.#index, piece, { position });
      if (count === 0) return;
      position += count;
      for (let at = 0; at < count;) at += await copy.write(piece.subarray(at, count));
      await yieldNow();
    }
  }

  /** To be called once the database is closed. */
  close(): void {
    if (this.#index !== undefined) fs.closeSync(this.#index);
    this.#index = undefined;
  }
}

/**
 * Takes a snapshot; until it is closed, files of expunged messages stay.
 *
 * @throws {StoreError} `over-quota`, `unavailable`
 */
export async function takeSnapshot(account: AccountContext): Promise<AccountSnapshot> {
  const path = `${account.root}/${COPY_FILE}`;
  const release = account.removals.hold();
  try {
    return await account.writer.alone(async () => {
      await account.indexCopies.copy(path);
      return new Snapshot(account.root, path, release);
    });
  } catch (error) {
    release();
    await Deno.remove(path).catch(() => {});
    throw isSqliteError(error) ? sqliteRefusal(error) : storeErrorOf(error, DOING);
  }
}

class Snapshot implements AccountSnapshot {
  readonly root: string;
  readonly folders: readonly string[];
  readonly indexName = INDEX_FILE;
  readonly #copy: DatabaseSync;
  readonly #file: Deno.FsFile;
  readonly #mailboxes: readonly { readonly id: number; readonly folder: string }[];
  readonly #release: () => void;
  #closed = false;

  constructor(root: string, path: string, release: () => void) {
    this.root = root;
    this.#release = release;
    this.#copy = new DatabaseSync(path);
    try {
      // No log beside it: the copy is one file.
      this.#copy.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN");
      this.#copy.prepare("INSERT OR REPLACE INTO meta VALUES (?, 1)").run(COPIED);
      this.#copy.exec("COMMIT");
      this.#mailboxes = this.#copy.prepare("SELECT id, folder FROM mailboxes").all()
        .map(({ id, folder }) => ({ id: Number(id), folder: String(folder) }));
      this.folders = this.#mailboxes.map(({ folder }) => folder);
      this.#file = Deno.openSync(path);
      // Both have it open; so nothing is left behind, whatever ends this process.
      Deno.removeSync(path);
    } catch (error) {
      this.#copy.close();
      throw error;
    }
  }

  async *index(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const count = await this.#file.read(piece).catch((error) => {
        throw storeErrorOf(error, DOING);
      });
      if (count === null) return;
      yield piece.subarray(0, count);
    }
  }

  async *files(): AsyncGenerator<readonly SnapshotFile[], void> {
    const pace = new Pace();
    const statement = this.#copy.prepare(
      `SELECT id & 4294967295 AS uid, in_new, base, info FROM files
       WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | 4294967295 ORDER BY id LIMIT ?3`,
    );
    for (const { id, folder } of this.#mailboxes) {
      for (let first = 0;;) {
        const rows = statement.all(id, first, FILES_PER_STEP);
        if (rows.length > 0) {
          if (rows.some(({ base, info }) => `${base}${info}`.includes("/"))) {
            throw new StoreError("unavailable", "The index names a file outside of the mailbox");
          }
          yield rows.map(({ in_new, base, info }) => ({
            folder,
            directory: in_new ? "new" : "cur",
            base: String(base),
            name: `${base}${info}`,
          }));
        }
        if (rows.length < FILES_PER_STEP) break;
        first = Number(rows[rows.length - 1].uid) + 1;
        if (pace.due()) await pace.turn();
      }
    }
  }

  // deno-lint-ignore require-await -- the contract leaves room for stores that must wait
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    this.#copy.close();
    this.#release();
  }
}

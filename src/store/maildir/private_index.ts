/** The index of an account whose disk is read-only: SQLite would have to write beside it. */

import { statfsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import type { AccountIndex } from "./account_parts.ts";
import { takesWrites } from "./commit_numbers.ts";
import { openCopied } from "./copied_database.ts";
import { unprovenCommits } from "./disk_error.ts";
import { copyIndex, type CopyPlaces, indexFiles, makeCopyFolder } from "./index_copy.ts";
import { lstat } from "./locating.ts";
import { bringUpToDate, INDEX_FILE, isEmpty, lookForDamage } from "./schema.ts";
import { isLogKept } from "./write_ahead_log.ts";

/** Copies take at most this part of the room that there is where they are made. */
const PART = 1 / 4;

/** What is copied, and how large it is. */
interface Copied {
  readonly root: string;
  readonly octets: number;
  /** See {@link PrivateIndexes.open}. */
  readonly check: boolean;
}

/** Opens indexes of accounts whose disk is read-only. */
export class PrivateIndexes {
  /** Of all copies that are open. */
  #octets = 0;

  constructor(readonly places: CopyPlaces = {}) {}

  /**
   * Opens a copy of the index that nobody else sees, and that is gone when it is closed.
   *
   * @param check look through all of it for damage
   * @throws {StoreError} `unavailable`
   */
  async open(root: string, check: boolean): Promise<AccountIndex> {
    try {
      const dir = await this.#makeFolder();
      try {
        const octets = octetsOf(root);
        this.#assertRoom(octets, dir);
        return await this.#openIn(dir, { root, octets, check });
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw unavailable("The disk is read-only, and the index cannot be read", error);
    }
  }

  async #openIn(dir: string, { root, octets, check }: Copied): Promise<AccountIndex> {
    this.#octets += octets;
    try {
      const path = await copyIndex(root, dir);
      // Else it may have changed meanwhile.
      if (takesWrites(root) !== false) throw unavailable("The disk takes writes again");
      const interrupted = (lstat(`${path}-wal`)?.size ?? 0) > 0;
      const database = open(path, check);
      const close = () => {
        this.#octets -= octets;
        database.close();
      };
      return { database, made: false, interrupted, path, readOnly: true, close };
    } catch (error) {
      this.#octets -= octets;
      throw error;
    }
  }

  /** @throws {StoreError} `unavailable` */
  #assertRoom(octets: number, dir: string): void {
    const { bavail, bsize } = statfsSync(dir);
    const room = bavail * bsize + this.#octets;
    if (this.#octets + octets <= room * PART) return;
    throw unavailable("There is no room for a copy of the index: TMPDIR can name another folder");
  }

  async #makeFolder(): Promise<string> {
    try {
      return await makeCopyFolder(this.places);
    } catch (error) {
      throw unavailable(
        "The disk is read-only, and neither TMPDIR nor runtime_dir takes a copy of the index",
        error,
      );
    }
  }
}

/** What a copy takes. @throws {StoreError} `unavailable` if none can be made */
function octetsOf(root: string): number {
  const files = indexFiles(root);
  if (!files.every(({ info }) => info.isFile)) {
    throw unavailable("The account's index is not a plain file");
  }
  // A log is kept because a sync failed.
  if (isLogKept(`${root}/${INDEX_FILE}`)) throw unprovenCommits();
  return files.reduce((sum, { info }) => sum + info.size, 0);
}

function open(path: string, check: boolean): DatabaseSync {
  const database = openCopied(path);
  try {
    database.exec(
      "PRAGMA foreign_keys = OFF; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;",
    );
    if (isEmpty(database)) throw unavailable("The disk is read-only, and there is no index yet");
    if (check) lookForDamage(database);
    bringUpToDate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function unavailable(message: string, cause?: unknown): StoreError {
  return new StoreError("unavailable", message, { cause });
}

/** The log that an account's changes are committed to, and what it means that it fails. */

import { StoreError } from "../store.ts";
import type { Numbering } from "./commit_numbers.ts";

/**
 * A change that is in the index, but may not be on the disk: after a power failure it has happened
 * or not. Files have to stay as it wants them.
 */
export class CommitInDoubt extends StoreError {
  constructor(cause: unknown) {
    super("unavailable", "The disk failed: the change may be kept or not", { cause });
  }
}

/** The log that commits are written to. */
export interface CommitLog {
  readonly numbers: Numbering;
  /**
   * Makes all that was committed so far durable.
   *
   * @param alone nobody else is waiting, as far as can be seen: it may hold the thread for a moment
   * @returns undefined if it is done
   */
  sync(alone: boolean): Promise<void> | undefined;
  /** Pages in it that are not in the index proper yet; undefined where SQLite cannot tell. */
  pages(): number | undefined;
  /**
   * Brings what was committed into the index proper; nothing may be committed meanwhile.
   *
   * @throws {Error} SQLite's: nothing is lost; all else: only {@link mend} helps
   */
  checkpoint(): Promise<void>;
  /** Makes durable what a failed sync may have lost. */
  mend(): Promise<void>;
}

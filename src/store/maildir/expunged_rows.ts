/** The rows of `expunged`: which UIDs left a mailbox at which mod-sequence. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { UidRange } from "./message_rows.ts";

/** Statements on `expunged`, and on how far back it reaches. */
export class ExpungedRows {
  readonly #since: StatementSync;
  readonly #newest: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#since = database.prepare(
      `SELECT first_uid AS first, last_uid AS last FROM expunged
       WHERE mailbox = ? AND modseq > ? ORDER BY first_uid`,
    );
    this.#newest = database.prepare(
      `SELECT modseq FROM expunged WHERE mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?`,
    );
    this.#setFloor = database.prepare("UPDATE mailboxes SET expunged_floor = ? WHERE id = ?");
    this.#forget = database.prepare(
      `DELETE FROM expunged WHERE mailbox = ?1 AND (modseq, first_uid) IN
         (SELECT modseq, first_uid FROM expunged WHERE mailbox = ?1 AND modseq <= ?2
          ORDER BY modseq LIMIT ?3)`,
    );
  }

  /** Ranges of UIDs that were expunged after `modseq`, by their lower ends; they may touch. */
  since(mailbox: number, modseq: number): UidRange[] {
    return this.#since.all(mailbox, modseq) as unknown as UidRange[];
  }

  /** The mod-sequence of the row that has `newer` rows after it; undefined if there are fewer. */
  modseqBelow(mailbox: number, newer: number): number | undefined {
    const row = this.#newest.get(mailbox, newer);
    return row && Number(row.modseq);
  }

  /** Notes that expunges up to `modseq` are not remembered any more. */
  setFloor(mailbox: number, modseq: number): void {
    this.#setFloor.run(modseq, mailbox);
  }

  /** Deletes up to `limit` rows at or below `modseq`; false once none is left. */
  forget(mailbox: number, modseq: number, limit: number): boolean {
    return Number(this.#forget.run(mailbox, modseq, limit).changes) === limit;
  }
}

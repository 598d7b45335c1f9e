/** What must happen to an index that lacks what was done since, before it is used again. */

import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import type { CommitNumbers } from "./commit_numbers.ts";
import { lookForDamage } from "./schema.ts";

/** In `meta` of each copy, and of what could be read of a damaged index. */
export const COPIED = "copied";

/** Room for what came after the copy and was lost; no mailbox gets so many messages meanwhile. */
const UID_GAP = 100_000;
const LAST_UID = 0xffff_fffe;
const MODSEQ_GAP = 1_000_000_000;

/**
 * Settles an index that comes from a snapshot, or has what could be read of a damaged one, or was put
 * in the place of a newer one. Clients may have seen UIDs and mod-sequences that were given after
 * that: those are never given again. All flags count as changed, since clients may know later ones;
 * messages keep their UIDs, so that no client loads one again. What was expunged meanwhile is not
 * known, so a client is told of all UIDs that no message has.
 */
export function settleRestored(
  database: DatabaseSync,
  numbers: CommitNumbers,
  log: Log,
): void {
  const restored = database.prepare("SELECT 1 FROM meta WHERE name = ?").get(COPIED) !== undefined;
  const { doubt } = numbers;
  if (!restored && doubt === undefined) return;
  if (numbers.isMixed) lookForDamage(database);
  database.exec("BEGIN IMMEDIATE");
  try {
    database.prepare(
      `UPDATE mailboxes SET uid_next = max(uid_next, min(uid_next + ?, ?)),
         highest_modseq = highest_modseq + ?,
         expunged_floor = highest_modseq + ?,
         new_mtime = 0, new_compared = 0, cur_mtime = 0, cur_compared = 0`,
    ).run(UID_GAP, LAST_UID, MODSEQ_GAP, MODSEQ_GAP);
    database.exec(
      `DELETE FROM expunged;
       UPDATE imported SET modseq = (SELECT highest_modseq FROM mailboxes WHERE id = mailbox)
         WHERE EXISTS (SELECT 1 FROM messages m WHERE m.mailbox = imported.mailbox
           AND m.uid = imported.uid AND m.modseq = imported.modseq);
       UPDATE messages SET modseq = coalesce(
         (SELECT highest_modseq FROM mailboxes WHERE id = mailbox), modseq);`,
    );
    // Messages that were linked since would be unlinked.
    database.exec(`DELETE FROM journal WHERE work LIKE '{"kind":"link",%'`);
    // The search file is not part of a snapshot.
    database.prepare("DELETE FROM meta WHERE name IN (?, 'search_file')").run(COPIED);
    numbers.raise();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
  // Durable, and no more in a log that is not of this index.
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  numbers.committed();
  numbers.keep();
  const left = "UIDs that may have been given since are left out";
  if (restored) log.info(`the index comes from a backup, or of a damaged one; ${left}`);
  else log.warn(`the index is not as it was last; ${left}`, { doubt });
}

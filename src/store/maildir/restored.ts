/** What must happen to an index that comes from a snapshot before it is used again. */

import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../../log.ts";

/** In `meta` of each copy. */
export const COPIED = "copied";

/** Room for what came after the snapshot and was lost; no mailbox gets so many messages meanwhile. */
const UID_GAP = 100_000;
const LAST_UID = 0xffff_fffe;
const MODSEQ_GAP = 1_000_000_000;

/**
 * Clients may have seen UIDs and mod-sequences that were given after the snapshot: those are never
 * given again. All flags count as changed, since clients may know later ones; messages keep their
 * UIDs, so that no client loads one again. What was expunged after the snapshot is not known, so a
 * client is told of all UIDs that no message has.
 */
export function settleRestored(database: DatabaseSync, log: Log): void {
  const found = database.prepare("SELECT 1 FROM meta WHERE name = ?").get(COPIED);
  if (found === undefined) return;
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
    // The search file is not part of a snapshot.
    database.prepare("DELETE FROM meta WHERE name IN (?, 'search_file')").run(COPIED);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
  log.info("the index comes from a backup; UIDs that were given since are left out");
}

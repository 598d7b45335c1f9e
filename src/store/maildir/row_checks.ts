/** What must hold between the rows of an index, and what is done where it does not. */

/**
 * One thing that must hold. `find` and `mend` know `:mailbox`, its number; `mend` also `:modseq`, a
 * mod-sequence that is higher than all before. No statement touches a file.
 */
export interface RowCheck {
  readonly code: string;
  /** After "INBOX: 3 messages", or after "3 rows of the index" where there is no mailbox. */
  readonly text: string;
  /** Gives `uid`; in {@link INDEX_CHECKS} whatever. */
  readonly find: string;
  /** One that knows `:after` does a part, and gives each `id`; it is run again after the highest. */
  readonly mend: readonly string[];
  /** What that does. */
  readonly remedy: string;
}

/** Above it, numbers are not exact any more. */
const LARGEST = Number.MAX_SAFE_INTEGER;
/** No mailbox gets so many messages between a backup and what was lost of it. */
const PLAUSIBLE_GAP = 1_000_000_000;

const MAILBOX_IDS = "SELECT id FROM mailboxes";

/** Mailboxes whose rows are being removed, a few at a time. */
const LEAVING = `SELECT json_extract(work, '$.id') FROM journal
  WHERE ${journalKind()} = 'delete' AND json_extract(work, '$.id') IS NOT NULL`;

const ROW_ID = "(:mailbox << 32)";
const FILES_OF_MAILBOX = `id BETWEEN ${ROW_ID} AND ${ROW_ID} | 4294967295`;
const UID = "id & 4294967295";

/** Takes messages out of the index as if another program had removed their files. */
function forget(uids: string): readonly string[] {
  return [
    // What was never given needs no telling.
    `INSERT OR REPLACE INTO expunged SELECT :mailbox, :modseq, uid, uid FROM (${uids})
     WHERE uid >= 1 AND uid < (SELECT uid_next FROM mailboxes WHERE id = :mailbox)`,
    `DELETE FROM contents WHERE id IN (SELECT ${ROW_ID} | uid FROM (${uids})
     WHERE uid BETWEEN 1 AND 4294967295)`,
    `DELETE FROM messages WHERE mailbox = :mailbox AND uid IN (SELECT uid FROM (${uids}))`,
  ];
}

/** Raising UIDNEXT above what a flipped bit says would leave no UIDs to give. */
const isImpossible = (uid: string) =>
  `(${uid} NOT BETWEEN 1 AND 4294967295
    OR ${uid} >= (SELECT uid_next FROM mailboxes WHERE id = :mailbox) + ${PLAUSIBLE_GAP})`;

const IMPOSSIBLE_UIDS = `SELECT uid FROM messages
  WHERE mailbox = :mailbox AND ${isImpossible("uid")}`;

const IMPOSSIBLE_EXPUNGES = `mailbox = :mailbox
  AND (${isImpossible("last_uid")} OR first_uid NOT BETWEEN 1 AND last_uid)`;

const FILELESS = `SELECT uid FROM messages m WHERE mailbox = :mailbox
  AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = ${ROW_ID} | m.uid)`;

const UNREADABLE_PARTS = `SELECT m.uid FROM messages m JOIN contents c ON c.id = ${ROW_ID} | m.uid
  WHERE m.mailbox = :mailbox AND m.size >= 0 AND NOT json_valid(c.parts)`;

const UNKNOWN_SETS = `SELECT uid FROM messages WHERE mailbox = :mailbox AND keywords <> 0
  AND keywords NOT IN (SELECT id FROM keyword_sets)`;

const IMPOSSIBLE_MODSEQS = `mailbox = :mailbox AND (modseq < 1 OR modseq > ${LARGEST})`;

/** Of messages that are not known any more. */
const FILE_ONLY = `SELECT ${UID} AS uid FROM files WHERE ${FILES_OF_MAILBOX} AND NOT EXISTS (
  SELECT 1 FROM messages m WHERE m.mailbox = :mailbox AND m.uid = files.${UID})`;

/** An expunge that names a message which is there. */
const FALSE_EXPUNGES = `mailbox = :mailbox AND EXISTS (SELECT 1 FROM messages m
  WHERE m.mailbox = expunged.mailbox AND m.uid BETWEEN first_uid AND last_uid)`;

/** What must hold in each mailbox, in the order in which it is mended. */
export const MAILBOX_CHECKS: readonly RowCheck[] = [
  {
    code: "uid-impossible",
    text: "with a UID that can't be",
    find: `${IMPOSSIBLE_UIDS}
      UNION SELECT last_uid FROM expunged WHERE ${IMPOSSIBLE_EXPUNGES}
      UNION SELECT uid FROM removals
        WHERE mailbox = :mailbox AND uid <> 0 AND ${isImpossible("uid")}`,
    mend: [
      ...forget(IMPOSSIBLE_UIDS),
      // Of which messages they told is not known.
      `UPDATE mailboxes SET expunged_floor = :modseq WHERE id = :mailbox
         AND EXISTS (SELECT 1 FROM expunged WHERE ${IMPOSSIBLE_EXPUNGES})`,
      `DELETE FROM expunged WHERE ${IMPOSSIBLE_EXPUNGES}`,
      `UPDATE removals SET uid = 0
       WHERE mailbox = :mailbox AND uid <> 0 AND ${isImpossible("uid")}`,
    ],
    remedy: "their files are taken for new messages",
  },
  {
    code: "uid-above-uidnext",
    text: "with a UID that is to be given yet",
    find: `SELECT uid FROM (
        SELECT uid FROM messages WHERE mailbox = :mailbox
        UNION SELECT last_uid FROM expunged WHERE mailbox = :mailbox
        UNION SELECT uid FROM removals WHERE mailbox = :mailbox)
      WHERE uid >= (SELECT uid_next FROM mailboxes WHERE id = :mailbox)`,
    mend: [
      `UPDATE mailboxes SET uid_next = max(1, uid_next,
         ifnull((SELECT max(uid) + 1 FROM messages WHERE mailbox = :mailbox), 1),
         ifnull((SELECT max(last_uid) + 1 FROM expunged WHERE mailbox = :mailbox), 1),
         ifnull((SELECT max(uid) + 1 FROM removals WHERE mailbox = :mailbox), 1))
       WHERE id = :mailbox`,
    ],
    remedy: "UIDNEXT is raised",
  },
  {
    code: "modseq-impossible",
    text: "with a mod-sequence that can't be",
    find: `SELECT uid FROM messages WHERE ${IMPOSSIBLE_MODSEQS}
      UNION SELECT first_uid FROM expunged WHERE ${IMPOSSIBLE_MODSEQS}`,
    mend: [
      `UPDATE messages SET modseq = :modseq WHERE ${IMPOSSIBLE_MODSEQS}`,
      `UPDATE OR REPLACE expunged SET modseq = :modseq WHERE ${IMPOSSIBLE_MODSEQS}`,
    ],
    remedy: "they count as changed",
  },
  {
    code: "modseq-above-highest",
    text: "with a mod-sequence above HIGHESTMODSEQ",
    find: `SELECT uid FROM (
        SELECT uid, modseq FROM messages WHERE mailbox = :mailbox
        UNION SELECT first_uid, modseq FROM expunged WHERE mailbox = :mailbox)
      WHERE modseq > (SELECT highest_modseq FROM mailboxes WHERE id = :mailbox)`,
    mend: [
      `UPDATE mailboxes SET highest_modseq = max(1, highest_modseq,
         ifnull((SELECT max(modseq) FROM messages WHERE mailbox = :mailbox), 1),
         ifnull((SELECT max(modseq) FROM expunged WHERE mailbox = :mailbox), 1))
       WHERE id = :mailbox`,
    ],
    remedy: "HIGHESTMODSEQ is raised",
  },
  {
    code: "flags-unknown",
    text: "with flags that there are not",
    find: "SELECT uid FROM messages WHERE mailbox = :mailbox AND flags NOT BETWEEN 0 AND 31",
    mend: [
      `UPDATE messages SET flags = flags & 31, modseq = :modseq
       WHERE mailbox = :mailbox AND flags NOT BETWEEN 0 AND 31`,
    ],
    remedy: "those are taken off",
  },
  {
    code: "keywords-unknown",
    text: "with keywords that have no name",
    find: UNKNOWN_SETS,
    mend: [
      `UPDATE messages SET keywords = 0, modseq = :modseq
       WHERE mailbox = :mailbox AND uid IN (${UNKNOWN_SETS})`,
    ],
    remedy: "those are taken off",
  },
  {
    code: "message-without-file-row",
    text: "of which the index knows no file",
    find: FILELESS,
    mend: forget(FILELESS),
    remedy: "their files, if there are any, are taken for new messages",
  },
  {
    code: "file-row-without-message",
    text: "of which the index has only the file's name",
    find: FILE_ONLY,
    mend: [
      ...forget(FILE_ONLY),
      `DELETE FROM files WHERE ${FILES_OF_MAILBOX} AND NOT EXISTS (
         SELECT 1 FROM messages m WHERE m.mailbox = :mailbox AND m.uid = files.${UID})`,
    ],
    remedy: "their files are taken for new messages",
  },
  {
    code: "data-missing",
    text: "of which the index lacks what was read",
    find: `SELECT uid FROM messages m WHERE mailbox = :mailbox AND size >= 0 AND NOT (
      EXISTS (SELECT 1 FROM contents WHERE id = ${ROW_ID} | m.uid)
      AND EXISTS (SELECT 1 FROM header_texts WHERE id = ${ROW_ID} | m.uid))`,
    mend: [
      `UPDATE messages SET size = -1 - size WHERE mailbox = :mailbox AND size >= 0 AND NOT (
         EXISTS (SELECT 1 FROM contents WHERE id = ${ROW_ID} | uid)
         AND EXISTS (SELECT 1 FROM header_texts WHERE id = ${ROW_ID} | uid))`,
    ],
    remedy: "they are read again",
  },
  {
    code: "data-unreadable",
    text: "of which the index has lost where parts lie",
    find: UNREADABLE_PARTS,
    mend: [
      `UPDATE messages SET size = -1 - size WHERE mailbox = :mailbox AND uid IN (${UNREADABLE_PARTS})`,
    ],
    remedy: "they are read again",
  },
  {
    code: "expunged-but-there",
    text: "that are remembered as expunged",
    find: `SELECT m.uid FROM expunged e JOIN messages m
      ON m.mailbox = e.mailbox AND m.uid BETWEEN e.first_uid AND e.last_uid
      WHERE e.mailbox = :mailbox`,
    mend: [
      `UPDATE mailboxes SET expunged_floor = max(expunged_floor,
         (SELECT ifnull(max(modseq), 0) FROM expunged WHERE ${FALSE_EXPUNGES}))
       WHERE id = :mailbox`,
      `DELETE FROM expunged WHERE ${FALSE_EXPUNGES}`,
    ],
    remedy: "that is forgotten",
  },
  {
    code: "removal-of-message",
    text: "whose files are noted to be removed",
    find: `SELECT f.${UID} AS uid FROM removals r JOIN files f
      ON f.mailbox = r.mailbox AND f.base = r.base WHERE r.mailbox = :mailbox
      UNION SELECT m.uid FROM removals r JOIN messages m
      ON m.mailbox = r.mailbox AND m.uid = r.uid WHERE r.mailbox = :mailbox`,
    mend: [
      `DELETE FROM removals WHERE mailbox = :mailbox AND EXISTS (
         SELECT 1 FROM files f WHERE f.mailbox = removals.mailbox AND f.base = removals.base)`,
      // The file goes, but not what was read of another message.
      `UPDATE removals SET uid = 0 WHERE mailbox = :mailbox AND EXISTS (
         SELECT 1 FROM messages m WHERE m.mailbox = removals.mailbox AND m.uid = removals.uid)`,
    ],
    remedy: "that is forgotten",
  },
  {
    code: "recent-impossible",
    text: "where \\Recent begins where it can't",
    find: `SELECT first_recent AS uid FROM mailboxes
      WHERE id = :mailbox AND first_recent NOT BETWEEN 1 AND uid_next`,
    mend: ["UPDATE mailboxes SET first_recent = uid_next WHERE id = :mailbox"],
    remedy: "no message is \\Recent",
  },
];

/** Rows of a mailbox that is not there. */
function ownerless(table: string, mailbox = "mailbox"): string {
  return `FROM ${table} WHERE ${mailbox} NOT IN (${MAILBOX_IDS}) AND ${mailbox} NOT IN (${LEAVING})`;
}

const OWNED = ["messages", "expunged", "removals", "write_back", "imported"] as const;
const OF_CONTENTS = ["header_texts", "objects", "previews", "sort_keys"] as const;

const BAD_JOURNAL = `FROM journal WHERE ${journalKind()} NOT IN ('rename', 'delete', 'link')`;

/** The links of messages that came to nothing have no rows. */
const LINKED_MESSAGES = `FROM journal WHERE ${journalKind()} = 'link' AND EXISTS (
  SELECT 1 FROM json_each(CASE WHEN json_valid(work) THEN work END, '$.bases') AS linked
  JOIN files f ON f.base = linked.value
  JOIN mailboxes b ON b.id = f.mailbox
  WHERE b.folder = json_extract(work, '$.folder') OR b.id = json_extract(work, '$.id'))`;

/** The info part begins with mbsync's number, where there is one. */
const BAD_NAMES = `FROM files WHERE base = '' OR base GLOB '.*' OR base GLOB '*/*'
  OR info GLOB '*/*'
  OR (info <> '' AND info NOT GLOB ':2,*' AND info NOT GLOB ',U=[0-9]*')`;

const BAD_REMOVALS = "FROM removals WHERE base = '' OR base GLOB '*/*' OR info GLOB '*/*'";

const BAD_FOLDERS = `FROM mailboxes WHERE (folder = '') <> (name = 'INBOX')
  OR (folder <> '' AND (folder NOT GLOB '.?*' OR folder GLOB '*/*'))`;

const MISPLACED = "FROM files WHERE mailbox <> id >> 32";

const ORPHANS = `FROM contents AS c
  WHERE NOT EXISTS (SELECT 1 FROM messages WHERE mailbox = c.id >> 32 AND uid = c.id & 4294967295)
    AND NOT EXISTS (SELECT 1 FROM removals WHERE mailbox = c.id >> 32 AND uid = c.id & 4294967295)
    AND c.id >> 32 NOT IN (${LEAVING})`;

/** What must hold in the index as a whole, in the order in which it is mended. */
export const INDEX_CHECKS: readonly RowCheck[] = [
  {
    code: "journal-unreadable",
    text: "say of no work what it is",
    find: `SELECT id ${BAD_JOURNAL}`,
    mend: [`DELETE ${BAD_JOURNAL}`],
    remedy: "they are forgotten",
  },
  {
    code: "journal-of-message",
    text: "say that files of messages are to be removed",
    find: `SELECT id ${LINKED_MESSAGES}`,
    mend: [`DELETE ${LINKED_MESSAGES}`],
    remedy: "they are forgotten",
  },
  {
    code: "mailbox-impossible",
    text: "are of a mailbox whose folder can't be",
    find: `SELECT id ${BAD_FOLDERS}`,
    mend: [`DELETE ${BAD_FOLDERS}`],
    remedy: "folders that are there become mailboxes",
  },
  {
    code: "uidvalidity-impossible",
    text: "are of a mailbox whose UIDVALIDITY can't be",
    find: "SELECT id FROM mailboxes WHERE uid_validity NOT BETWEEN 1 AND 4294967295",
    mend: [
      `UPDATE mailboxes SET uid_validity = id + max(unixepoch(),
         (SELECT ifnull(max(uid_validity), 0) FROM mailboxes WHERE uid_validity < 4026531840),
         ifnull((SELECT value FROM meta WHERE name = 'last_uid_validity'), 0))
       WHERE uid_validity NOT BETWEEN 1 AND 4294967295`,
    ],
    remedy: "they get another one",
  },
  {
    code: "file-name-impossible",
    text: "have a file name that can't be",
    find: `SELECT id ${BAD_NAMES}`,
    mend: [`DELETE ${BAD_NAMES}`],
    remedy: "they are removed",
  },
  {
    code: "removal-impossible",
    text: "are of a file to be removed whose name can't be",
    find: `SELECT 1 ${BAD_REMOVALS}`,
    mend: [`DELETE ${BAD_REMOVALS}`],
    remedy: "they are forgotten",
  },
  {
    code: "file-row-misplaced",
    text: "have a file in a mailbox where the message is not",
    find: `SELECT id ${MISPLACED}`,
    mend: [
      "UPDATE OR IGNORE files SET mailbox = id >> 32 WHERE mailbox <> id >> 32",
      `DELETE ${MISPLACED}`,
    ],
    remedy: "they are put right",
  },
  {
    code: "rows-without-mailbox",
    text: "are of mailboxes that there are not",
    find: [
      ...OWNED.map((table) => `SELECT 1 ${ownerless(table)}`),
      `SELECT 1 ${ownerless("files", "id >> 32")}`,
      `SELECT 1 ${ownerless("annotations")} AND mailbox <> 0`,
    ].join(" UNION ALL "),
    mend: [
      ...OWNED.map((table) => `DELETE ${ownerless(table)}`),
      `DELETE ${ownerless("files", "id >> 32")}`,
      `DELETE ${ownerless("annotations")} AND mailbox <> 0`,
    ],
    remedy: "they are removed",
  },
  {
    code: "data-without-message",
    text: "are of messages that there are not",
    find: [
      `SELECT 1 ${ORPHANS}`,
      ...OF_CONTENTS.map((table) =>
        `SELECT 1 FROM ${table} WHERE id NOT IN (SELECT id FROM contents)`
      ),
    ].join(" UNION ALL "),
    mend: [
      // Clients may know the messages, and are told of all UIDs that no message has.
      `UPDATE mailboxes SET highest_modseq = highest_modseq + 1, expunged_floor = highest_modseq + 1
       WHERE id IN (SELECT c.id >> 32 ${ORPHANS})`,
      `DELETE FROM contents WHERE id IN (
         SELECT id ${ORPHANS} AND c.id > :after ORDER BY c.id LIMIT 1000) RETURNING id`,
      ...OF_CONTENTS.map((table) =>
        `DELETE FROM ${table} WHERE id NOT IN (SELECT id FROM contents)`
      ),
    ],
    remedy: "they are removed",
  },
];

/** SQLite may evaluate the terms of an AND in any order, and `json_extract` fails on what is no JSON. */
function journalKind(): string {
  return "CASE WHEN json_valid(work) THEN ifnull(json_extract(work, '$.kind'), '') ELSE '' END";
}

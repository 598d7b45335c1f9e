/** The index file of an account: its tables, and how older ones become newer ones. */

import { closeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import { foldCase, searchedTexts } from "../../message/search_text.ts";
import { createOwnedFile } from "../../ownership.ts";
import { StoreError } from "../store.ts";
import { finishReplacing, LOST, moveAside } from "./index_replacing.ts";
import { lstat } from "./locating.ts";
import { ofText } from "./content_rows.ts";
import { IndexDamage, isDamage, isLocked } from "./sqlite_error.ts";
import { UID_VALIDITY_FILE } from "./uid_validity.ts";

/** The index, in the root folder of the Maildir. */
export const INDEX_FILE = "imapd.sqlite";

/**
 * Each entry takes the schema one version up; entries never change once released.
 *
 * A message's row is split by use: `messages` is read whole when a mailbox is opened, `files` when
 * the Maildir is compared, `contents` when items are fetched. The last two have the mailbox in the
 * high and the UID in the low 32 bits of one key, which SQLite finds fastest. `header_texts` has
 * what header searches look through, `sort_keys` what SORT and THREAD compare, both with the keys of
 * `contents`. In `messages`, a size
 * below zero is -1 - octets of the file, of a message whose contents nobody has read yet.
 * `imported` has what messages from elsewhere are called there; `mailboxes.inherits` is 1 until the
 * UIDs of the server that had the Maildir before are taken over. In `meta`, "furnished" is set once
 * the first opening of an account is over. `objects.document` is a document of the search file: see
 * `Documents`.
 */
const MIGRATIONS: readonly (string | ((database: DatabaseSync) => void))[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE mailboxes (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL UNIQUE,
     folder TEXT NOT NULL UNIQUE,
     uid_validity INTEGER NOT NULL,
     uid_next INTEGER NOT NULL,
     highest_modseq INTEGER NOT NULL,
     first_recent INTEGER NOT NULL,
     special_use TEXT NOT NULL,
     keywords TEXT NOT NULL,
     new_mtime REAL NOT NULL DEFAULT 0,
     new_compared REAL NOT NULL DEFAULT 0,
     cur_mtime REAL NOT NULL DEFAULT 0,
     cur_compared REAL NOT NULL DEFAULT 0);
   CREATE TABLE subscriptions (name TEXT PRIMARY KEY) WITHOUT ROWID;
   CREATE TABLE keywords (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
   CREATE TABLE keyword_sets (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
   CREATE TABLE messages (
     mailbox INTEGER NOT NULL,
     uid INTEGER NOT NULL,
     flags INTEGER NOT NULL,
     keywords INTEGER NOT NULL,
     modseq INTEGER NOT NULL,
     size INTEGER NOT NULL,
     date INTEGER NOT NULL,
     zone INTEGER NOT NULL,
     PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
   CREATE TABLE files (
     id INTEGER PRIMARY KEY,
     mailbox INTEGER NOT NULL,
     in_new INTEGER NOT NULL,
     base TEXT NOT NULL,
     info TEXT NOT NULL,
     bare_lf INTEGER NOT NULL);
   CREATE UNIQUE INDEX files_base ON files (mailbox, base);
   CREATE INDEX files_new ON files (mailbox) WHERE in_new = 1;
   CREATE TABLE contents (
     id INTEGER PRIMARY KEY,
     sent_day INTEGER,
     envelope TEXT NOT NULL,
     bodystructure TEXT NOT NULL,
     header TEXT NOT NULL,
     parts TEXT NOT NULL);
   CREATE TABLE expunged (
     mailbox INTEGER NOT NULL,
     modseq INTEGER NOT NULL,
     first_uid INTEGER NOT NULL,
     last_uid INTEGER NOT NULL,
     PRIMARY KEY (mailbox, modseq, first_uid)) WITHOUT ROWID;
   CREATE TABLE removals (
     mailbox INTEGER NOT NULL,
     base TEXT NOT NULL,
     uid INTEGER NOT NULL,
     in_new INTEGER NOT NULL,
     info TEXT NOT NULL,
     PRIMARY KEY (mailbox, base)) WITHOUT ROWID;
   CREATE TABLE write_back (
     id INTEGER PRIMARY KEY,
     mailbox INTEGER NOT NULL,
     first_uid INTEGER NOT NULL,
     last_uid INTEGER NOT NULL);
   CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, work TEXT NOT NULL);`,
  makeHeaderTexts,
  // `modseq` is that of the message as it was taken in.
  `CREATE TABLE imported (
     mailbox INTEGER NOT NULL,
     key TEXT NOT NULL,
     uid INTEGER NOT NULL,
     modseq INTEGER NOT NULL,
     PRIMARY KEY (mailbox, key)) WITHOUT ROWID;
   ALTER TABLE mailboxes ADD COLUMN inherits INTEGER NOT NULL DEFAULT 0;
   INSERT INTO meta SELECT 'furnished', 1 WHERE EXISTS (SELECT 1 FROM mailboxes);`,
  // Mailbox 0 is the account.
  `CREATE TABLE annotations (
     id INTEGER PRIMARY KEY,
     mailbox INTEGER NOT NULL,
     entry TEXT NOT NULL COLLATE NOCASE,
     value BLOB NOT NULL);
   CREATE UNIQUE INDEX annotations_entry ON annotations (mailbox, entry);
   CREATE TRIGGER mailboxes_deleted AFTER DELETE ON mailboxes BEGIN
     DELETE FROM annotations WHERE mailbox = old.id;
   END;`,
  // Expunges up to this mod-sequence may have no row in `expunged` any more.
  "ALTER TABLE mailboxes ADD COLUMN expunged_floor INTEGER NOT NULL DEFAULT 0;",
  makeSortKeys,
  // `made` is the version of the data, `thread` a key of `thread_keys`.
  `CREATE TABLE objects (
     id INTEGER PRIMARY KEY,
     made INTEGER NOT NULL,
     digest BLOB NOT NULL,
     thread INTEGER NOT NULL);
   CREATE TABLE previews (id INTEGER PRIMARY KEY, preview TEXT NOT NULL);
   CREATE TABLE thread_keys (key INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
   CREATE TRIGGER contents_deleted_too AFTER DELETE ON contents BEGIN
     DELETE FROM objects WHERE id = old.id;
     DELETE FROM previews WHERE id = old.id;
   END;`,
  "ALTER TABLE objects ADD COLUMN document INTEGER;",
  // The number of a commit is in the row of a mailbox that it changed, else in `meta`.
  `ALTER TABLE mailboxes ADD COLUMN last_commit INTEGER NOT NULL DEFAULT 0;
   CREATE TRIGGER mailboxes_deleted_commit AFTER DELETE ON mailboxes BEGIN
     INSERT INTO meta VALUES ('commits', old.last_commit)
       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value);
   END;`,
];

/** There will never be so many. */
const MOST_VERSIONS = 1000;

/** Not columns of `contents`, whose rows are so long that a search would read many pages. */
function makeHeaderTexts(database: DatabaseSync): void {
  database.exec(
    `CREATE TABLE header_texts (
       id INTEGER PRIMARY KEY, "from" TEXT, "to" TEXT, cc TEXT, bcc TEXT, subject TEXT);
     CREATE TRIGGER contents_deleted AFTER DELETE ON contents BEGIN
       DELETE FROM header_texts WHERE id = old.id;
     END;`,
  );
  const insert = database.prepare("INSERT INTO header_texts VALUES (?, ?, ?, ?, ?, ?)");
  const rows = database.prepare("SELECT id, header FROM contents");
  rows.setReadBigInts(true);
  for (const { id, header } of rows.iterate()) {
    insert.run(id, ...searchedTexts(ofText(String(header))));
  }
}

/**
 * Texts that fold otherwise since dotless i is the same as i are folded anew. Rows of `sort_keys` are
 * made when they are first needed.
 */
function makeSortKeys(database: DatabaseSync): void {
  database.exec(
    `CREATE TABLE sort_keys (
       id INTEGER PRIMARY KEY, sent INTEGER, subject TEXT NOT NULL, reply INTEGER NOT NULL,
       "from" TEXT NOT NULL, "to" TEXT NOT NULL, cc TEXT NOT NULL, display_from TEXT NOT NULL,
       display_to TEXT NOT NULL, message_id TEXT NOT NULL, "references" TEXT NOT NULL);
     CREATE TRIGGER contents_deleted_keys AFTER DELETE ON contents BEGIN
       DELETE FROM sort_keys WHERE id = old.id;
     END;`,
  );
  const update = database.prepare(
    'UPDATE header_texts SET "from" = ?2, "to" = ?3, cc = ?4, bcc = ?5, subject = ?6 WHERE id = ?1',
  );
  const rows = database.prepare(
    `SELECT id, "from", "to", cc, bcc, subject FROM header_texts
     WHERE concat_ws(' ', "from", "to", cc, bcc, subject) GLOB '*[\u0131\u0345\u1c80-\u1c88]*'`,
  );
  rows.setReadBigInts(true);
  for (const { id, ...texts } of rows.all()) {
    const folded = Object.values(texts).map((text) =>
      text === null ? null : foldCase(String(text))
    );
    update.run(id, ...folded);
  }
}

/**
 * An opened index; `made` if there was none that could be used, `interrupted` if it was not closed
 * properly.
 */
export interface OpenedIndex {
  readonly database: DatabaseSync;
  readonly made: boolean;
  readonly interrupted: boolean;
}

/**
 * Opens the index in `root`, or makes it. A damaged one is moved aside and a new one made; `check`
 * looks through all of it for damage, which takes seconds per GB.
 *
 * @throws {StoreError} `unavailable`: in use by another process, from a newer version, I/O error
 */
export function openIndex(
  root: string,
  log: Log,
  clock: () => number,
  check: boolean,
): OpenedIndex {
  const path = `${root}/${INDEX_FILE}`;
  finishReplacing(path, log, clock);
  try {
    const opened = open(path, log, check);
    if (opened.made && lstat(`${root}/${UID_VALIDITY_FILE}`)) {
      log.warn("the index was missing or empty; it is made anew from the Maildir", {
        path,
        lost: LOST,
      });
    }
    return opened;
  } catch (error) {
    if (!isDamage(error)) throw error;
    moveAside(path, log, clock, error);
    return open(path, log, false);
  }
}

function open(path: string, log: Log, check: boolean): OpenedIndex {
  for (const suffix of ["", "-wal", "-shm"]) {
    // Whoever may write to the Maildir could have another file changed.
    if (!lstat(path + suffix)?.isSymlink) continue;
    log.error("the index is a symbolic link, which is not followed", { path: path + suffix });
    throw new StoreError("unavailable", "The account's index is a symbolic link");
  }
  const interrupted = (lstat(`${path}-wal`)?.size ?? 0) > 0;
  makeEmpty(path);
  const database = new DatabaseSync(path);
  try {
    // Exclusive: the columns in memory are right only while nobody else writes. What has to be
    // durable is synced by the Writer, which makes checkpoints, too.
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -4096;
      PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;`);
    if (check) lookForDamage(database);
    const made = migrate(database, path, log);
    Deno.chmodSync(path, 0o600);
    return { database, made, interrupted };
  } catch (error) {
    database.close();
    if (!isLocked(error)) throw error;
    throw new StoreError("unavailable", "The account is in use by another process", {
      cause: error,
    });
  }
}

/** SQLite itself gives its other files the owner of this one. */
function makeEmpty(path: string): void {
  if (!lstat(path)) closeSync(createOwnedFile(path, 0o600));
}

/** @throws {IndexDamage} also SQLite's own errors */
export function lookForDamage(database: DatabaseSync): void {
  // Not quick_check, which does not see that a table and its indexes differ.
  const found = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (found !== "ok") throw new IndexDamage(String(found));
  const fault = schemaFault(database);
  if (fault !== undefined) throw new IndexDamage(fault);
  // Messages whose contents are not there are read again.
  database.exec(
    `UPDATE messages SET size = -1 - size WHERE size >= 0
     AND NOT EXISTS (SELECT 1 FROM contents WHERE id = (mailbox << 32) + uid)`,
  );
}

/** What is wrong with the tables of an index: they have to be those of its version. */
export function schemaFault(database: DatabaseSync): string | undefined {
  const version = versionIn(database);
  // What a newer one has, nobody here knows.
  if (version > MIGRATIONS.length) return undefined;
  using made = new DatabaseSync(":memory:");
  for (const migration of MIGRATIONS.slice(0, version)) {
    if (typeof migration === "string") made.exec(migration);
    else migration(made);
  }
  const [wanted, found] = [tablesOf(made), tablesOf(database)];
  const wrong = Object.keys({ ...wanted, ...found }).find((name) => wanted[name] !== found[name]);
  return wrong && `${wrong} is not as version ${version} has it`;
}

/** What tables, indexes and triggers are made by; those of SQLite itself may differ. */
function tablesOf(database: DatabaseSync): Record<string, string> {
  const rows = database.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'",
  ).all();
  return Object.fromEntries(rows.map(({ name, sql }) => [String(name), String(sql)]));
}

function migrate(database: DatabaseSync, path: string, log: Log): boolean {
  const version = versionIn(database);
  if (version > MIGRATIONS.length) {
    log.error("the index is of a newer version of this program", {
      path,
      version,
      newest_known: MIGRATIONS.length,
    });
    throw new StoreError("unavailable", "The account was used by a newer version of this server");
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    step(database, next);
    if (version > 0) log.info("brought the index up to date", { path, version: next + 1 });
  }
  return version === 0;
}

/**
 * Gives a copy of an index the tables of this version.
 *
 * @throws {StoreError} `unavailable`: it is of a newer version
 */
export function bringUpToDate(database: DatabaseSync): void {
  for (let next = versionOf(database); next < MIGRATIONS.length; next++) step(database, next);
}

function versionOf(database: DatabaseSync): number {
  const version = versionIn(database);
  if (version <= MIGRATIONS.length) return version;
  throw new StoreError("unavailable", "The account was used by a newer version of this server");
}

/** Whether an index has nothing in it: its making was interrupted, or it was cut off. */
export function isEmpty(database: DatabaseSync): boolean {
  return versionIn(database) === 0 && Object.keys(tablesOf(database)).length === 0;
}

/** @throws {IndexDamage} no program ever wrote such a version */
function versionIn(database: DatabaseSync): number {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version >= 0 && version <= MOST_VERSIONS) return version;
  throw new IndexDamage(`its version is ${version}`);
}

function step(database: DatabaseSync, next: number): void {
  database.exec("BEGIN IMMEDIATE");
  const migration = MIGRATIONS[next];
  if (typeof migration === "string") database.exec(migration);
  else migration(database);
  database.exec(`PRAGMA user_version = ${next + 1}`);
  database.exec("COMMIT");
}

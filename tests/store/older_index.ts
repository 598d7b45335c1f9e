/** An index as the first version made it, with mail in it. */

import { DatabaseSync } from "node:sqlite";
import { MessageIndexer } from "../../src/message/indexer.ts";
import type { MaildirFixture } from "./maildir_fixture.ts";

/** The tables of version 1, as they were. */
const VERSION_1 = `CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
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
   CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, work TEXT NOT NULL);`;

/** A mailbox of an older index. */
export interface OlderMailbox {
  readonly name: string;
  /** Name of its folder. */
  readonly folder: string;
  /** Texts of the messages, which get UIDs from 1 on. */
  readonly messages: readonly string[];
}

/** Writes messages, and an index that knows all of them, where the account is to be. */
export function makeOlderIndex(
  { root }: MaildirFixture,
  mailboxes: readonly OlderMailbox[],
): void {
  Deno.mkdirSync(root, { recursive: true });
  const database = new DatabaseSync(`${root}/imapd.sqlite`);
  database.exec(`PRAGMA journal_mode = WAL; BEGIN; ${VERSION_1}
    PRAGMA user_version = 1;`);
  for (const [i, { name, folder, messages }] of mailboxes.entries()) {
    const id = i + 1;
    database.prepare("INSERT INTO mailboxes VALUES (?,?,?,?,?,1,1,'','',0,0,0,0)")
      .run(id, name, folder, 1_700_000_000 + i, messages.length + 1);
    for (const directory of ["tmp", "new", "cur"]) {
      Deno.mkdirSync(`${root}/${folder}/${directory}`, { recursive: true });
    }
    for (const [at, text] of messages.entries()) {
      insert(database, id, at + 1, `${root}/${folder}/cur`, text);
    }
  }
  database.exec("COMMIT");
  database.close();
}

/** Seconds since 1970 of the first message's INTERNALDATE, and of its arrival. */
export const OLDER_DATE = 1_600_000_000;
export const OLDER_ARRIVAL = 1_700_000_000;

function insert(
  database: DatabaseSync,
  mailbox: number,
  uid: number,
  cur: string,
  text: string,
): void {
  const bytes = new TextEncoder().encode(text);
  const indexer = new MessageIndexer();
  indexer.push(bytes);
  const made = indexer.end();
  const base = `${OLDER_ARRIVAL + uid}.M${mailbox}.host`;
  Deno.writeFileSync(`${cur}/${base}:2,`, bytes);
  Deno.utimeSync(`${cur}/${base}:2,`, OLDER_DATE + uid, OLDER_DATE + uid);
  database.prepare("INSERT INTO messages VALUES (?, ?, 0, 0, 1, ?, ?, 0)")
    .run(mailbox, uid, made.size, OLDER_DATE + uid);
  database.prepare("INSERT INTO files VALUES ((?1 << 32) | ?2, ?1, 0, ?3, ':2,', ?4)")
    .run(mailbox, uid, base, Number(made.bareLf));
  database.prepare("INSERT INTO contents VALUES ((?1 << 32) | ?2, ?3, ?4, ?5, ?6, ?7)")
    .run(mailbox, uid, made.sentDay, made.envelope, made.bodystructure, made.header, made.parts);
}

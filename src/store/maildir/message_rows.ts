/** The rows of messages: flags and sizes, file names, and what is left to do after changes. */

import type { DatabaseSync } from "node:sqlite";
import type { TakenMessage } from "../store.ts";
import { baseOf } from "./file_name.ts";
import { ID_RANGE } from "./sort_key_rows.ts";
import { Statements } from "./statements.ts";

/** [uid, flags, keyword set, modseq, size, date, zone] */
export type ColumnsRow = readonly [number, number, number, number, number, number, number];

/** One message as it is kept in the columns and in `messages`. */
export interface MessageRow {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: number;
  readonly modseq: number;
  /** Octets in wire form; below zero: -1 - octets of the file, contents not read yet. */
  readonly size: number;
  readonly date: number;
  readonly zone: number;
}

/** Where a message lies: `new` or `cur`, name up to the info part, info part with its colon. */
export interface FileName {
  readonly inNew: boolean;
  readonly base: string;
  readonly info: string;
}

/** A message's file as the index knows it. */
export interface FileRow extends FileName {
  readonly uid: number;
  readonly bareLf: boolean;
}

/** The file of an expunged message. */
export interface Removal extends FileName {
  readonly uid: number;
}

/** A file's name as the index keeps it. */
export function splitName(inNew: boolean, file: string): FileName {
  const base = baseOf(file);
  return { inNew, base, info: file.slice(base.length) };
}

/** Consecutive UIDs of one mailbox, both ends included. */
export interface UidRange {
  readonly first: number;
  readonly last: number;
}

/** Rows of `files` that are read at once for who reads messages one after the other. */
const READ_AHEAD = 32;

const FILE_COLUMNS = "id & 4294967295 AS uid, in_new, base, info, bare_lf";

/** Statements on `messages`, `files` and what follows from their changes. */
export class MessageRows {
  readonly #statements: Statements;
  /** What {@link file} read last; gone as soon as any row of `files` changes. */
  #ahead: { mailbox: number; last: number; rows: ReadonlyMap<number, FileRow> } | undefined;

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database);
  }

  /** Up to `limit` messages with UIDs above `after`, in UID order. */
  load(mailbox: number, after: number, limit: number): readonly ColumnsRow[] {
    return this.#statements.arrays(
      `SELECT uid, flags, keywords, modseq, size, date, zone FROM messages
       WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?`,
    ).all(mailbox, after, limit) as unknown as ColumnsRow[];
  }

  insert(mailbox: number, row: MessageRow, file: FileName, bareLf: boolean): void {
    this.#statements.of("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(mailbox, row.uid, row.flags, row.keywords, row.modseq, row.size, row.date, row.zone);
    this.insertFile(mailbox, row.uid, file, bareLf);
  }

  insertFile(mailbox: number, uid: number, file: FileName, bareLf: boolean): void {
    this.#ahead = undefined;
    this.#statements.of("INSERT INTO files VALUES ((?1 << 32) | ?2, ?1, ?3, ?4, ?5, ?6)")
      .run(mailbox, uid, Number(file.inNew), file.base, file.info, Number(bareLf));
  }

  /** Notes what a message is called where it comes from. */
  insertImported(mailbox: number, key: string, uid: number, modseq: number): void {
    this.#statements.of("INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)").run(
      mailbox,
      key,
      uid,
      modseq,
    );
  }

  /** The message of that name elsewhere, if it was taken in. */
  taken(mailbox: number, key: string): TakenMessage | undefined {
    const row = this.#statements.arrays(
      `SELECT imported.uid, imported.modseq IS messages.modseq FROM imported
       LEFT JOIN messages ON messages.mailbox = imported.mailbox AND messages.uid = imported.uid
       WHERE imported.mailbox = ? AND key = ?`,
    ).get(mailbox, key) as unknown as [number, number] | undefined;
    return row && { uid: row[0], unchanged: row[1] !== 0 };
  }

  setSize(mailbox: number, uid: number, size: number, bareLf: boolean): void {
    this.#ahead = undefined;
    this.#statements.of("UPDATE messages SET size = ? WHERE mailbox = ? AND uid = ?").run(
      size,
      mailbox,
      uid,
    );
    this.#statements.of("UPDATE files SET bare_lf = ?3 WHERE id = (?1 << 32) | ?2")
      .run(mailbox, uid, Number(bareLf));
  }

  /** Sets flags to `flags & keep | add` and the keyword set, in a range of UIDs. */
  setFlags(
    mailbox: number,
    range: UidRange,
    change: { keep: number; add: number; keywords: number; modseq: number },
  ): void {
    this.#statements.of(
      `UPDATE messages SET flags = (flags & ?) | ?, keywords = ?, modseq = ?
       WHERE mailbox = ? AND uid BETWEEN ? AND ?`,
    ).run(
      change.keep,
      change.add,
      change.keywords,
      change.modseq,
      mailbox,
      range.first,
      range.last,
    );
  }

  /** Sets the flags of one message and leaves its keywords alone. */
  setSystemFlags(mailbox: number, uid: number, flags: number, modseq: number): void {
    this.#statements.of("UPDATE messages SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?")
      .run(flags, modseq, mailbox, uid);
  }

  /** Flags of the messages in a range, by UID. */
  flags(mailbox: number, range: UidRange): Map<number, number> {
    const rows = this.#statements.arrays(
      "SELECT uid, flags FROM messages WHERE mailbox = ? AND uid BETWEEN ? AND ?",
    ).all(mailbox, range.first, range.last);
    return new Map(rows as unknown as [number, number][]);
  }

  /** The file of a message. Who asks for one after the other gets them from a range read at once. */
  file(mailbox: number, uid: number): FileRow | undefined {
    const ahead = this.#ahead;
    const follows = ahead?.mailbox === mailbox && uid > ahead.last &&
      uid - ahead.last <= READ_AHEAD;
    const known = ahead?.mailbox === mailbox ? ahead.rows.get(uid) : undefined;
    if (known !== undefined) return known;
    const rows = follows
      ? this.files(mailbox, { first: uid, last: uid + READ_AHEAD - 1 }, READ_AHEAD)
      : this.#fileRow(mailbox, uid);
    const last = rows.at(-1)?.uid ?? uid;
    this.#ahead = { mailbox, last, rows: new Map(rows.map((row) => [row.uid, row])) };
    return this.#ahead.rows.get(uid);
  }

  #fileRow(mailbox: number, uid: number): FileRow[] {
    const sql = `SELECT ${FILE_COLUMNS} FROM files WHERE id = (?1 << 32) | ?2`;
    return fileRows(this.#statements.arrays(sql).all(mailbox, uid));
  }

  fileByBase(mailbox: number, base: string): FileRow | undefined {
    return fileRows(
      this.#statements.arrays(`SELECT ${FILE_COLUMNS} FROM files WHERE mailbox = ? AND base = ?`)
        .all(mailbox, base),
    )[0];
  }

  /** Files of a range of UIDs, at most `limit`, in UID order. */
  files(mailbox: number, range: UidRange, limit: number): FileRow[] {
    return fileRows(
      this.#statements.arrays(
        `SELECT ${FILE_COLUMNS} FROM files WHERE ${ID_RANGE} ORDER BY id LIMIT ?4`,
      )
        .all(mailbox, range.first, range.last, limit),
    );
  }

  /** Files that the index believes to be in `new`. */
  filesInNew(mailbox: number): FileRow[] {
    return fileRows(
      this.#statements.arrays(`SELECT ${FILE_COLUMNS} FROM files WHERE mailbox = ? AND in_new = 1`)
        .all(mailbox),
    );
  }

  setFile(mailbox: number, uid: number, file: FileName): void {
    this.#ahead = undefined;
    this.#statements.of(
      "UPDATE files SET in_new = ?3, base = ?4, info = ?5 WHERE id = (?1 << 32) | ?2",
    )
      .run(mailbox, uid, Number(file.inNew), file.base, file.info);
  }

  /** Copies the rows of messages with consecutive UIDs; the first becomes `toUid`. */
  copy(from: number, range: UidRange, to: number, toUid: number, modseq: number): void {
    const shift = toUid - range.first;
    this.#statements.of(
      `INSERT INTO messages SELECT ?4, uid + ?5, flags, keywords, ?6, size, date, zone
       FROM messages WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3`,
    ).run(from, range.first, range.last, to, shift, modseq);
  }

  /** Deletes messages; with `unlink`, notes their files and cached items for {@link removals}. */
  remove(mailbox: number, range: UidRange, modseq: number, unlink: boolean): void {
    this.#ahead = undefined;
    const { first, last } = range;
    if (unlink) {
      this.#statements.of(
        `INSERT OR REPLACE INTO removals SELECT mailbox, base, id & 4294967295, in_new, info
         FROM files WHERE ${ID_RANGE}`,
      ).run(mailbox, first, last);
    } else this.#statements.of(`DELETE FROM contents WHERE ${ID_RANGE}`).run(mailbox, first, last);
    this.#statements.of("INSERT OR REPLACE INTO expunged VALUES (?, ?, ?, ?)")
      .run(mailbox, modseq, first, last);
    this.#statements.of("DELETE FROM messages WHERE mailbox = ? AND uid BETWEEN ? AND ?")
      .run(mailbox, first, last);
    this.#statements.of(`DELETE FROM files WHERE ${ID_RANGE}`).run(mailbox, first, last);
  }

  /** Expunged messages whose files are still to be unlinked, and cached items deleted; by their bases. */
  removals(mailbox: number, limit: number, after = ""): Removal[] {
    const rows = this.#statements.arrays(
      `SELECT uid, in_new, base, info FROM removals WHERE mailbox = ? AND base > ?
       ORDER BY base LIMIT ?`,
    ).all(mailbox, after, limit) as unknown as [number, number, string, string][];
    return rows.map(([uid, inNew, base, info]) => ({ uid, inNew: inNew !== 0, base, info }));
  }

  isRemoved(mailbox: number, base: string): boolean {
    return this.#statements.arrays("SELECT 1 FROM removals WHERE mailbox = ? AND base = ?")
      .get(mailbox, base) !== undefined;
  }

  /** The file is unlinked: nothing is left to do but to delete the cached items. */
  finishRemoval(mailbox: number, { uid, base }: Removal): void {
    this.#statements.of("DELETE FROM removals WHERE mailbox = ? AND base = ?").run(mailbox, base);
    this.#statements.of("DELETE FROM contents WHERE id = (?1 << 32) | ?2").run(mailbox, uid);
  }

  /** Mailboxes with files still to be unlinked or renamed. */
  mailboxesWithWork(): { removals: number[]; writeBack: number[] } {
    const ids = (table: string) =>
      this.#statements.of(`SELECT DISTINCT mailbox FROM ${table}`).all()
        .map((row) => Number(row.mailbox));
    return { removals: ids("removals"), writeBack: ids("write_back") };
  }

  /** Notes that file names in this range have to follow the flags. */
  addWriteBack(mailbox: number, range: UidRange): void {
    this.#statements.of("INSERT INTO write_back (mailbox, first_uid, last_uid) VALUES (?, ?, ?)")
      .run(mailbox, range.first, range.last);
  }

  /** The oldest ranges noted by {@link addWriteBack}. */
  writeBack(mailbox: number, limit: number): (UidRange & { readonly id: number })[] {
    const rows = this.#statements.arrays(
      "SELECT id, first_uid, last_uid FROM write_back WHERE mailbox = ? ORDER BY id LIMIT ?",
    ).all(mailbox, limit) as unknown as [number, number, number][];
    return rows.map(([id, first, last]) => ({ id, first, last }));
  }

  /** Marks a range as done up to `uid`; wholly when that is its end. */
  writtenBack(range: UidRange & { readonly id: number }, uid: number): void {
    if (uid >= range.last) this.#statements.of("DELETE FROM write_back WHERE id = ?").run(range.id);
    else {this.#statements.of("UPDATE write_back SET first_uid = ? WHERE id = ?").run(
        uid + 1,
        range.id,
      );}
  }
}

function fileRows(rows: unknown): FileRow[] {
  return (rows as [number, number, string, string, number][]).map((
    [uid, inNew, base, info, bareLf],
  ) => ({ uid, inNew: inNew !== 0, base, info, bareLf: bareLf !== 0 }));
}

/** The rows of an account that are not about single messages. */

import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A mailbox as its row says. */
export interface MailboxRow {
  readonly id: number;
  readonly name: string;
  readonly folder: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly firstRecent: number;
  /** Separated by spaces. */
  readonly specialUse: string;
  /** Numbers of the keywords in use, in the order of their first use, separated by commas. */
  readonly keywords: string;
  /** Modification times of `new` and `cur` when they were compared, and when that was (all in ms). */
  readonly newMtime: number;
  readonly newCompared: number;
  readonly curMtime: number;
  readonly curCompared: number;
  /** 1 until what the mailbox has from another server is taken over, else 0. */
  readonly inherits: number;
  /** Expunges up to this mod-sequence may be forgotten. */
  readonly expungedFloor: number;
}

/** When a Maildir directory was last compared with the index. */
export interface DirectoryStamp {
  readonly mtime: number;
  readonly compared: number;
}

const ROW = `id, name, folder, uid_validity AS uidValidity, uid_next AS uidNext,
  highest_modseq AS highestModseq, first_recent AS firstRecent, special_use AS specialUse,
  keywords, new_mtime AS newMtime, new_compared AS newCompared, cur_mtime AS curMtime,
  cur_compared AS curCompared, inherits,
  expunged_floor AS expungedFloor`;

/** Statements on `mailboxes`, `subscriptions`, `keywords`, `journal` and `meta`. */
export class MailboxRows {
  readonly #database: DatabaseSync;
  readonly #progress: StatementSync;
  readonly #stamps: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#progress = database.prepare(
      `UPDATE mailboxes SET uid_next = ?, highest_modseq = ?, first_recent = ?, last_commit = ?
       WHERE id = ?`,
    );
    this.#stamps = database.prepare(
      `UPDATE mailboxes SET new_mtime = ?, new_compared = ?, cur_mtime = ?, cur_compared = ?
       WHERE id = ?`,
    );
  }

  all(): MailboxRow[] {
    return this.#database.prepare(
      `SELECT ${ROW} FROM mailboxes`,
    ).all() as unknown as MailboxRow[];
  }

  one(id: number): MailboxRow | undefined {
    return this.#database.prepare(
      `SELECT ${ROW} FROM mailboxes WHERE id = ?`,
    ).get(id) as unknown as MailboxRow | undefined;
  }

  insert(
    name: string,
    folder: string,
    uidValidity: number,
    specialUse: string,
    inherits = false,
  ): MailboxRow {
    const { lastInsertRowid } = this.#database.prepare(
      `INSERT INTO mailboxes (name, folder, uid_validity, uid_next, highest_modseq, first_recent,
         special_use, keywords, inherits) VALUES (?, ?, ?, 1, 1, 1, ?, '', ?)`,
    ).run(name, folder, uidValidity, specialUse, Number(inherits));
    return {
      id: Number(lastInsertRowid),
      name,
      folder,
      uidValidity,
      uidNext: 1,
      highestModseq: 1,
      firstRecent: 1,
      specialUse,
      keywords: "",
      newMtime: 0,
      newCompared: 0,
      curMtime: 0,
      curCompared: 0,
      inherits: Number(inherits),
      expungedFloor: 0,
    };
  }

  /** Stores the counters that may only rise, and the number of the commit. */
  setProgress(
    id: number,
    uidNext: number,
    highestModseq: number,
    firstRecent: number,
    commit: number,
  ): void {
    this.#progress.run(uidNext, highestModseq, firstRecent, commit, id);
  }

  setUidValidity(id: number, uidValidity: number): void {
    this.#database.prepare("UPDATE mailboxes SET uid_validity = ? WHERE id = ?")
      .run(uidValidity, id);
  }

  endInheritance(id: number): void {
    this.#database.prepare("UPDATE mailboxes SET inherits = 0 WHERE id = ?").run(id);
  }

  setKeywords(id: number, keywords: string): void {
    this.#database.prepare("UPDATE mailboxes SET keywords = ? WHERE id = ?").run(keywords, id);
  }

  setSpecialUse(id: number, specialUse: string): void {
    this.#database.prepare("UPDATE mailboxes SET special_use = ? WHERE id = ?").run(specialUse, id);
  }

  setStamps(id: number, inNew: DirectoryStamp, inCur: DirectoryStamp): void {
    this.#stamps.run(inNew.mtime, inNew.compared, inCur.mtime, inCur.compared, id);
  }

  rename(id: number, name: string, folder: string): void {
    this.#database.prepare("UPDATE mailboxes SET name = ?, folder = ? WHERE id = ?")
      .run(name, folder, id);
  }

  remove(id: number): void {
    this.#database.prepare("DELETE FROM mailboxes WHERE id = ?").run(id);
  }

  meta(name: string): number {
    return this.knownMeta(name) ?? 0;
  }

  /** What {@link setMeta} set, or undefined. */
  knownMeta(name: string): number | undefined {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name);
    return row && Number(row.value);
  }

  removeMeta(name: string): void {
    this.#database.prepare("DELETE FROM meta WHERE name = ?").run(name);
  }

  setMeta(name: string, value: number): void {
    this.#database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)").run(name, value);
  }

  subscriptions(): string[] {
    return this.#database.prepare("SELECT name FROM subscriptions").all()
      .map((row) => String(row.name));
  }

  subscribe(name: string): void {
    this.#database.prepare("INSERT OR IGNORE INTO subscriptions VALUES (?)").run(name);
  }

  unsubscribe(name: string): void {
    this.#database.prepare("DELETE FROM subscriptions WHERE name = ?").run(name);
  }

  keywordWords(): { id: number; word: string }[] {
    return this.#database.prepare("SELECT id, word FROM keywords ORDER BY id")
      .all() as unknown as { id: number; word: string }[];
  }

  insertKeyword(id: number, word: string): void {
    this.#database.prepare("INSERT INTO keywords VALUES (?, ?)").run(id, word);
  }

  keywordSets(): { id: number; words: string }[] {
    return this.#database.prepare("SELECT id, words FROM keyword_sets ORDER BY id")
      .all() as unknown as { id: number; words: string }[];
  }

  insertKeywordSet(id: number, words: string): void {
    this.#database.prepare("INSERT INTO keyword_sets VALUES (?, ?)").run(id, words);
  }

  journal(): { id: number; work: string }[] {
    return this.#database.prepare("SELECT id, work FROM journal ORDER BY id")
      .all() as unknown as { id: number; work: string }[];
  }

  addToJournal(work: string): number {
    return Number(
      this.#database.prepare("INSERT INTO journal (work) VALUES (?)").run(work).lastInsertRowid,
    );
  }

  removeFromJournal(id: number): void {
    this.#database.prepare("DELETE FROM journal WHERE id = ?").run(id);
  }

  /** Deletes up to `limit` rows of messages that no mailbox owns any more; false when none is left. */
  removeOrphans(id: number, limit: number): boolean {
    const last = this.#database.prepare(
      `SELECT max(uid) AS uid FROM
         (SELECT uid FROM messages WHERE mailbox = ? ORDER BY uid LIMIT ?)`,
    ).get(id, limit)?.uid;
    if (typeof last === "number") {
      for (
        const sql of [
          "DELETE FROM messages WHERE mailbox = ?1 AND uid <= ?2",
          "DELETE FROM files WHERE id BETWEEN ?1 << 32 AND (?1 << 32) | ?2",
          "DELETE FROM contents WHERE id BETWEEN ?1 << 32 AND (?1 << 32) | ?2",
        ]
      ) this.#database.prepare(sql).run(id, last);
      return true;
    }
    const imported = this.#database.prepare(
      `DELETE FROM imported WHERE mailbox = ?1
         AND key IN (SELECT key FROM imported WHERE mailbox = ?1 LIMIT ?2)`,
    ).run(id, limit);
    if (Number(imported.changes) > 0) return true;
    for (const table of ["expunged", "removals", "write_back"]) {
      this.#database.prepare(`DELETE FROM ${table} WHERE mailbox = ?`).run(id);
    }
    return false;
  }
}

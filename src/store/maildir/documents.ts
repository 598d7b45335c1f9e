/** Which messages are in the search file, under which numbers: `objects.document` and `meta`. */

import type { DatabaseSync } from "node:sqlite";
import { ofText } from "./content_rows.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { FileName, UidRange } from "./message_rows.ts";
import type { KnownSearchFile } from "./search_file.ts";
import { ID_RANGE } from "./sort_key_rows.ts";
import { Statements } from "./statements.ts";

/** A message without a document, and what is needed to make one. */
export interface UnindexedRow {
  readonly uid: number;
  readonly file: FileName;
  readonly size: number;
  readonly bareLf: boolean;
  readonly parts: string;
}

/** Documents of the messages of a mailbox that have one, in UID order. */
export interface MailboxDocuments {
  readonly uids: Uint32Array;
  readonly documents: Uint32Array;
}

/** Instead of a document: of a file that cannot be read. */
const UNREADABLE = -(2 ** 40);

/**
 * A message without a document of the present file: none, or one of a file before. What had more
 * text than `limit` octets has -limit, so that it gets its turn when the limit grows.
 */
const LACKING = "(document IS NULL OR document BETWEEN -?1 + 1 AND ?2 - 1)";

/** Statements on the documents of one account. */
export class Documents {
  readonly #statements: Statements;
  readonly #meta: MailboxRows;
  readonly #limit: number;
  /** Documents below are of files before the present one. */
  #first: number;

  /** @param limit octets of text that a message may have */
  constructor(database: DatabaseSync, meta: MailboxRows, limit: number) {
    this.#statements = new Statements(database);
    this.#meta = meta;
    this.#limit = limit;
    this.#first = meta.meta("search_first");
  }

  /** The file that the documents are in. */
  get known(): KnownSearchFile {
    return {
      id: this.#meta.meta("search_file"),
      next: Math.max(1, this.#meta.meta("search_next")),
      removals: this.#meta.meta("search_removals"),
    };
  }

  /**
   * Forgets all documents, since another file takes the place of what was known; in a transaction.
   * The function that comes back is to be called once it succeeded.
   */
  begin(file: number): () => void {
    const { next } = this.known;
    this.#meta.setMeta("search_file", file);
    this.#meta.setMeta("search_first", next);
    this.#meta.setMeta("search_next", next);
    return () => this.#first = next;
  }

  /** Forgets all documents, and that there is a file; as {@link begin} does. */
  forget(): () => void {
    const done = this.begin(0);
    this.#meta.removeMeta("search_file");
    return done;
  }

  /** Notes that documents are going to be removed; in a transaction. */
  countRemoval(): void {
    this.#meta.setMeta("search_removals", this.known.removals + 1);
  }

  /** Notes the document of a message that has none; in a transaction, once the document is durable. */
  note(mailbox: number, uid: number, document: number | "too-large" | "unreadable"): void {
    const value = document === "too-large"
      ? -this.#limit
      : document === "unreadable"
      ? UNREADABLE
      : document;
    this.#statements.of(
      `UPDATE objects SET document = ?5 WHERE id = (?3 << 32) | ?4 AND ${LACKING}`,
    ).run(this.#limit, this.#first, mailbox, uid, value);
  }

  /** Notes how far the numbers of documents have come; in the transaction that notes the last of them. */
  setNext(next: number): void {
    this.#meta.setMeta("search_next", Math.max(next, this.known.next));
  }

  /** UIDs of messages without a document, ascending. Messages that nobody has read are left out. */
  lacking(mailbox: number, { first, last }: UidRange): number[] {
    const rows = this.#statements.arrays(
      `SELECT id & 4294967295 FROM objects
       WHERE id BETWEEN (?3 << 32) | ?4 AND (?3 << 32) | ?5 AND ${LACKING} ORDER BY id`,
    ).all(this.#limit, this.#first, mailbox, first, last) as unknown as [number][];
    return rows.map(([uid]) => uid);
  }

  /** The last of the `count` lowest UIDs from `first` on; undefined if there is none. */
  rangeAbove(mailbox: number, first: number, count: number): number | undefined {
    const [last] = this.#statements.arrays(
      `SELECT max(uid) FROM (SELECT uid FROM messages WHERE mailbox = ? AND uid >= ?
       ORDER BY uid LIMIT ?)`,
    ).get(mailbox, first, count) as unknown as [number | null];
    return last ?? undefined;
  }

  /** What is needed to make a document, if the message has none. */
  unindexed(mailbox: number, uid: number): UnindexedRow | undefined {
    const row = this.#statements.of(
      `SELECT f.in_new, f.base, f.info, f.bare_lf, m.size, c.parts
       FROM objects o JOIN messages m ON m.mailbox = ?3 AND m.uid = ?4
       JOIN files f ON f.id = o.id JOIN contents c ON c.id = o.id
       WHERE o.id = (?3 << 32) | ?4 AND m.size >= 0 AND ${LACKING}`,
    ).get(this.#limit, this.#first, mailbox, uid);
    return row && {
      uid,
      file: { inNew: row.in_new !== 0, base: String(row.base), info: String(row.info) },
      size: Number(row.size),
      bareLf: row.bare_lf !== 0,
      parts: ofText(String(row.parts)),
    };
  }

  /** Messages from `first` on that have a document, at most `count`: UIDs and documents. */
  of(mailbox: number, first: number, count: number): [uid: number, document: number][] {
    return this.#statements.arrays(
      `SELECT id & 4294967295, document FROM objects
       WHERE ${ID_RANGE} AND document >= ?4 ORDER BY id LIMIT ?5`,
    ).all(mailbox, first, 0xffffffff, this.#first, count) as unknown as [number, number][];
  }
}

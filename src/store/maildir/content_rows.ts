/** The rows of what is made of messages' texts: items as they go over the wire, and data about them. */

import type { DatabaseSync } from "node:sqlite";
import type { SearchedField } from "../../message/search_text.ts";
import { type CachedItems, TooMuchAtOnce } from "../store.ts";
import type { IndexedMessage } from "./file_indexer.ts";
import { deliveryTimeOf } from "./file_name.ts";
import type { UidRange } from "./message_rows.ts";
import { ID_RANGE, SortKeyRows } from "./sort_key_rows.ts";
import { Threads } from "./threads.ts";
import { Statements } from "./statements.ts";

/**
 * Which data the index keeps of each message: raise it when more is made, or made otherwise. Rows
 * of `objects` that say less are made again in the background: see `CatchUp`.
 */
export const DATA_VERSION = 1;

/**
 * Tables with a row for each message that was read, all by the same keys, and their columns. A
 * trigger deletes what belongs to a row of `contents`.
 */
const TABLES = {
  contents: ["sent_day", "envelope", "bodystructure", "header", "parts"],
  header_texts: ['"from"', '"to"', "cc", "bcc", "subject"],
  objects: ["made", "digest", "thread", "document"],
  previews: ["preview"],
} as const;

const ID = "(?1 << 32) | ?2";

/** The row of a message whose text has been read; later data keeps the thread. */
const INSERT_OBJECT = `INSERT INTO objects (id, made, digest, thread) VALUES (${ID}, ?3, ?4, ?5)
  ON CONFLICT (id) DO UPDATE SET made = excluded.made, digest = excluded.digest`;

/** Where a cached item comes from. */
interface ItemSource {
  readonly join: "contents" | "objects" | "previews" | "files";
  /** c, o, p, f are the joined tables, m is `messages`. */
  readonly sql: string;
  /** Makes the item of what the statement gave. */
  readonly read?: (value: unknown) => unknown;
}

const SOURCES: { readonly [Item in keyof CachedItems]: ItemSource } = {
  envelope: { join: "contents", sql: "c.envelope", read: readText },
  bodystructure: { join: "contents", sql: "c.bodystructure", read: readText },
  header: { join: "contents", sql: "c.header", read: readText },
  parts: { join: "contents", sql: "c.parts", read: readText },
  sentDay: { join: "contents", sql: "c.sent_day" },
  // INTERNALDATE is part of it, since messages with one identifier must have the same.
  emailId: { join: "objects", sql: "format('e%s-%x', lower(hex(o.digest)), m.date)" },
  threadId: { join: "objects", sql: "format('t%016x', o.thread)" },
  preview: { join: "previews", sql: "p.preview" },
  saved: { join: "files", sql: "f.base || '/' || m.date", read: readSaved },
};

/** Messages of which items are read before their length is looked at. */
const STEP = 64;

/** Octets of items that are read at once. */
const MOST_OCTETS = 16 * 1024 * 1024;

/** Octets of a header text that is looked through by itself. */
const LONG_TEXT = 1024;

/** Octets of such texts that are looked through at once. */
const MOST_LONG_TEXTS = 1024 * 1024;

/** Joined in this order. A row that lacks one of `needed` is left out. */
const JOINS = [
  { join: "objects", name: "o", needed: true },
  { join: "previews", name: "p", needed: false },
  { join: "files", name: "f", needed: true },
] as const;

const EMAIL_ID = /^e([0-9a-f]{40})-([0-9a-f]{1,16})$/;
const THREAD_ID = /^t([0-9a-f]{16})$/;

/** True for items that are made anew in the background when older indexes lack them. */
export function isMadeLater(item: keyof CachedItems): boolean {
  const { join } = SOURCES[item];
  return join === "objects" || join === "previews";
}

/** True for items that are there only after the message's text was read. */
export function isOfText(item: keyof CachedItems): boolean {
  return SOURCES[item].join !== "files";
}

/** Statements on the tables of {@link TABLES}. */
export class ContentRows {
  readonly #threads: Threads;
  readonly #statements: Statements;
  readonly sortKeys: SortKeyRows;

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database);
    this.sortKeys = new SortKeyRows(database);
    this.#threads = new Threads(database);
  }

  /** Keeps what was made of a message's text. */
  insert(mailbox: number, uid: number, message: IndexedMessage): void {
    this.#statements.of(`INSERT OR REPLACE INTO contents VALUES (${ID}, ?3, ?4, ?5, ?6, ?7)`).run(
      mailbox,
      uid,
      message.sentDay,
      toText(message.envelope),
      toText(message.bodystructure),
      toText(message.header),
      toText(message.parts),
    );
    this.#statements.of(`INSERT OR REPLACE INTO header_texts VALUES (${ID}, ?3, ?4, ?5, ?6, ?7)`)
      .run(mailbox, uid, ...message.searchedTexts);
    this.insertData(mailbox, uid, message);
  }

  /** Keeps the part of it that older versions did not make. */
  insertData(mailbox: number, uid: number, message: IndexedMessage): void {
    const { digest, threadKeys, preview, sortKeys } = message;
    this.#statements.of(INSERT_OBJECT)
      .run(mailbox, uid, DATA_VERSION, digest, this.#threads.threadOf(threadKeys));
    this.#statements.of(`INSERT OR REPLACE INTO previews VALUES (${ID}, ?3)`).run(
      mailbox,
      uid,
      preview,
    );
    this.sortKeys.insert(mailbox, uid, sortKeys);
  }

  /** True for a message that was read, and whose rows are still there. */
  has(mailbox: number, uid: number): boolean {
    return this.#statements.arrays(`SELECT 1 FROM contents WHERE id = ${ID}`).get(mailbox, uid) !==
      undefined;
  }

  /** Copies the rows of messages with consecutive UIDs; the first becomes `toUid`. */
  copy(from: number, range: UidRange, to: number, toUid: number): void {
    for (const [table, columns] of Object.entries(TABLES)) {
      this.#statements.of(
        `INSERT INTO ${table} (id, ${columns})
         SELECT (?4 << 32) | ((id & 4294967295) + CAST(?5 AS INTEGER)), ${columns}
         FROM ${table} WHERE ${ID_RANGE}`,
      ).run(from, range.first, range.last, to, toUid - range.first);
    }
    this.sortKeys.copy(from, range, to, toUid - range.first);
  }

  /** UIDs of messages that were read by a version that made less of them, the highest first. */
  lacking(mailbox: number, range: UidRange): number[] {
    const rows = this.#statements.arrays(
      `SELECT m.uid FROM messages m LEFT JOIN objects o ON o.id = (?1 << 32) | m.uid
       WHERE m.mailbox = ?1 AND m.uid BETWEEN ?2 AND ?3 AND m.size >= 0
         AND ifnull(o.made, 0) < ?4
       ORDER BY m.uid DESC`,
    ).all(mailbox, range.first, range.last, DATA_VERSION) as unknown as [number][];
    return rows.map(([uid]) => uid);
  }

  /** The lowest of the `count` highest UIDs below `end`; undefined if there is none. */
  rangeBelow(mailbox: number, end: number, count: number): number | undefined {
    const [first] = this.#statements.arrays(
      `SELECT min(uid) FROM (SELECT uid FROM messages WHERE mailbox = ? AND uid < ?
       ORDER BY uid DESC LIMIT ?)`,
    ).get(mailbox, end, count) as unknown as [number | null];
    return first ?? undefined;
  }

  /**
   * Cached items of a range of UIDs, also of some that were expunged just now. A hostile message has
   * megabytes of them.
   *
   * @throws {TooMuchAtOnce}
   */
  cached<K extends keyof CachedItems>(
    mailbox: number,
    items: readonly K[],
    { first, last }: UidRange,
  ): (Pick<CachedItems, K> & { readonly uid: number })[] {
    const statement = this.#statements.arrays(selection(items));
    const rows: unknown[][] = [];
    let octets = 0;
    for (let next = first; next <= last;) {
      const some = statement.all(mailbox, next, last, STEP) as unknown as unknown[][];
      octets += octetsOf(some);
      if (octets > MOST_OCTETS && last > first) throw new TooMuchAtOnce();
      for (const row of some) rows.push(row);
      // By messages, as there may be billions of UIDs between two.
      next = some.length < STEP ? Infinity : Number(some[STEP - 1][0]) + 1;
    }
    const reads = items.map((item) => SOURCES[item].read);
    return rows.map((values) => {
      const row: { [item: string]: unknown } = { uid: values[0] };
      for (let at = 0; at < items.length; at++) {
        const value = values[at + 1];
        row[items[at]] = reads[at]?.(value) ?? value;
      }
      return row;
    }) as unknown as (Pick<CachedItems, K> & { readonly uid: number })[];
  }

  /**
   * UIDs of messages with the needle in that field, also of some that were expunged just now. SQLite
   * stops for nobody, so long texts are looked through one by one, and only as many as are quick.
   *
   * @throws {TooMuchAtOnce}
   */
  withHeader(
    mailbox: number,
    field: SearchedField,
    foldedNeedle: string,
    { first, last }: UidRange,
  ): number[] {
    const rows = this.#statements.arrays(
      `SELECT id & 4294967295, octet_length("${field}") FROM header_texts WHERE ${ID_RANGE}
         AND (octet_length("${field}") > ${LONG_TEXT} OR instr("${field}", ?4) > 0)
       ORDER BY id`,
    ).all(mailbox, first, last, foldedNeedle) as unknown as [number, number][];
    const octets = rows.reduce((sum, [, each]) => each > LONG_TEXT ? sum + each : sum, 0);
    if (octets > MOST_LONG_TEXTS && last > first) throw new TooMuchAtOnce();
    const holds = this.#statements.arrays(
      `SELECT 1 FROM header_texts WHERE id = ${ID} AND instr("${field}", ?3) > 0`,
    );
    return rows.filter(([uid, octets]) =>
      octets <= LONG_TEXT || holds.get(mailbox, uid, foldedNeedle) !== undefined
    ).map(([uid]) => uid);
  }

  /** UIDs of messages with that EMAILID. */
  withEmailId(mailbox: number, emailId: string, { first, last }: UidRange): number[] {
    const [, digest, date] = EMAIL_ID.exec(emailId) ?? [];
    if (digest === undefined) return [];
    const rows = this.#statements.arrays(
      `SELECT m.uid FROM objects o CROSS JOIN messages m
         ON m.mailbox = ?1 AND m.uid = o.id & 4294967295
       WHERE o.id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 AND o.digest = ?4 AND m.date = ?5
       ORDER BY o.id`,
    ).all(mailbox, first, last, Uint8Array.fromHex(digest), signed(date)) as unknown as [number][];
    return rows.map(([uid]) => uid);
  }

  /** UIDs of messages with that THREADID. */
  withThreadId(mailbox: number, threadId: string, { first, last }: UidRange): number[] {
    const [, thread] = THREAD_ID.exec(threadId) ?? [];
    if (thread === undefined) return [];
    const rows = this.#statements.arrays(
      `SELECT id & 4294967295 FROM objects WHERE ${ID_RANGE} AND thread = ?4 ORDER BY id`,
    ).all(mailbox, first, last, signed(thread)) as unknown as [number][];
    return rows.map(([uid]) => uid);
  }
}

/** Chars of all strings; other values are short. */
function octetsOf(rows: readonly (readonly unknown[])[]): number {
  let octets = 0;
  for (const row of rows) {
    for (const value of row) if (typeof value === "string") octets += value.length;
  }
  return octets;
}

/** Reads `contents` alone where that is enough: it is what clients ask for most. */
function selection(items: readonly (keyof CachedItems)[]): string {
  const joins = new Set<string>(items.map((item) => SOURCES[item].join));
  const columns = items.map((item) => `, ${SOURCES[item].sql} AS "${item}"`).join("");
  const ofContents = joins.has("contents");
  const id = ofContents ? "c.id" : "(?1 << 32) | m.uid";
  const joined = JOINS.filter(({ join }) => joins.has(join)).map(({ join, name, needed }) =>
    `${needed ? "CROSS" : "LEFT"} JOIN ${join} ${name} ON ${name}.id = ${id}`
  ).join(" ");
  if (!ofContents) {
    return `SELECT m.uid AS uid${columns} FROM messages m ${joined}
      WHERE m.mailbox = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid LIMIT ?4`;
  }
  const messages = joined === ""
    ? ""
    : "CROSS JOIN messages m ON m.mailbox = ?1 AND m.uid = c.id & 4294967295 ";
  return `SELECT c.id & 4294967295 AS uid${columns} FROM contents c ${messages}${joined}
    WHERE c.id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 ORDER BY c.id LIMIT ?4`;
}

/** Hexadecimal digits of a 64-bit number as SQLite shows it. */
function signed(hex: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${hex}`));
}

/** SQLite's TEXT ends at a NUL. Chars above U+00FF are free, so U+0100 stands for it. */
function toText(bytes: string): string {
  return bytes.includes("\0") ? bytes.replaceAll("\0", "\u0100") : bytes;
}

/** The octets that {@link toText} was given. */
export function ofText(text: string): string {
  return text.includes("\u0100") ? text.replaceAll("\u0100", "\0") : text;
}

function readText(value: unknown): unknown {
  return typeof value === "string" ? ofText(value) : value;
}

/** The latest time that the name of a file is believed to bear, in seconds since 1970. */
const LATEST = 0xffff_ffff;

/**
 * Files get new names when they are saved in a mailbox, by whatever program, and each name begins
 * with the time. Where it does not, INTERNALDATE has to do.
 */
function readSaved(value: unknown): number {
  const [base, date] = String(value).split("/");
  const time = deliveryTimeOf(base);
  return time !== undefined && time > 0 && time <= LATEST ? time : Number(date);
}

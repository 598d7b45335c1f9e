/** The rows of what SORT and THREAD compare; made from `contents.header` where there are none yet. */

import type { DatabaseSync } from "node:sqlite";
import { type SortKeys, sortKeysOf } from "../../message/sort_keys.ts";
import type { UidRange } from "./message_rows.ts";
import { Statements } from "./statements.ts";

/** Rows of `contents` and its kin by mailbox, first and last UID: the first three parameters. */
export const ID_RANGE = "id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3";

/** The sort keys that were asked for, of one message. */
export type SortKeyRow<K extends keyof SortKeys> = Pick<SortKeys, K> & { readonly uid: number };

/** In the order of the table's columns. */
const COLUMN_OF: Readonly<Record<keyof SortKeys, string>> = {
  sent: "sent",
  subject: "subject",
  reply: "reply",
  from: '"from"',
  to: '"to"',
  cc: "cc",
  displayFrom: "display_from",
  displayTo: "display_to",
  messageId: "message_id",
  references: '"references"',
};

const KEYS = Object.keys(COLUMN_OF) as (keyof SortKeys)[];

/** Statements on `sort_keys`, whose rows go with those of `contents`. */
export class SortKeyRows {
  readonly #statements: Statements;

  constructor(database: DatabaseSync) {
    this.#statements = new Statements(database);
  }

  insert(mailbox: number, uid: number, keys: SortKeys): void {
    const values = KEYS.map((key) => withoutNul(keys[key]));
    this.#statements.of(
      `INSERT OR REPLACE INTO sort_keys VALUES ((?1 << 32) | ?2, ${
        KEYS.map((_, at) => `?${at + 3}`).join(", ")
      })`,
    ).run(mailbox, uid, ...values);
  }

  /** Copies rows together with those of `contents`. */
  copy(from: number, range: UidRange, to: number, shift: number): void {
    this.#statements.of(
      `INSERT INTO sort_keys
       SELECT (?4 << 32) | ((id & 4294967295) + CAST(?5 AS INTEGER)), ${
        KEYS.map((key) => COLUMN_OF[key]).join(", ")
      } FROM sort_keys WHERE ${ID_RANGE}`,
    ).run(from, range.first, range.last, to, shift);
  }

  /** Keys of a range of UIDs, in UID order, also of some that were expunged just now. */
  read<K extends keyof SortKeys>(
    mailbox: number,
    keys: readonly K[],
    range: UidRange,
  ): SortKeyRow<K>[] {
    const columns = keys.map((key) => `, ${COLUMN_OF[key]}`).join("");
    const rows = this.#statements.arrays(
      `SELECT id & 4294967295${columns} FROM sort_keys WHERE ${ID_RANGE} ORDER BY id`,
    ).all(mailbox, range.first, range.last) as unknown as unknown[][];
    return rows.map((values) => {
      const row: { [key: string]: unknown } = { uid: values[0] };
      for (let at = 0; at < keys.length; at++) row[keys[at]] = values[at + 1];
      return row;
    }) as unknown as SortKeyRow<K>[];
  }

  /** Keys of messages that an older version of this program read. */
  missing(mailbox: number, range: UidRange): SortKeyRow<keyof SortKeys>[] {
    const rows = this.#statements.of(
      `SELECT id & 4294967295 AS uid, header FROM contents
       WHERE ${ID_RANGE} AND id NOT IN (SELECT id FROM sort_keys WHERE ${ID_RANGE}) ORDER BY id`,
    ).all(mailbox, range.first, range.last);
    return rows.map(({ uid, header }) => ({
      uid: Number(uid),
      ...sortKeysOf(String(header).replaceAll("\u0100", "")),
    }));
  }
}

/** SQLite's TEXT ends at a NUL. */
function withoutNul<T>(value: T): T | string {
  return typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "") : value;
}

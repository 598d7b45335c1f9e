/** The messages of a mailbox in memory, as typed arrays in UID order. */

import { FLAG, type MessageColumns } from "../store.ts";
import type { MailboxDocuments } from "./documents.ts";
import type { ColumnsRow, MessageRow } from "./message_rows.ts";

/** A range of positions in the columns, `end` not included. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** What a change of one message's flags makes of it. */
export interface Flags {
  readonly flags: number;
  readonly keywords: number;
}

const FIRST_CAPACITY = 16;
const BYTES_PER_MESSAGE = 35;

/** {@link MessageColumns} that can be changed, with running totals. */
export class Columns implements MessageColumns {
  count = 0;
  generation = 0;
  uids = new Uint32Array(FIRST_CAPACITY);
  flags = new Uint8Array(FIRST_CAPACITY);
  keywordSets = new Uint32Array(FIRST_CAPACITY);
  modseqs = new Float64Array(FIRST_CAPACITY);
  sizes = new Float64Array(FIRST_CAPACITY);
  dates = new Float64Array(FIRST_CAPACITY);
  zones = new Int16Array(FIRST_CAPACITY);
  /** Octets of the files of messages whose size in wire form is not known yet, by UID. */
  readonly unread = new Map<number, number>();
  /** Present once a text was searched for, until there are more. */
  documents: MailboxDocuments | undefined;

  unseen = 0;
  deleted = 0;
  /** Sum of the known sizes. */
  size = 0;

  get prepared(): boolean {
    return this.unread.size === 0;
  }

  /** Octets of memory that these columns take, about. */
  get bytes(): number {
    return this.uids.length * BYTES_PER_MESSAGE + this.unread.size * 48 +
      (this.documents?.uids.length ?? 0) * 8;
  }

  /** Adds a message, whose UID must be above all others. */
  push(row: MessageRow): void {
    this.#add(row.uid, row.flags, row.keywords, row.modseq, row.size, row.date, row.zone);
  }

  /** Adds rows as the index gives them. */
  pushRows(rows: readonly ColumnsRow[]): void {
    this.#reserve(this.count + rows.length);
    for (const row of rows) this.#add(...row);
  }

  /** Makes room for `more` messages, exactly if there are none yet. */
  #reserve(needed: number): void {
    if (needed <= this.uids.length) return;
    const capacity = Math.max(needed, Math.ceil(this.uids.length * 1.5));
    this.uids = grown(this.uids, new Uint32Array(capacity));
    this.flags = grown(this.flags, new Uint8Array(capacity));
    this.keywordSets = grown(this.keywordSets, new Uint32Array(capacity));
    this.modseqs = grown(this.modseqs, new Float64Array(capacity));
    this.sizes = grown(this.sizes, new Float64Array(capacity));
    this.dates = grown(this.dates, new Float64Array(capacity));
    this.zones = grown(this.zones, new Int16Array(capacity));
  }

  #add(
    uid: number,
    flags: number,
    keywords: number,
    modseq: number,
    size: number,
    date: number,
    zone: number,
  ): void {
    const at = this.count;
    this.#reserve(at + 1);
    this.uids[at] = uid;
    this.flags[at] = flags;
    this.keywordSets[at] = keywords;
    this.modseqs[at] = modseq;
    this.dates[at] = date;
    this.zones[at] = zone;
    this.sizes[at] = size < 0 ? 0 : size;
    if (size < 0) this.unread.set(uid, -1 - size);
    else this.size += size;
    this.#tally(flags, 1);
    this.count++;
  }

  /** The position of a UID, or -1. */
  indexOf(uid: number): number {
    const at = this.lowerBound(uid);
    return at < this.count && this.uids[at] === uid ? at : -1;
  }

  /** The position of the first message with at least this UID. */
  lowerBound(uid: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.uids[middle] < uid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Positions of those of `uids` that are there, ascending, each once. */
  indexesOf(uids: readonly number[]): number[] {
    const indexes: number[] = [];
    let sorted = true;
    let guess = 0;
    for (const uid of uids) {
      const at = this.uids[guess] === uid && guess < this.count ? guess : this.indexOf(uid);
      if (at < 0) continue;
      if (indexes.length > 0 && at <= indexes[indexes.length - 1]) sorted = false;
      indexes.push(at);
      guess = at + 1;
    }
    return sorted ? indexes : [...new Set(indexes)].sort((a, b) => a - b);
  }

  /** Sets flags and keywords of the message at `at`. */
  setFlags(at: number, { flags, keywords }: Flags, modseq: number): void {
    this.#tally(this.flags[at], -1);
    this.#tally(flags, 1);
    this.flags[at] = flags;
    this.keywordSets[at] = keywords;
    this.modseqs[at] = modseq;
  }

  /** Sets the size of a message whose text has now been read. */
  setSize(uid: number, size: number): void {
    const at = this.indexOf(uid);
    if (at < 0) return;
    this.unread.delete(uid);
    this.size += size - this.sizes[at];
    this.sizes[at] = size;
  }

  /** Removes the messages at these positions (ascending). */
  remove(indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    for (const at of indexes) {
      this.#tally(this.flags[at], -1);
      this.size -= this.sizes[at];
      this.unread.delete(this.uids[at]);
    }
    // Views keep their numbering by the old array of UIDs; the others they read by position anew.
    this.uids = this.uids.slice();
    const columns = [
      this.uids,
      this.flags,
      this.keywordSets,
      this.modseqs,
      this.sizes,
      this.dates,
      this.zones,
    ];
    for (const column of columns) close(column, indexes, this.count);
    this.count -= indexes.length;
    this.generation++;
  }

  /** Octets of the messages with \Deleted: never less than their sizes in wire form. */
  deletedSize(): number {
    if (this.deleted === 0) return 0;
    let octets = 0;
    for (let at = 0; at < this.count; at++) {
      if (!(this.flags[at] & FLAG.deleted)) continue;
      // A bare LF becomes two octets.
      octets += this.sizes[at] || (this.unread.get(this.uids[at]) ?? 0) * 2;
    }
    return octets;
  }

  #tally(flags: number, by: 1 | -1): void {
    if (!(flags & FLAG.seen)) this.unseen += by;
    if (flags & FLAG.deleted) this.deleted += by;
  }
}

/** Ascending positions as runs of neighbours of at most `limit`. */
export function runsOf(indexes: readonly number[], limit: number): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < indexes.length;) {
    const start = indexes[at];
    let end = start + 1;
    at++;
    while (at < indexes.length && indexes[at] === end && end - start < limit) {
      end++;
      at++;
    }
    runs.push({ start, end });
  }
  return runs;
}

type Column = Uint32Array | Uint8Array | Float64Array | Int16Array;

function grown<T extends Column>(old: T, longer: T): T {
  longer.set(old);
  return longer;
}

/** Closes the gaps that removed elements leave. */
function close(column: Column, removed: readonly number[], count: number): void {
  let to = removed[0];
  for (let i = 0; i < removed.length; i++) {
    const from = removed[i] + 1;
    const end = i + 1 < removed.length ? removed[i + 1] : count;
    if (from < end) column.copyWithin(to, from, end);
    to += end - from;
  }
}

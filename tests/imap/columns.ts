/** A mailbox in memory that a test changes as other sessions would. */

import { Relevancy } from "../../src/imap/relevancy.ts";
import type { SearchScope } from "../../src/imap/search_columns.ts";
import type { Session } from "../../src/imap/session.ts";
import { View } from "../../src/imap/view.ts";
import { Pace } from "../../src/pace.ts";
import type { Mailbox, MessageColumns } from "../../src/store/store.ts";

/** A mailbox whose columns a test changes by hand; it stands for what a store shows a view. */
export class Columns {
  generation = 0;
  highestModseq = 1;
  #rows: { uid: number; flags: number; modseq: number }[];
  firstRecent: number;

  constructor(uids: readonly number[]) {
    this.#rows = uids.map((uid) => ({ uid, flags: 0, modseq: 1 }));
    this.firstRecent = this.uidNext;
  }

  get uidNext(): number {
    return Math.max(0, ...this.#rows.map(({ uid }) => uid)) + 1;
  }

  get messages(): MessageColumns {
    const rows = this.#rows;
    return {
      count: rows.length,
      generation: this.generation,
      uids: Uint32Array.from(rows, ({ uid }) => uid),
      flags: Uint8Array.from(rows, ({ flags }) => flags),
      keywordSets: new Uint32Array(rows.length),
      modseqs: Float64Array.from(rows, ({ modseq }) => modseq),
      sizes: new Float64Array(rows.length),
      prepared: true,
      dates: new Float64Array(rows.length),
      zones: new Int16Array(rows.length),
    };
  }

  arrive(uid: number): void {
    this.#rows.push({ uid, flags: 0, modseq: ++this.highestModseq });
  }

  flag(uid: number, flags: number): void {
    this.highestModseq++;
    for (const row of this.#rows) {
      if (row.uid === uid) Object.assign(row, { flags, modseq: this.highestModseq });
    }
  }

  expunge(...uids: number[]): void {
    this.highestModseq++;
    this.generation++;
    this.#rows = this.#rows.filter(({ uid }) => !uids.includes(uid));
  }

  claimRecent(): number {
    const first = this.firstRecent;
    this.firstRecent = this.uidNext;
    return first;
  }
}

/** What a client sees of it. */
export function open(columns: Columns, session: Session): View {
  const mailbox: Pick<Mailbox, "keywords" | "keywordSet" | "close"> = {
    keywords: () => [],
    keywordSet: () => [],
    close: () => {},
  };
  return new View(Object.assign(columns, mailbox) as unknown as Mailbox, false, session);
}

/** What a search of it needs. */
export function scopeOf(view: View, pace = new Pace()): SearchScope {
  return {
    view,
    now: 0,
    pace,
    warn: () => {},
    annotation: () => Promise.resolve(undefined),
    relevancy: new Relevancy(),
  };
}

/** What a client is told of mailboxes by STATUS responses that it did not ask for one by one. */

import type { Journal } from "./journal.ts";

/** Numbers of a mailbox; what a response does not tell is absent. */
interface Status {
  readonly uidValidity?: number;
  readonly messages?: number;
  readonly unseen?: number;
  readonly uidNext?: number;
  readonly highestModseq?: number;
}

const KEYS = {
  uidValidity: "UIDVALIDITY",
  messages: "MESSAGES",
  unseen: "UNSEEN",
  uidNext: "UIDNEXT",
  highestModseq: "HIGHESTMODSEQ",
} as const;

/** The STATUS responses that one connection gets, in their order. */
export class ToldStatuses {
  /** By UIDVALIDITY: the highest numbers so far. */
  readonly #before = new Map<number, { uidNext: number; highestModseq: number }>();

  /** @param name of the client */
  constructor(private readonly name: string, private readonly journal: Journal) {}

  /** Counts what cannot be, and notes what must be there from now on; other responses mean nothing. */
  hear(response: string): void {
    const found = /^\* STATUS "?([^"]+?)"? \(([^)]*)\)$/.exec(response);
    if (found === null) return;
    const status = statusOf(found[2]);
    const { uidValidity } = status;
    if (uidValidity === undefined) {
      return this.journal.faults.add("bugs", `${this.name}: no UIDVALIDITY in ${response}`);
    }
    this.#compare(uidValidity, status, response);
    // It may have been deleted since the server wrote that.
    const box = this.journal.box(uidValidity, found[1]);
    if (box === undefined) return;
    const { uidNext = 1, highestModseq = 0 } = status;
    if (status.uidNext !== undefined && uidNext < box.verifiedNext) {
      this.#fault(`${response} after UIDNEXT ${box.verifiedNext}`);
    }
    box.uidNext = Math.max(box.uidNext, uidNext);
    box.highestModseq = Math.max(box.highestModseq, highestModseq);
  }

  #compare(uidValidity: number, status: Status, response: string): void {
    const before = this.#before.get(uidValidity) ?? { uidNext: 1, highestModseq: 0 };
    const { uidNext = before.uidNext, highestModseq = before.highestModseq } = status;
    if (uidNext < before.uidNext || highestModseq < before.highestModseq) {
      this.#fault(`${response} after ${JSON.stringify(before)}`);
    }
    const { messages = uidNext - 1, unseen = 0 } = status;
    if (messages >= uidNext || unseen > messages) this.#fault(`${response}: so many cannot be`);
    this.#before.set(uidValidity, { uidNext, highestModseq });
  }

  #fault(what: string): void {
    this.journal.faults.add("numbers back", `${this.name}: ${what}`);
  }
}

function statusOf(items: string): Status {
  return Object.fromEntries(
    Object.entries(KEYS).flatMap(([key, item]) => {
      const number = new RegExp(`\\b${item} (\\d+)`).exec(items)?.[1];
      return number === undefined ? [] : [[key, Number(number)]];
    }),
  );
}

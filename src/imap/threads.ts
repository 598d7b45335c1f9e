/** The table of threading algorithms, and threads of a mailbox's messages. @see RFC 5256 §3 */

import {
  orderedSubject,
  references,
  refs,
  type ThreadedMessages,
  type Threading,
  type ThreadNode,
} from "../message/threading.ts";
import { type Pace, sortInTurns } from "../pace.ts";
import type { Mailbox } from "../store/store.ts";
import type { ThreadAlgorithm } from "../wire/sort_grammar.ts";
import { arrivalDates, eachSortKey, pickNumbers } from "./key_loaders.ts";
import type { KeyLoader, KeyMemory } from "./key_memory.ts";
import { placesByRank } from "./ranks.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";

interface AlgorithmRow {
  readonly rfc: string;
  readonly capability: string;
  readonly run: (messages: ThreadedMessages) => Threading;
}

/** By name. */
export const THREAD_ALGORITHMS: Readonly<Record<ThreadAlgorithm, AlgorithmRow>> = {
  ORDEREDSUBJECT: {
    rfc: "RFC 5256 §3",
    capability: "THREAD=ORDEREDSUBJECT",
    run: orderedSubject,
  },
  REFERENCES: { rfc: "RFC 5256 §3", capability: "THREAD=REFERENCES", run: references },
  REFS: { rfc: "draft-ietf-morg-inthread §5", capability: "THREAD=REFS", run: refs },
};

/** Keys of messages for threading; texts are numbered. */
interface ThreadKeys {
  readonly sent: Float64Array;
  readonly arrived: Float64Array;
  readonly subject: Int32Array;
  readonly reply: Uint8Array;
  readonly id: Int32Array;
  /** Plain arrays: one of four octets for each message costs V8 a buffer, and time to collect it. */
  readonly references: readonly (readonly number[])[];
  readonly lastId: number;
}

const KEYS = ["sent", "subject", "reply", "messageId", "references"] as const;

const NO_REFERENCES: readonly number[] = [];

/** Gives each text a number from 1; "" is 0. */
class Numbering {
  readonly #numbers = new Map([["", 0]]);

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, number = this.#numbers.size);
    return number;
  }

  get last(): number {
    return this.#numbers.size - 1;
  }
}

const threadLoader: KeyLoader<ThreadKeys> = {
  name: "thread",
  async load(mailbox: Mailbox, uids: Uint32Array, pace: Pace): Promise<ThreadKeys> {
    const arrived = arrivalDates(mailbox, uids);
    const sent = arrived.slice();
    const subject = new Int32Array(uids.length);
    const reply = new Uint8Array(uids.length);
    const id = new Int32Array(uids.length);
    const references = new Array<readonly number[]>(uids.length).fill(NO_REFERENCES);
    const [subjects, ids] = [new Numbering(), new Numbering()];
    await eachSortKey(mailbox, KEYS, uids, pace, (place, keys) => {
      if (keys.sent !== null) sent[place] = keys.sent;
      subject[place] = subjects.of(keys.subject);
      reply[place] = keys.reply;
      id[place] = ids.of(keys.messageId);
      if (keys.references === "") return;
      references[place] = keys.references.split(" ").map((text) => ids.of(text));
    });
    return { sent, arrived, subject, reply, id, references, lastId: ids.last };
  },
  pick: (all, places) => ({
    sent: pickNumbers(all.sent, places),
    arrived: pickNumbers(all.arrived, places),
    subject: Int32Array.from(places, (place) => place < 0 ? 0 : all.subject[place]),
    reply: Uint8Array.from(places, (place) => place < 0 ? 0 : all.reply[place]),
    id: Int32Array.from(places, (place) => place < 0 ? 0 : all.id[place]),
    references: Array.from(places, (place) => place < 0 ? NO_REFERENCES : all.references[place]),
    lastId: all.lastId,
  }),
};

/** The threads of these messages; a node's message is its index in `seqs`. */
export async function threadMessages(
  seqs: Seqs,
  algorithm: ThreadAlgorithm,
  scope: SearchScope,
  memory: KeyMemory,
): Promise<readonly ThreadNode[]> {
  const keys = await memory.keysOf(threadLoader, seqs, scope);
  const { sent } = keys;
  const bySent = placesByRank(sent, 1) ??
    await sortInTurns(seqs.map((_, at) => at), (a, b) => sent[a] - sent[b] || a - b, scope.pace);
  const sentRank = new Int32Array(seqs.length);
  bySent.forEach((at, rank) => sentRank[at] = rank);
  const threading = THREAD_ALGORITHMS[algorithm].run({
    ...keys,
    count: seqs.length,
    bySent,
    sentRank,
  });
  for (;;) {
    const step = threading.next();
    if (step.done) return step.value;
    if (scope.pace.due()) await scope.pace.turn();
  }
}

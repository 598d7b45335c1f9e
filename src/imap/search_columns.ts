/** What a SEARCH looks at, and keys that the columns in memory answer. */

import type { Pace } from "../pace.ts";
import type { ServerAnnotation } from "./filters.ts";
import type { Relevancy } from "./relevancy.ts";
import type { View } from "./view.ts";

/** Sequence numbers, ascending. They hold still while a command runs. @see RFC 9051 §7.5.1 */
export type Seqs = readonly number[];

/** What evaluating a program needs to know. */
export interface SearchScope {
  readonly view: View;
  /** Seconds since 1970, for OLDER and YOUNGER. */
  readonly now: number;
  readonly pace: Pace;
  readonly warn: (uid: number, error: string) => void;
  /** Takes what fuzzy keys find. */
  readonly relevancy: Relevancy;
  /** Text is compared fuzzily. @see RFC 6203 §3 */
  readonly fuzzy?: boolean;
  /** The store has left out already what has not the texts of the key. */
  readonly narrowed?: boolean;
  /** Where filters are kept. */
  readonly annotation: ServerAnnotation;
}

/** Does the message at `index` of the columns pass, which is the client's message `seq`? */
export type Test = (index: number, seq: number) => boolean;

/** Messages that are tested between two looks at the clock: a test may be of a thousand keys. */
const STEP = 256;

/**
 * The messages that pass and are still there.
 *
 * @param seqs undefined for all messages
 */
export async function passingColumns(
  test: Test,
  seqs: Seqs | undefined,
  scope: SearchScope,
): Promise<Seqs> {
  const found: number[] = [];
  const count = seqs?.length ?? scope.view.count;
  for (let start = 0; start < count; start += STEP) {
    const end = Math.min(start + STEP, count);
    if (seqs === undefined && !scope.view.diverged) passAll(test, start, end, found);
    else passSome(test, seqs, start, end, scope.view, found);
    if (end < count && scope.pace.due()) await scope.pace.turn();
  }
  return found;
}

/** System flags that must be set, and others that must not. */
export interface FlagTest {
  /** The flags that are looked at. */
  readonly mask: number;
  /** Those of them that must be set. */
  readonly wanted: number;
}

/**
 * What {@link passingColumns} gives for all messages and a test of nothing but system flags.
 * Clients ask for UNSEEN all the time, and often of a server that has not compiled much yet: a loop
 * that calls nothing takes a fifth of the time then.
 */
export function passingFlags({ mask, wanted }: FlagTest, { mailbox, count }: View): Seqs {
  const { flags } = mailbox.messages;
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    if ((flags[index] & mask) === wanted) found.push(index + 1);
  }
  return found;
}

/** None was expunged: the place in the client's numbering is the place in the columns. */
function passAll(test: Test, start: number, end: number, found: number[]): void {
  for (let index = start; index < end; index++) if (test(index, index + 1)) found.push(index + 1);
}

function passSome(
  test: Test,
  seqs: Seqs | undefined,
  start: number,
  end: number,
  view: View,
  found: number[],
): void {
  for (let i = start; i < end; i++) {
    const seq = seqs === undefined ? i + 1 : seqs[i];
    const index = view.indexOf(view.uidOf(seq), seq);
    if (index >= 0 && test(index, seq)) found.push(seq);
  }
}

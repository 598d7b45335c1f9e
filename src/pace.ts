/** Keeps long work from holding the event loop. */

import { setImmediate } from "node:timers";
import { Loopback } from "./loopback.ts";

const loopback = new Loopback();

/**
 * Lets everything else have its turn, sockets included; a timer of 0 ms would idle for 2.
 *
 * @param owner whose work it is; of each owner one after the other gets a turn
 */
export function yieldNow(owner?: unknown): Promise<void> {
  return loopback.turn(owner);
}

/**
 * What many do a little of, each for another client, is long work together: true when all of it has
 * lasted so long that it is time for {@link yieldNow}.
 */
export function isTurnDue(): boolean {
  return loopback.due;
}

/**
 * Asked by what begins because something came over a socket: false where much else began at the same
 * time, so that it has to {@link yieldNow} first.
 */
export function mayBegin(): boolean {
  return loopback.mayBegin();
}

/** Settles when what runs now is through; what came in with it has run by then, but no more. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Cuts long work into slices: `if (pace.due()) await pace.turn()` in each step of a loop costs a
 * clock read, and other work gets its turn each `slice` milliseconds.
 */
export class Pace {
  readonly #slice: number;
  readonly #owner: unknown;
  #started = performance.now();

  /** @param owner see {@link yieldNow} */
  constructor(slice = 5, owner?: unknown) {
    this.#slice = slice;
    this.#owner = owner;
  }

  /** True when this slice has lasted long enough. */
  due(): boolean {
    return performance.now() - this.#started >= this.#slice;
  }

  /** Lets other work run, then starts a new slice. */
  async turn(): Promise<void> {
    await yieldNow(this.#owner);
    this.#started = performance.now();
  }
}

const RUN = 1000;

/**
 * Sorts as `Array.sort` does, stably, in slices; `items` is left as it is.
 *
 * @param run how many are sorted or merged before the clock is looked at
 */
export async function sortInTurns<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  pace = new Pace(),
  run = RUN,
): Promise<T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += run) {
    runs.push(items.slice(at, at + run).sort(compare));
    if (pace.due()) await pace.turn();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right = []] = runs.slice(i, i + 2);
      merged.push(right.length > 0 ? await merge(left, right, compare, pace, run) : left);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
  run: number,
): Promise<T[]> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const fromLeft = r === right.length ||
      (l < left.length && compare(left[l], right[r]) <= 0);
    merged.push(fromLeft ? left[l++] : right[r++]);
    if (merged.length % run === 0 && pace.due()) await pace.turn();
  }
  return merged;
}

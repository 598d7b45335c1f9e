/** Keeps long work from holding the event loop. */

import { setImmediate } from "node:timers";

/** Lets the event loop turn once. */
export function yieldNow(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Cuts long work into slices: `if (pace.due()) await pace.turn()` in each step of a loop costs a
 * clock read, and other work gets its turn each `slice` milliseconds.
 */
export class Pace {
  readonly #slice: number;
  #started = performance.now();

  constructor(slice = 5) {
    this.#slice = slice;
  }

  /** True when this slice has lasted long enough. */
  due(): boolean {
    return performance.now() - this.#started >= this.#slice;
  }

  /** Lets other work run, then starts a new slice. */
  async turn(): Promise<void> {
    await yieldNow();
    this.#started = performance.now();
  }
}

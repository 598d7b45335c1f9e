import { setImmediate } from "node:timers";

/** Lets every other connection have its turn. */
export function yieldNow(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Keeps long work from holding the event loop: call `point()` between steps of it. */
export class Pace {
  #since = performance.now();

  /** @param slice milliseconds of work between two turns of others */
  constructor(readonly slice = 5) {}

  /** True when it is others' turn; then `await` {@link turn}. */
  get due(): boolean {
    return performance.now() - this.#since > this.slice;
  }

  async turn(): Promise<void> {
    await yieldNow();
    this.#since = performance.now();
  }

  async point(): Promise<void> {
    if (this.due) await this.turn();
  }
}

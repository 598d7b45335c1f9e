/** Work that nobody waits for. */

import type { Log } from "../../log.ts";
import { StoreError } from "../store.ts";

/** Runs work of an account behind the commands, and ends it when the account closes. */
export class Background {
  readonly #log: Log;
  readonly #tasks = new Set<Promise<void>>();
  #stopped = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** True once long work should end at its next step. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** True while any work goes on. */
  get busy(): boolean {
    return this.#tasks.size > 0;
  }

  /** Starts `task`; a failure is logged with `what`. */
  run(what: string, task: () => Promise<void>): void {
    if (this.#stopped) return;
    const running = task().catch((error: unknown) => {
      if (this.#stopped && error instanceof StoreError) return;
      this.#log.warn("work in the background failed", {
        what,
        problem: error instanceof Error ? error.message : String(error),
      });
    }).finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  /** Settles when everything that runs now has ended. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  /** Ends all work. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.idle();
  }
}

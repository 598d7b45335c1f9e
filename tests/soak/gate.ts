/** Keeps clients of one account from working while one of them must be alone. */

/** Many pass it at once, or one alone. */
export class Gate {
  #inside = 0;
  #closed = false;
  #empty = Promise.withResolvers<void>();

  get closed(): boolean {
    return this.#closed;
  }

  /** Works among others; not to be called while it is closed. */
  async pass(work: () => Promise<void>): Promise<void> {
    this.#inside++;
    try {
      await work();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#empty.resolve();
    }
  }

  /** Works once the others are out; nobody comes in meanwhile. */
  async alone(work: () => Promise<void>): Promise<void> {
    this.#closed = true;
    this.#empty = Promise.withResolvers();
    try {
      if (this.#inside > 0) await this.#empty.promise;
      await work();
    } finally {
      this.#closed = false;
    }
  }
}

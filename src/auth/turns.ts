/** Bounds how much work is under way at once. */

import { PeerUnavailable } from "./remote_check.ts";

export interface TurnsOptions {
  /** Works at once. */
  readonly atOnce: number;
  /** Works that may wait for their turn. */
  readonly waiting?: number;
}

/** Gives turns in the order of asking. */
export class Turns {
  readonly #atOnce: number;
  readonly #most: number;
  readonly #queue: PromiseWithResolvers<void>[] = [];
  #running = 0;
  #closed = false;
  #idle?: PromiseWithResolvers<void>;

  constructor(options: TurnsOptions) {
    this.#atOnce = options.atOnce;
    this.#most = options.waiting ?? 1000;
  }

  /**
   * Does `work` when it is its turn.
   *
   * @throws {PeerUnavailable} when too many wait already, or after {@link close}
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PeerUnavailable("The server is closing");
    if (this.#running < this.#atOnce) this.#running++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Turns away all who wait; settles when the last work under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) {
      waiting.reject(new PeerUnavailable("The server is closing"));
    }
    if (this.#running === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  async #wait(): Promise<void> {
    if (this.#queue.length >= this.#most) {
      throw new PeerUnavailable(`${this.#most} logins are waiting already`);
    }
    const turn = Promise.withResolvers<void>();
    this.#queue.push(turn);
    await turn.promise;
  }

  #pass(): void {
    const next = this.#queue.shift();
    if (next !== undefined) return next.resolve();
    this.#running--;
    if (this.#running === 0) this.#idle?.resolve();
  }
}

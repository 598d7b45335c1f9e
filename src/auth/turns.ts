/** Bounds how much work is under way at once. */

import { NO_STANDING, type Standing } from "./auth.ts";
import { PeerUnavailable } from "./remote_check.ts";
import { WaitingLine } from "./waiting_line.ts";

export interface TurnsOptions {
  /** Works at once. */
  readonly atOnce: number;
  /** Works that may wait for their turn. */
  readonly waiting?: number;
}

/** Gives turns to all places alike. */
export class Turns {
  readonly #atOnce: number;
  readonly #queue: WaitingLine<PromiseWithResolvers<void>>;
  #running = 0;
  #closed = false;
  #idle?: PromiseWithResolvers<void>;

  constructor(options: TurnsOptions) {
    this.#atOnce = options.atOnce;
    this.#queue = new WaitingLine(options.waiting ?? 1000);
  }

  /**
   * Does `work` when it is its turn.
   *
   * @throws {PeerUnavailable} when too many wait already, or after {@link close}
   */
  async take<T>(work: () => Promise<T>, standing = NO_STANDING): Promise<T> {
    if (this.#closed) throw new PeerUnavailable("The server is closing");
    if (this.#running < this.#atOnce) this.#running++;
    else await this.#wait(standing);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Turns away all who wait; settles when the last work under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.empty()) {
      waiting.reject(new PeerUnavailable("The server is closing"));
    }
    if (this.#running === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  async #wait(standing: Standing): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const dropped = this.#queue.join(turn, standing);
    dropped?.reject(new PeerUnavailable("too many logins wait for their turn"));
    await turn.promise;
  }

  #pass(): void {
    const next = this.#queue.next();
    if (next !== undefined) return next.resolve();
    this.#running--;
    if (this.#running === 0) this.#idle?.resolve();
  }
}

/** How much the connections of an endpoint may hold in memory, all together. */

/** What each connection may hold of a kind without asking. */
export const SHARE = 16 * 1024;

/** Octets that may lie unread before a client is made to wait. */
export const READ_AHEAD = 256 * 1024;

/** Milliseconds that a client may have to wait for memory, or the server for a client. */
export const SHORT_PATIENCE = 10_000;

/** Counts what is held; it allocates nothing itself. */
export class Buffers {
  #left: number;
  readonly #waiting = new Set<() => void>();

  /** @param octets in all */
  constructor(octets: number) {
    this.#left = octets;
  }

  /** @returns false if there is no room; else {@link give} must follow */
  take(octets: number): boolean {
    if (octets > this.#left) return false;
    this.#left -= octets;
    return true;
  }

  give(octets: number): void {
    this.#left += octets;
    for (const wake of [...this.#waiting]) wake();
  }

  /** {@link take}, once there is room. @param patience milliseconds */
  async takeWithin(octets: number, patience: number): Promise<boolean> {
    if (this.take(octets)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (taken: boolean) => {
      // At once: what is given before the promise is seen must not be taken as well.
      this.#waiting.delete(wake);
      resolve(taken);
    };
    const wake = () => this.take(octets) && end(true);
    this.#waiting.add(wake);
    const timer = setTimeout(() => end(false), patience);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What one connection holds of what came, beyond its share. */
export class HeldInput {
  #literals = 0;
  #ahead = false;

  /** @param patience milliseconds that a literal may have to wait for memory */
  constructor(private readonly buffers: Buffers, private readonly patience: number) {}

  /**
   * Counts the literals of a command.
   *
   * @param octets of all that were announced so far
   * @returns false if memory is short
   */
  async literals(octets: number): Promise<boolean> {
    if (!await this.buffers.takeWithin(octets - this.#literals, this.patience)) return false;
    this.#literals = octets;
    return true;
  }

  giveLiterals(): void {
    this.buffers.give(this.#literals);
    this.#literals = 0;
  }

  /** Counts {@link READ_AHEAD}, once. @returns false if memory is short */
  ahead(): boolean {
    this.#ahead ||= this.buffers.take(READ_AHEAD);
    return this.#ahead;
  }

  giveAhead(): void {
    if (this.#ahead) this.buffers.give(READ_AHEAD);
    this.#ahead = false;
  }

  give(): void {
    this.giveLiterals();
    this.giveAhead();
  }
}

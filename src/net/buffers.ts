/** How much the connections of an endpoint may hold in memory, all together. */

/** What each connection may hold of a kind without asking. */
export const SHARE = 16 * 1024;

/** Octets that may lie unread before a client is made to wait. */
export const READ_AHEAD = 256 * 1024;

/** Milliseconds that a client may have to wait for memory, or the server for a client. */
export const SHORT_PATIENCE = 10_000;

/**
 * Counts what is held, and by whom; it allocates nothing itself. An owner may hold a third of what is
 * left: a quarter of all, if nobody else holds any, and less and less the more others do, so that
 * several together leave room, too.
 */
export class Buffers {
  #left: number;
  readonly #byOwner = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /**
   * @param octets in all
   * @param assured octets that an owner may hold even if that is more than a third of what is left
   */
  constructor(octets: number, private readonly assured: number) {
    this.#left = octets;
  }

  /** @returns false if there is no room for this owner; else {@link give} must follow */
  take(owner: string, octets: number): boolean {
    const left = this.#left - octets;
    const held = (this.#byOwner.get(owner) ?? 0) + octets;
    if (left < 0 || held > Math.max(left / 3, this.assured)) return false;
    this.#left = left;
    this.#byOwner.set(owner, held);
    return true;
  }

  give(owner: string, octets: number): void {
    const held = (this.#byOwner.get(owner) ?? 0) - octets;
    if (held > 0) this.#byOwner.set(owner, held);
    else this.#byOwner.delete(owner);
    this.#left += octets;
    for (const wake of [...this.#waiting]) wake();
  }

  /** {@link take}, once there is room. @param patience milliseconds */
  async takeWithin(owner: string, octets: number, patience: number): Promise<boolean> {
    if (this.take(owner, octets)) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (taken: boolean) => {
      // At once: what is given before the promise is seen must not be taken as well.
      this.#waiting.delete(wake);
      resolve(taken);
    };
    const wake = () => this.take(owner, octets) && end(true);
    this.#waiting.add(wake);
    const timer = setTimeout(() => end(false), patience);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * What one connection holds of what came, beyond its share. It may be another user's by the time that
 * it is given back.
 */
export class HeldInput {
  #literals = 0;
  #literalsOwner = "";
  #aheadOwner: string | undefined;

  /** @param patience milliseconds that a literal may have to wait for memory */
  constructor(private readonly buffers: Buffers, private readonly patience: number) {}

  /**
   * Counts the literals of a command.
   *
   * @param owner the same for all of them
   * @param octets of all that were announced so far
   * @returns false if memory is short
   */
  async literals(owner: string, octets: number): Promise<boolean> {
    const more = octets - this.#literals;
    if (!await this.buffers.takeWithin(owner, more, this.patience)) return false;
    this.#literalsOwner = owner;
    this.#literals = octets;
    return true;
  }

  giveLiterals(): void {
    if (this.#literals > 0) this.buffers.give(this.#literalsOwner, this.#literals);
    this.#literals = 0;
  }

  /** Counts {@link READ_AHEAD}, once. @returns false if memory is short */
  ahead(owner: string): boolean {
    if (this.#aheadOwner !== undefined) return true;
    if (!this.buffers.take(owner, READ_AHEAD)) return false;
    this.#aheadOwner = owner;
    return true;
  }

  giveAhead(): void {
    if (this.#aheadOwner !== undefined) this.buffers.give(this.#aheadOwner, READ_AHEAD);
    this.#aheadOwner = undefined;
  }

  give(): void {
    this.giveLiterals();
    this.giveAhead();
  }
}

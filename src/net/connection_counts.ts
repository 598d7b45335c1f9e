/** How many connections there are, in all, from each address, and of each user there. */

import type { UserConnections } from "../imap/command.ts";
import { customerNetwork, Networks } from "./ip_address.ts";

/** How many there may be at once. */
export interface CountLimits {
  readonly all: number;
  /** From one address, or one network of an IPv6 customer. */
  readonly address: number;
  /** Of one account from there. */
  readonly user: number;
  /** Addresses that only `all` holds for. */
  readonly trusted: Networks;
}

/** Which bound keeps a connection out. */
export type Excess = "all" | "address";

/** Counts over all endpoints, and over all configs that there were. */
export class ConnectionCounts implements UserConnections {
  #limits: CountLimits;
  #all = 0;
  readonly #byAddress = new Map<string, number>();
  readonly #byUser = new Map<string, number>();

  constructor(limits: CountLimits) {
    this.#limits = limits;
  }

  /** Counts without bounds. */
  static unbounded(): ConnectionCounts {
    const limits = { all: Infinity, address: Infinity, user: Infinity };
    return new ConnectionCounts({ ...limits, trusted: new Networks([]) });
  }

  /** Goes over to other bounds. Who is there stays, and is counted. */
  use(limits: CountLimits): void {
    this.#limits = limits;
  }

  /** Connections that there are now. */
  get all(): number {
    return this.#all;
  }

  /** Keys that are counted by now: without connections there are none. */
  get keys(): number {
    return this.#byAddress.size + this.#byUser.size;
  }

  /**
   * Counts a new connection.
   *
   * @param remote undefined as long as it is not known
   */
  admit(remote: string | undefined): Admission | Excess {
    if (this.#all >= this.#limits.all) return "all";
    if (remote !== undefined && this.#isFull(remote)) return "address";
    this.#all++;
    const admission = new Admission(this);
    if (remote !== undefined) admission.identify(remote);
    return admission;
  }

  /** @see Admission.identify */
  add(remote: string): boolean {
    if (this.#isFull(remote)) return false;
    increment(this.#byAddress, customerNetwork(remote));
    return true;
  }

  /** @see Admission.leave */
  remove(remote: string | undefined): void {
    this.#all--;
    if (remote !== undefined) decrement(this.#byAddress, customerNetwork(remote));
  }

  logIn(user: string, remote: string): (() => void) | undefined {
    const key = `${customerNetwork(remote)} ${user}`;
    const { user: most, trusted } = this.#limits;
    if ((this.#byUser.get(key) ?? 0) >= most && !trusted.includes(remote)) return undefined;
    increment(this.#byUser, key);
    return () => decrement(this.#byUser, key);
  }

  #isFull(remote: string): boolean {
    const { address, trusted } = this.#limits;
    const count = this.#byAddress.get(customerNetwork(remote)) ?? 0;
    return count >= address && !trusted.includes(remote);
  }
}

/** What a connection counts as, from its first to its last moment. */
export class Admission {
  #remote: string | undefined;
  #left = false;

  constructor(private readonly counts: ConnectionCounts) {}

  /** Counts it by its client's address, too. @returns false where there are too many from there */
  identify(remote: string): boolean {
    if (!this.counts.add(remote)) return false;
    this.#remote = remote;
    return true;
  }

  /** Counts it no more. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.counts.remove(this.#remote);
  }
}

/** Trusted addresses are counted, too: they may be trusted no more after a reload. */
function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function decrement(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

/** How many connections there are, in all, from each address, and of each user there. */

import type { UserConnections } from "../imap/command.ts";
import { customerNetwork, Networks } from "./ip_address.ts";
import { type Stranger, Strangers } from "./strangers.ts";

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

/** One of several places with a limit of its own. */
export interface Place {
  readonly strangers: Strangers;
  readonly isFull: boolean;
}

/** Counts over all endpoints, and over all configs that there were. */
export class ConnectionCounts implements UserConnections {
  #limits: CountLimits;
  #all = 0;
  readonly #strangers = new Strangers();
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
   * Counts a new connection. Where there are too many in all, one without a login makes room.
   *
   * @param remote undefined as long as it is not known
   */
  admit(remote: string | undefined, place?: Place): Admission | Excess {
    if (remote !== undefined && this.#isFull(remote)) return "address";
    if (place?.isFull && !place.strangers.endOne()) return "all";
    if (this.#all >= this.#limits.all && !this.#strangers.endOne()) return "all";
    this.#all++;
    const both = place === undefined ? [this.#strangers] : [this.#strangers, place.strangers];
    const admission = new Admission(this, both);
    if (remote !== undefined) admission.identify(remote);
    return admission;
  }

  /** @see Admission.identify */
  add(remote: string): boolean {
    if (this.#isFull(remote)) return false;
    increment(this.#byAddress, customerNetwork(remote));
    return true;
  }

  /** Only the limit on all holds for it. */
  trusts(remote: string): boolean {
    return this.#limits.trusted.includes(remote);
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
export class Admission implements Stranger {
  /** Undefined until a proxy has told it. */
  #remote: string | undefined;
  #left = false;
  /** Ends the connection, which is not counted any more. */
  onEnd: () => void = () => {};

  /** @param places where it is known as long as nobody is logged in */
  constructor(
    private readonly counts: ConnectionCounts,
    private readonly places: readonly Strangers[],
  ) {
    for (const place of places) place.add(this);
  }

  /**
   * All whose client is not known yet are of one network, whichever proxy they come from: one that
   * is well tells at once, so the oldest of them are those that nobody will tell of.
   */
  get network(): string {
    return this.#remote === undefined ? "" : customerNetwork(this.#remote);
  }

  /** It has ended, or made room. */
  get hasLeft(): boolean {
    return this.#left;
  }

  /** Counts it by its client's address, too. @returns false where there are too many from there */
  identify(remote: string): boolean {
    if (this.#left) return true;
    if (!this.counts.add(remote)) return false;
    for (const place of this.places) place.delete(this);
    this.#remote = remote;
    this.loggedIn(false);
    return true;
  }

  /** Tells whether a user is: only else it may have to make room. Trusted ones never have to. */
  loggedIn(isUser: boolean): void {
    const remote = this.#remote;
    if (this.#left || remote === undefined || this.counts.trusts(remote)) return;
    for (const place of this.places) isUser ? place.delete(this) : place.add(this);
  }

  /** Makes room for another one. */
  end(): void {
    this.leave();
    this.onEnd();
  }

  /** Counts it no more. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    for (const place of this.places) place.delete(this);
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

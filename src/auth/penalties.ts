/** Pauses that make guessing passwords slow, by where the guesses come from and whom they are at. */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Penalties } from "./auth.ts";

export interface PenaltyOptions {
  /** Milliseconds of the pause after the first failure, doubled by each that follows; 0: none. */
  readonly first: number;
  /** Milliseconds that no pause is longer than. */
  readonly longest: number;
  /** Milliseconds after which a failure is forgotten. */
  readonly lifetime: number;
  /** What has a penalty of its own, such as an IP address or an IPv6 network; undefined: has none. */
  readonly placeOf: (remote: string) => string | undefined;
}

/** What is remembered of failures, for whoever administrates the server. */
export interface PenaltyInfo {
  readonly kind: "address" | "user";
  /** An IPv4 address or an IPv6 network; the name of a user, who need not exist. */
  readonly name: string;
  readonly failures: number;
  /** Milliseconds since the last. */
  readonly age: number;
  /** Milliseconds of the pause after it. */
  readonly pause: number;
}

/** Addresses, and names, of which failures are remembered: who has many must not fill the memory. */
const MOST_FAILURES = 10_000;
/** Users, and addresses of each, of which a success is remembered. */
const MOST_USERS = 20_000;
const MOST_PLACES = 16;
/** Milliseconds for which a success is: whoever was away for a weekend is still known. */
const KNOWN_FOR = 7 * 86_400_000;
/** Characters of a name that is kept as it is. */
const LONGEST_NAME = 128;

interface Failures {
  count: number;
  /** When the last one was. */
  at: number;
  /** The other side of all of them (a name, a place), as long as it is a single one. */
  by: string | undefined;
}

/** A place where a user logged in well. */
interface Known {
  at: number;
  /** Failures since then. */
  count: number;
  failedAt: number;
}

/**
 * Counts failures by place and by name, in memory. They hold over all endpoints.
 *
 * Whoever logged in well from a place lately is let in there without a pause, however many others
 * try the same name, or from the same network: only failures of just this name at this place count
 * then. A success takes back only what its own user did: one good account does not make guessing at
 * others any faster.
 */
export class LoginPenalties implements Penalties {
  #options: PenaltyOptions;
  readonly #now: () => number;
  readonly #places = new Map<string, Failures>();
  readonly #names = new Map<string, Failures>();
  readonly #known = new Map<string, Map<string, Known>>();

  /** @param now milliseconds on a clock that is never set back */
  constructor(options: PenaltyOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  /** Goes over to other settings; what is remembered stays. */
  use(options: PenaltyOptions): void {
    this.#options = options;
  }

  before(name: string, remote: string): number {
    if (this.#places.size === 0 && this.#names.size === 0) return 0;
    const place = this.#options.placeOf(remote);
    if (place === undefined) return 0;
    const now = this.#now();
    const kept = keptName(name);
    const known = this.#knownAt(kept, place, now);
    if (known !== undefined) return this.#left(known.count, known.failedAt, now);
    const sides = [this.#places.get(place), this.#names.get(kept)];
    return Math.max(...sides.map((each) => each ? this.#left(each.count, each.at, now) : 0));
  }

  failed(name: string, remote: string): number {
    const place = this.#options.placeOf(remote);
    if (place === undefined || this.#options.first === 0) return 0;
    const now = this.#now();
    const kept = keptName(name);
    const counts = [this.#add(this.#places, place, kept, now)];
    if (kept !== "") counts.push(this.#add(this.#names, kept, place, now));
    const known = this.#knownAt(kept, place, now);
    if (known === undefined) return this.#pause(Math.max(...counts));
    const forgotten = now - known.failedAt >= this.#options.lifetime;
    known.count = forgotten ? 1 : known.count + 1;
    known.failedAt = now;
    return this.#pause(known.count);
  }

  succeeded(name: string, remote: string): void {
    const place = this.#options.placeOf(remote);
    if (place === undefined || this.#options.first === 0) return;
    const kept = keptName(name);
    if (this.#places.get(place)?.by === kept) this.#places.delete(place);
    if (this.#names.get(kept)?.by === place) this.#names.delete(kept);
    const known = this.#known.get(kept) ?? new Map<string, Known>();
    renew(known, place, { at: this.#now(), count: 0, failedAt: 0 }, MOST_PLACES);
    renew(this.#known, kept, known, MOST_USERS);
  }

  /** All that are not forgotten, the newest first. */
  list(): PenaltyInfo[] {
    const now = this.#now();
    const rows = (kind: PenaltyInfo["kind"], table: ReadonlyMap<string, Failures>) =>
      Array.from(table, ([name, { count, at }]) => ({
        ...{ kind, name, failures: count },
        age: Math.round(now - at),
        pause: this.#pause(count),
      }));
    return [...rows("address", this.#places), ...rows("user", this.#names)]
      .filter(({ age }) => age < this.#options.lifetime)
      .sort((a, b) => a.age - b.age);
  }

  /** Forgets failures. @param which absent: all @returns how many rows of {@link list} there were */
  clear(which: { readonly address?: string; readonly user?: string } = {}): number {
    const { address, user } = which;
    const all = address === undefined && user === undefined;
    const place = address === undefined ? undefined : this.#options.placeOf(address) ?? address;
    const forget = (table: Map<string, Failures>, key: string | undefined) => {
      const count = all ? table.size : key !== undefined && table.has(key) ? 1 : 0;
      if (all) table.clear();
      else if (key !== undefined) table.delete(key);
      return count;
    };
    const name = user === undefined ? undefined : keptName(user);
    for (const [known, places] of this.#known) {
      if (!all && name !== undefined && known !== name) continue;
      for (const [at, each] of places) if (place === undefined || at === place) each.count = 0;
    }
    return forget(this.#places, place) + forget(this.#names, name);
  }

  #add(table: Map<string, Failures>, key: string, by: string, now: number): number {
    for (const [oldest, { at }] of table) {
      if (now - at < this.#options.lifetime) break;
      table.delete(oldest);
    }
    const before = table.get(key);
    const failures = before === undefined
      ? { count: 1, at: now, by }
      : { count: before.count + 1, at: now, by: before.by === by ? by : undefined };
    renew(table, key, failures, MOST_FAILURES);
    return failures.count;
  }

  #knownAt(name: string, place: string, now: number): Known | undefined {
    const known = this.#known.get(name)?.get(place);
    return known !== undefined && now - known.at < KNOWN_FOR ? known : undefined;
  }

  /** Milliseconds until the pause after the last of `count` failures is over. */
  #left(count: number, at: number, now: number): number {
    if (now - at >= this.#options.lifetime) return 0;
    return Math.max(0, at + this.#pause(count) - now);
  }

  #pause(count: number): number {
    const { first, longest } = this.#options;
    return count === 0 ? 0 : Math.min(first * 2 ** Math.min(count - 1, 30), longest);
  }
}

/** Puts an entry at the end of `map`, and drops the first ones while there are more than `most`. */
function renew<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}

/**
 * The name as it may be kept: short, and a copy, since what is cut out of a line of 64 KiB would
 * hold all of it.
 */
function keptName(name: string): string {
  if (name.length <= LONGEST_NAME) return Buffer.from(name).toString();
  return `sha256:${createHash("sha256").update(name).digest("hex")}`;
}

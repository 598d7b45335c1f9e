/** Pauses that make guessing passwords slow, by where the guesses come from and whom they are at. */

import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { type Admission, FREE_GUESS, type Guess, type Penalties } from "./auth.ts";
import { Gates } from "./gates.ts";
import type { Acquaintance, KnownPlaces } from "./known_places.ts";

export interface PenaltyOptions {
  /** Milliseconds of the pause after the first failure, doubled by each that follows; 0: none. */
  readonly first: number;
  /** Milliseconds that no pause is longer than. */
  readonly longest: number;
  /** Milliseconds after which a failure is forgotten. */
  readonly lifetime: number;
  /** What has a penalty of its own, such as an IP address or an IPv6 network; undefined: has none. */
  readonly placeOf: (remote: string) => string | undefined;
  /** The wider network of a place, which people may share who have nothing else in common. */
  readonly networkOf: (place: string) => string | undefined;
}

/** What is remembered of failures, for whoever administrates the server. */
export interface PenaltyInfo {
  readonly kind: "address" | "network" | "user";
  /** An IPv4 address or an IPv6 network; a wider one; the name of a user, who need not exist. */
  readonly name: string;
  readonly failures: number;
  /** Milliseconds since the last. */
  readonly age: number;
  /** Milliseconds of the pause after it. */
  readonly pause: number;
}

/** Attempts that are looked at in the time of one pause, where it need not be a single one. */
const MANY = 10;
/** The same where somebody failed who is known there: most likely by a device with an old password. */
const FEW = 4;
/** The same from a wider network: as from ten places, so that one of them takes a small part of it. */
const CROWD = 10 * MANY;
/** Of the longest pauses: who would have to wait any longer is told so. */
const PATIENCE = 2;
/** Characters of a name that is kept as it is. */
const LONGEST_NAME = 128;

/** An attempt, from when it is known whom it is at. */
interface Attempt {
  readonly name: string;
  readonly place: string;
  /** Of the two. */
  readonly acquaintance: Acquaintance;
  readonly arrived: number;
  /** When it was let in. */
  since?: number;
  /** Milliseconds for which the gates that it came through count it, but for that of the network. */
  pause: number;
  /** Make room for others at the gates that it came through. */
  leave: readonly (() => void)[];
}

/** A gate that an attempt has to pass, which there need not be yet. */
interface Passage {
  readonly gates: Gates;
  readonly key: string;
  readonly room: number;
}

/**
 * Counts failures by place and by name, in memory. They hold over all endpoints.
 *
 * From one place, one attempt for each pause is looked at of all that are at names at which somebody
 * failed lately, on however many connections they come. Others there, who most likely have the
 * right password, have room for {@link MANY}, and so has a name in all places together: with less a
 * few guesses from anywhere would keep its user out of new places. A wider network has room for
 * {@link CROWD}, else who has one could try a password at all names, from another place each time.
 *
 * Whoever logged in well from a place lately is let in there without a pause, however many others
 * try the same name, or from the same network: only failures of just this name at this place count
 * then, and they leave room for {@link FEW}. A password that was wrong in the same pause takes none
 * of it, but only once it was looked at: not to wait would tell that somebody else tried it.
 *
 * A success takes back only what its own user did: one good account does not make guessing at others
 * any faster.
 */
export class LoginPenalties implements Penalties {
  #options: PenaltyOptions;
  readonly #now: () => number;
  readonly #places = new Gates(() => this.#options.lifetime);
  readonly #networks = new Gates(() => this.#options.lifetime);
  readonly #names = new Gates(() => this.#options.lifetime);
  /** Of names where they are known. */
  readonly #pairs = new Gates(() => this.#options.lifetime);
  readonly #secret = randomBytes(32);
  readonly #known: KnownPlaces;

  /** @param now milliseconds on a clock that is never set back */
  constructor(
    options: PenaltyOptions,
    known: KnownPlaces,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#known = known;
    this.#now = now;
  }

  /** Goes over to other settings; what is remembered stays. */
  use(options: PenaltyOptions): void {
    this.#options = options;
  }

  guess(name: string, remote: string): Guess {
    const place = this.#options.placeOf(remote);
    if (place === undefined) return { ...FREE_GUESS, standing: { place: remote, known: true } };
    if (this.#options.first === 0) return { ...FREE_GUESS, standing: { place, known: false } };
    const kept = keptName(name);
    const acquaintance = this.#known.of(kept, place);
    const attempt: Attempt = {
      name: kept,
      place,
      acquaintance,
      arrived: this.#now(),
      pause: 0,
      leave: [],
    };
    return {
      get standing() {
        return { place, known: acquaintance.known };
      },
      ask: () => this.#ask(attempt),
      failed: (secret) => this.#failed(attempt, secret),
      succeeded: () => this.#succeeded(attempt),
      withdraw: () => this.#leave(attempt),
      unchecked: () => this.#unchecked(attempt),
    };
  }

  /** All that are not forgotten, the newest first. */
  list(): PenaltyInfo[] {
    const now = this.#now();
    const rows = (kind: PenaltyInfo["kind"], gates: Gates, least = 1) =>
      gates.failed(now, least).map(([name, { failures, at }]) => ({
        ...{ kind, name, failures },
        age: Math.round(now - at),
        pause: this.#pause(failures),
      }));
    return [
      ...rows("address", this.#places),
      // With fewer it has kept nobody waiting.
      ...rows("network", this.#networks, CROWD),
      ...rows("user", this.#names),
    ].sort((a, b) => a.age - b.age);
  }

  /** Forgets failures. @param which absent: all @returns how many rows of {@link list} there were */
  clear(which: { readonly address?: string; readonly user?: string } = {}): number {
    const { address, user } = which;
    const all = address === undefined && user === undefined;
    const { placeOf, networkOf } = this.#options;
    const place = address === undefined ? undefined : placeOf(address) ?? address;
    const network = place === undefined ? undefined : networkOf(place);
    const name = user === undefined ? undefined : keptName(user);
    const isThere = (key: string) =>
      address !== undefined && (key === place || networkOf(key) === address);
    const forget = (gates: Gates, chosen: (key: string) => boolean, least = 1) =>
      [...gates.keys].filter(chosen).filter((key) => gates.forget(key) >= least).length;
    const inPair = (pair: string) => {
      const end = pair.indexOf(" ");
      return (address === undefined || isThere(pair.slice(0, end))) &&
        (name === undefined || pair.slice(end + 1) === name);
    };
    forget(this.#pairs, inPair);
    const cleared = forget(this.#places, (key) => all || isThere(key)) +
      forget(this.#networks, (key) => all || key === address || key === network, CROWD) +
      forget(this.#names, (key) => all || key === name);
    // At a place there is more room for whose name has no failures.
    this.#places.wake();
    return cleared;
  }

  #ask(attempt: Attempt): Admission {
    const now = this.#now();
    const passages = this.#passages(attempt, now);
    const [first] = passages.flatMap(({ gates, key, room }) => {
      const gate = gates.get(key, now);
      return gate === undefined ? [] : [{ gate, wait: gate.closedFor(now, room) }];
    }).sort((a, b) => b.wait - a.wait);
    if (first === undefined || first.wait === 0) return this.#enter(attempt, passages, now);
    const latest = attempt.arrived + PATIENCE * this.#options.longest;
    if (now + first.wait > latest) return "never";
    return { milliseconds: first.wait, wakers: first.gate.wakers };
  }

  #passages({ name, place, acquaintance }: Attempt, now: number): Passage[] {
    const failures = (gates: Gates, key: string) => gates.get(key, now)?.failures ?? 0;
    if (acquaintance.known) {
      const key = pairOf(place, name);
      const room = failures(this.#pairs, key) === 0 ? MANY : FEW;
      return [{ gates: this.#pairs, key, room }];
    }
    const [places, names] = [this.#places, this.#names];
    const failed = name === "" ? failures(places, place) : failures(names, name);
    const network = this.#options.networkOf(place);
    return [
      { gates: places, key: place, room: failed === 0 ? MANY : 1 },
      ...network === undefined ? [] : [{ gates: this.#networks, key: network, room: CROWD }],
      ...name === "" ? [] : [{ gates: names, key: name, room: MANY }],
    ];
  }

  #enter(attempt: Attempt, passages: readonly Passage[], now: number): "now" {
    attempt.since = now;
    attempt.leave = passages.map(({ gates, key }) => {
      const gate = gates.open(key, now);
      const pause = this.#pause(gate.failures + 1);
      if (gates !== this.#networks) attempt.pause = Math.max(attempt.pause, pause);
      const leave = gate.enter(now, pause);
      return () => {
        leave();
        if (gate.isBlank && gates.get(key, now) === gate) gates.forget(key);
      };
    });
    return "now";
  }

  #leave({ leave }: Attempt): void {
    for (const each of leave) each();
  }

  /** However long the check took, they are told after a whole number of pauses. */
  #failed(attempt: Attempt, secret: string | undefined): number {
    const { name, place, since } = attempt;
    const now = this.#now();
    const { known } = attempt.acquaintance;
    const counts = [this.#places.fail(place, name, now)];
    if (name !== "") counts.push(this.#names.fail(name, place, now));
    const network = this.#options.networkOf(place);
    // No pause of anybody's own grows by what others do in the network.
    if (!known && network !== undefined) this.#networks.fail(network, place, now);
    if (known && secret !== undefined) this.#leaveIfWrongAgain(attempt, secret, now);
    const own = known ? this.#pairs.fail(pairOf(place, name), name, now) : Math.max(...counts);
    const pause = this.#pause(own);
    return pause === 0 ? 0 : pause - (now - (since ?? now)) % pause;
  }

  #leaveIfWrongAgain(attempt: Attempt, secret: string, now: number): void {
    const { wrong } = this.#pairs.open(pairOf(attempt.place, attempt.name), now);
    const digest = createHmac("sha256", this.#secret).update(secret).digest("base64");
    if (wrong.has(digest)) this.#leave(attempt);
    else wrong.add(digest);
  }

  /** Told at once, who was sent away since too many wait could bring the next attempt at once. */
  #unchecked({ since, pause }: Attempt): number {
    return since === undefined ? 0 : Math.max(0, pause - (this.#now() - since));
  }

  #succeeded(attempt: Attempt): void {
    const { name, place } = attempt;
    const now = this.#now();
    attempt.acquaintance.renew();
    this.#pairs.forget(pairOf(place, name));
    if (this.#places.get(place, now)?.by === name) this.#places.forget(place);
    if (this.#names.get(name, now)?.by === place) this.#names.forget(name);
    this.#leave(attempt);
  }

  #pause(failures: number): number {
    const { first, longest } = this.#options;
    return failures === 0 ? 0 : Math.min(first * 2 ** Math.min(failures - 1, 30), longest);
  }
}

/** A key of both: no place has a space in it. */
function pairOf(place: string, name: string): string {
  return `${place} ${name}`;
}

/**
 * The name as it may be kept: short, and a copy, since what is cut out of a line of 64 KiB would
 * hold all of it.
 */
function keptName(name: string): string {
  if (name.length <= LONGEST_NAME) return Buffer.from(name).toString();
  return `sha256:${createHash("sha256").update(name).digest("hex")}`;
}

/** From where users logged in well lately. */

import { createHmac } from "node:crypto";

/** Users, and places of each, that are remembered. */
const MOST_USERS = 20_000;
const MOST_PLACES = 16;
/** Days for which they are: whoever was away for a weekend is still known. */
const KNOWN_FOR = 7;
const DAY = 86_400_000;

/** A user's digest, then digests of places, each with the day of the last login from there. */
const LINE = /^[\w-]{16}(?: [\w-]{16}=\d{1,6}){1,16}$/;

/** A user at a place. */
export interface Acquaintance {
  /** True for a week after a login. */
  readonly known: boolean;
  /** Notes that the user logged in well there. */
  renew(): void;
}

/**
 * Remembers users and places by HMACs, and of the time the day only: what of it is kept must not tell
 * who was where.
 */
export class KnownPlaces {
  readonly #key: Uint8Array;
  readonly #today: () => number;
  /** Days since 1970: digests of names, then those of places. */
  readonly #users = new Map<string, Map<string, number>>();
  #changes = 0;

  /** @param today days since 1970 */
  constructor(secret: Uint8Array, today: () => number = () => Math.floor(Date.now() / DAY)) {
    this.#key = createHmac("sha256", secret).update("known places").digest();
    this.#today = today;
  }

  /** Grows whenever {@link lines} has something new. */
  get changes(): number {
    return this.#changes;
  }

  /** @param place has no space in it */
  of(name: string, place: string): Acquaintance {
    const user = this.#digest(name);
    const pair = this.#digest(`${place} ${name}`);
    const known = () => this.#isRecent(this.#users.get(user)?.get(pair));
    return {
      get known() {
        return known();
      },
      renew: () => {
        const today = this.#today();
        if (this.#users.get(user)?.get(pair) !== today) this.#changes++;
        this.#put(user, pair, today);
      },
    };
  }

  /** All that is not forgotten, as lines of text; those that were used last come last. */
  *lines(): Iterable<string> {
    for (const [user, places] of this.#users) {
      const recent = [...places].filter(([, day]) => this.#isRecent(day));
      if (recent.length === 0) continue;
      yield [user, ...recent.map(([pair, day]) => `${pair}=${day}`)].join(" ");
    }
  }

  /** Takes in one of {@link lines}. @returns false where it is none */
  take(line: string): boolean {
    if (!LINE.test(line)) return false;
    const [user, ...places] = line.split(" ");
    for (const each of places) {
      const [pair, day] = each.split("=");
      this.#put(user, pair, Number(day));
    }
    return true;
  }

  #put(user: string, pair: string, day: number): void {
    const places = this.#users.get(user) ?? new Map<string, number>();
    renew(places, pair, day, MOST_PLACES);
    renew(this.#users, user, places, MOST_USERS);
  }

  /** A clock may be set back, and may have been wrong at the time. */
  #isRecent(day: number | undefined): boolean {
    return day !== undefined && Math.abs(this.#today() - day) <= KNOWN_FOR;
  }

  #digest(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url").slice(0, 16);
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

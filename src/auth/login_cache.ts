/** Remembers for a while which passwords were right, so that they are not checked again. */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes } from "node:crypto";

export interface LoginCacheOptions<T> {
  /** Milliseconds for which it is remembered; with 0 nothing is. */
  readonly lifetime: number;
  /** Whether a result may be remembered: never one by which somebody is refused. */
  readonly isPositive: (result: T) => boolean;
  /** Results remembered at most. */
  readonly most?: number;
  /** Milliseconds on any clock that is never set back. */
  readonly now?: () => number;
}

interface Remembered<T> {
  readonly result: T;
  readonly until: number;
}

/**
 * Positive results of checks, by an HMAC of what decided them, whose secret never leaves the
 * process: neither a password nor a hash that could be tried elsewhere is kept. Who asks the same
 * while a check runs shares it.
 */
export class LoginCache<T> {
  readonly #options: LoginCacheOptions<T>;
  readonly #most: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** The oldest, which end first, come first. */
  readonly #remembered = new Map<string, Remembered<T>>();
  readonly #running = new Map<string, Promise<T>>();

  constructor(options: LoginCacheOptions<T>) {
    this.#options = options;
    this.#most = options.most ?? 10_000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Results that are remembered now. */
  get size(): number {
    this.#forgetOld();
    return this.#remembered.size;
  }

  /**
   * What `check` says, or has said.
   *
   * @param decisive all that its result depends on. The name of the user must be among it: were one
   * check shared by several, the time would tell who is no user.
   */
  check(decisive: readonly string[], check: () => Promise<T>): Promise<T> {
    this.#forgetOld();
    const key = this.#keyOf(decisive);
    const known = this.#remembered.get(key);
    if (known !== undefined) return Promise.resolve(known.result);
    return this.#running.get(key) ?? this.#run(key, check);
  }

  /** Forgets all, and what is being checked now will not be remembered. */
  clear(): void {
    this.#remembered.clear();
    this.#running.clear();
  }

  async #run(key: string, check: () => Promise<T>): Promise<T> {
    const checking = check();
    this.#running.set(key, checking);
    try {
      const result = await checking;
      const current = this.#running.get(key) === checking;
      if (current && this.#options.isPositive(result)) this.#remember(key, result);
      return result;
    } finally {
      if (this.#running.get(key) === checking) this.#running.delete(key);
    }
  }

  #remember(key: string, result: T): void {
    const { lifetime } = this.#options;
    if (lifetime === 0) return;
    this.#remembered.delete(key);
    this.#remembered.set(key, { result, until: this.#now() + lifetime });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= this.#most) break;
      this.#remembered.delete(oldest);
    }
  }

  #forgetOld(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#remembered) {
      if (until > now) break;
      this.#remembered.delete(key);
    }
  }

  /** Each part with its length, so that no two lists are the same text. */
  #keyOf(decisive: readonly string[]): string {
    const hmac = createHmac("sha256", this.#secret);
    for (const part of decisive) {
      // UTF-16, in which no two strings are the same.
      const octets = Buffer.from(part, "utf16le");
      hmac.update(`${octets.length}:`).update(octets);
    }
    return hmac.digest("base64");
  }
}

/** Certificates in force: loaded again when they change, and watched for their end. */

import { clearInterval, setInterval } from "node:timers";
import type { Log } from "../log.ts";
import { type Pair, reasonOf } from "./pair.ts";

/** What a set of certificates is made with. */
export interface CertificateOptions {
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** Certificates that a TLS server may show. */
export interface Certificates {
  /** At least one; the first is for clients that name no host, or an unknown one. */
  readonly current: readonly Pair[];
  /** Loads what has changed, if it is time to look. */
  refresh(): void;
  /** Calls `listener` after {@link current} changed, until the returned function is called. */
  watch(listener: () => void): () => void;
  /** Stops all work on the certificates. */
  close(): Promise<void>;
}

/** Where the certificates of a {@link CertificateSet} are. */
export interface CertificateSource {
  /** Differs when there is something new to load, and makes it if need be. */
  version(): string;
  /** @returns at least one */
  load(): readonly Pair[];
}

/** How often changes are looked for, in ms. */
export const CHECK_EVERY = 5000;

const DAY = 86_400_000;
/** From when on the end of a certificate is announced. */
const WARN_BEFORE = 14 * DAY;

export class CertificateSet implements Certificates {
  readonly #source: CertificateSource;
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #current: readonly Pair[];
  #version: string;
  #checkedAt: number;
  /** Why the last try failed, so that it is said once and not at every look. */
  #failure: string | undefined;
  /** When the end of a certificate was last announced. */
  readonly #announced = new Map<Pair, number>();

  /** @throws {Error} when the certificates cannot be loaded */
  constructor(source: CertificateSource, { log, clock = Date.now }: CertificateOptions) {
    this.#source = source;
    this.#log = log;
    this.#clock = clock;
    this.#version = source.version();
    this.#current = source.load();
    this.#checkedAt = clock();
    this.#announceEnds();
  }

  get current(): readonly Pair[] {
    return this.#current;
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.refresh(), CHECK_EVERY).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  refresh(): void {
    // The absolute value: a clock that was set back must not stop the reloading.
    if (Math.abs(this.#clock() - this.#checkedAt) >= CHECK_EVERY) this.refreshNow();
  }

  /** Small files and seldom, so it need not be asynchronous: the next handshake has them. */
  refreshNow(): void {
    this.#checkedAt = this.#clock();
    try {
      this.#reload();
      this.#failure = undefined;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === this.#failure) return;
      this.#failure = reason;
      this.#log.error("certificates not loaded again, keeping the old ones", { error: reason });
    } finally {
      this.#announceEnds();
    }
  }

  close(): Promise<void> {
    this.#stop();
    return Promise.resolve();
  }

  #reload(): void {
    const version = this.#source.version();
    if (version === this.#version) return;
    this.#current = this.#source.load();
    // Not taken as seen before it has loaded: certificate and key may be replaced one by one.
    this.#version = version;
    this.#announced.clear();
    this.#log.info("certificates loaded again");
    for (const listener of this.#listeners) listener();
  }

  #announceEnds(): void {
    const now = this.#clock();
    for (const pair of this.#current) {
      const left = pair.notAfter - now;
      if (left >= WARN_BEFORE || now - (this.#announced.get(pair) ?? -DAY) < DAY) continue;
      this.#announced.set(pair, now);
      const fields = { path: pair.path, end: new Date(pair.notAfter).toISOString() };
      if (left <= 0) this.#log.error("certificate has expired", fields);
      else this.#log.warn("certificate expires soon", { ...fields, days: Math.floor(left / DAY) });
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

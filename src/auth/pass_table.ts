/** Passwords whose hashes stand in a table. */

import type { Log } from "../log.ts";
import type { Table } from "../tables/table.ts";
import type {
  Authenticator,
  AuthResult,
  Checks,
  ClientInfo,
  ScramHash,
  ScramKeys,
  ScramSettings,
  Standing,
} from "./auth.ts";
import { HashingUnavailable, HashPool } from "./hash_pool.ts";
import { scramSettingsOf } from "./keys_of_nobody.ts";
import { LoginCache } from "./login_cache.ts";
import {
  blankHash,
  costOf,
  enabled,
  isDisabled,
  MOST_COSTS,
  parsePasswordHash,
  type PasswordHash,
  withoutSecret,
} from "./password_hash.ts";
import { isQuick } from "./quick_hash.ts";

export interface PassTableOptions {
  readonly table: Table;
  readonly log: Log;
  /** Passwords may stand in the table as they are. */
  readonly allowPlain?: boolean;
  /** What is offered; "auto", the default: what all users of the table have keys of. */
  readonly scram?: "auto" | readonly ScramHash[];
  readonly pool?: HashPool;
  /** Milliseconds for which a password that was right is not hashed again; 0 if absent. */
  readonly cache?: number;
}

/** No password is longer; checking one must not become a way to keep the server busy. */
const LONGEST_PASSWORD = 4096;

/** What a table has of a user, or why nobody can log in by that. */
type Stored =
  | {
    readonly hash: PasswordHash;
    /** The hash as it stands in the table. */
    readonly value: string;
    readonly fault?: undefined;
    readonly disabled?: undefined;
  }
  | {
    readonly hash?: undefined;
    readonly value?: undefined;
    readonly fault: string;
    /** Of a disabled user: a hash of the same cost that no password has. */
    readonly disabled?: PasswordHash;
  };

/** What is known of a table as a whole. */
interface Census {
  readonly values?: readonly string[];
  /** By each cost that users' hashes have, the commonest first, a hash that no password has. */
  readonly standIns: ReadonlyMap<string, PasswordHash>;
  /** Hashes of SCRAM that all users have keys of. */
  readonly scram: readonly ScramHash[];
  readonly scramSettings: readonly ScramSettings[];
}

/**
 * Checks a password against the hash that `table` has for the user. Whoever is refused has cost one
 * hash of each cost that the table has: else the time would tell who is a user, where it mixes them.
 */
export class PassTable implements Authenticator {
  readonly #options: PassTableOptions;
  readonly #pool: HashPool;
  readonly #cache: LoginCache<boolean>;
  readonly #learned = new Map<string, PasswordHash>();
  #census = censusOf([]);

  private constructor(options: PassTableOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new HashPool();
    this.#cache = new LoginCache({ lifetime: options.cache ?? 0, isPositive: (match) => match });
  }

  /** Looks at the table once, to know what it can check. @throws {Error} when it cannot be read */
  static async open(options: PassTableOptions): Promise<PassTable> {
    const auth = new PassTable(options);
    await auth.#takeCensus();
    return auth;
  }

  get can(): Checks {
    const { scram = "auto" } = this.#options;
    return scram === "auto"
      ? { password: true, scram: this.#census.scram, token: false }
      : { password: true, scram, scramAnyway: true, token: false };
  }

  get scramSettings(): readonly ScramSettings[] {
    return this.#census.scramSettings;
  }

  async checkPassword(
    username: string,
    password: string,
    client?: ClientInfo,
  ): Promise<AuthResult> {
    if (/\p{Cc}/u.test(username)) return refused("control characters in the user name");
    if (password.length > LONGEST_PASSWORD) return refused("the password is too long");
    try {
      return await this.#check(username, password, client?.standing);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!(error instanceof HashingUnavailable)) this.#unreadable(detail);
      return { ok: false, reason: "unavailable", detail };
    }
  }

  async scramKeys(username: string, hash: ScramHash): Promise<ScramKeys | undefined> {
    if (/\p{Cc}/u.test(username)) return undefined;
    try {
      const stored = await this.#stored(username);
      if (stored.hash !== undefined) this.#learn(stored.hash);
      if (stored.disabled !== undefined) {
        this.#options.log.info("no proof will do: the user is disabled", { username });
      }
      // The salt stays the user's own: another one would tell that the user is disabled.
      const kept = stored.hash ?? stored.disabled;
      return kept?.algorithm === "scram" && kept.keys.hash === hash ? kept.keys : undefined;
    } catch (error) {
      this.#unreadable(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  close(): Promise<void> {
    this.#cache.clear();
    this.#pool.close();
    return Promise.resolve();
  }

  async #check(username: string, password: string, standing?: Standing): Promise<AuthResult> {
    const { hash, value = "", fault, disabled } = await this.#stored(username);
    if (hash !== undefined) this.#learn(hash);
    const hashed = (like: PasswordHash) => this.#pool.verify(like, password, standing);
    const verify = () => this.#verify(hash ?? disabled, hashed);
    const { standIns } = this.#census;
    // The table is asked each time, and its value decides: a change of it counts at once.
    const match = [...standIns.values()].every(isQuick)
      ? await verify()
      : await this.#cache.check([username, value, password], verify);
    if (hash === undefined) return refused(fault);
    return match ? { ok: true, username } : refused("wrong password");
  }

  async #verify(
    hash: PasswordHash | undefined,
    hashed: (like: PasswordHash) => Promise<boolean>,
  ): Promise<boolean> {
    if (hash !== undefined && await hashed(hash)) return true;
    const done = hash && costOf(hash);
    for (const [cost, standIn] of this.#census.standIns) {
      if (cost !== done) await hashed(standIn);
    }
    return false;
  }

  /** A table that does not tell its values still tells what a check costs, user by user. */
  #learn(hash: PasswordHash): void {
    if (this.#options.table.values !== undefined || this.#learned.size >= MOST_COSTS) return;
    if (this.#learned.has(costOf(hash))) return;
    this.#learned.set(costOf(hash), withoutSecret(hash));
    // Not all that were learned: then names would get others with each.
    const scramSettings = scramSettingsOf(this.#learned.values()).slice(0, 1);
    this.#census = { ...this.#census, standIns: this.#learned, scramSettings };
  }

  async #stored(username: string): Promise<Stored> {
    const { table, log, allowPlain } = this.#options;
    await this.#takeCensus();
    const value = await table.lookup(username);
    if (value === undefined) return { fault: "unknown user" };
    const hash = parsePasswordHash(enabled(value));
    if (hash !== undefined && isDisabled(value)) {
      return { fault: "the user is disabled", disabled: withoutSecret(hash) };
    }
    if (hash === undefined) {
      log.error("password hash is malformed, nobody can log in with it", {
        username,
        expected: "a hash as imapd hash prints it, or a scheme that docs/config.md lists",
      });
      return { fault: "the stored hash is malformed" };
    }
    if (hash.algorithm === "plain" && allowPlain !== true) {
      log.error("password is stored in the clear, nobody can log in with it", {
        username,
        expected: "a hash as imapd hash prints it, or allow_plain = true",
      });
      return { fault: "the password is stored in the clear" };
    }
    return { hash, value };
  }

  #unreadable(detail: string): void {
    this.#options.log.error("password table cannot be read", { error: detail });
  }

  async #takeCensus(): Promise<void> {
    const values = await this.#options.table.values?.();
    if (values !== undefined && values !== this.#census.values) this.#census = censusOf(values);
  }
}

function censusOf(values: readonly string[]): Census {
  const counts = new Map<string, { count: number; readonly hash: PasswordHash }>();
  const all = values.flatMap((value) => parsePasswordHash(enabled(value)) ?? []);
  for (const hash of all) {
    const cost = costOf(hash);
    const entry = counts.get(cost) ?? { count: 0, hash };
    entry.count++;
    counts.set(cost, entry);
  }
  const hashes = [...counts.values()].sort((a, b) => b.count - a.count).map(({ hash }) => hash);
  const scram = new Set(hashes.map((hash) => hash.algorithm === "scram" ? hash.keys.hash : ""));
  const [only] = scram;
  const costs = hashes.length > 0 ? hashes : [blankHash("argon2", new Uint8Array(16))];
  return {
    values,
    standIns: new Map(
      costs.slice(0, MOST_COSTS).map((hash) => [costOf(hash), withoutSecret(hash)]),
    ),
    scram: scram.size === 1 && (only === "SHA-1" || only === "SHA-256") ? [only] : [],
    scramSettings: scramSettingsOf(all),
  };
}

function refused(detail: string): AuthResult {
  return { ok: false, reason: "bad-credentials", detail };
}

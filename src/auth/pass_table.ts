/** Passwords whose hashes stand in a table. */

import type { Log } from "../log.ts";
import type { Table } from "../tables/table.ts";
import type { Authenticator, AuthResult } from "./auth.ts";
import { HashingUnavailable, HashPool } from "./hash_pool.ts";
import { blankHash, costOf, formatPasswordHash, parsePasswordHash } from "./password_hash.ts";

export interface PassTableOptions {
  readonly table: Table;
  readonly log: Log;
  readonly pool?: HashPool;
}

/** No password is longer; checking one must not become a way to keep the server busy. */
const LONGEST_PASSWORD = 4096;

/**
 * Checks a password against the hash that `table` has for the user. An unknown name takes as long
 * as a wrong password of a user whose hash is of the table's commonest cost.
 */
export class PassTable implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #table: Table;
  readonly #log: Log;
  readonly #pool: HashPool;
  #stand: { readonly values?: readonly string[]; readonly hash: string };

  constructor(options: PassTableOptions) {
    this.#table = options.table;
    this.#log = options.log;
    this.#pool = options.pool ?? new HashPool();
    this.#stand = { hash: standIn([]) };
  }

  async checkPassword(username: string, password: string): Promise<AuthResult> {
    if (/\p{Cc}/u.test(username)) return refused("control characters in the user name");
    if (password.length > LONGEST_PASSWORD) return refused("the password is too long");
    try {
      return await this.#check(username, password);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!(error instanceof HashingUnavailable)) {
        this.#log.error("password table cannot be read", { error: detail });
      }
      return { ok: false, reason: "unavailable", detail };
    }
  }

  close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  async #check(username: string, password: string): Promise<AuthResult> {
    const value = await this.#table.lookup(username);
    const usable = value !== undefined && parsePasswordHash(value) !== undefined;
    if (value !== undefined && !usable) {
      this.#log.error("password hash is malformed, nobody can log in with it", {
        username,
        expected: "argon2:TIME:MEMORY:THREADS:SALT:HASH or bcrypt:$2b$...",
      });
    }
    // A table that does not tell its values still tells what a check costs, user by user.
    if (usable && this.#table.values === undefined) this.#stand = { hash: standIn([value]) };
    const match = await this.#pool.verify(usable ? value : await this.#standIn(), password);
    if (value === undefined) return refused("unknown user");
    if (!usable) return refused("the stored hash is malformed");
    return match ? { ok: true, username } : refused("wrong password");
  }

  async #standIn(): Promise<string> {
    const values = await this.#table.values?.();
    if (values !== undefined && values !== this.#stand.values) {
      this.#stand = { values, hash: standIn(values) };
    }
    return this.#stand.hash;
  }
}

/** A hash that no password has, of the cost that most of `values` have. */
function standIn(values: readonly string[]): string {
  const counts = new Map<string, { count: number; value: string }>();
  for (const value of values) {
    const hash = parsePasswordHash(value);
    if (hash === undefined) continue;
    const cost = costOf(hash);
    const zeroed = { ...hash, hash: new Uint8Array(hash.hash.length) };
    const entry = counts.get(cost) ?? { count: 0, value: formatPasswordHash(zeroed) };
    entry.count++;
    counts.set(cost, entry);
  }
  const [commonest] = [...counts.values()].sort((a, b) => b.count - a.count);
  return commonest?.value ?? formatPasswordHash(blankHash("argon2", new Uint8Array(16)));
}

function refused(detail: string): AuthResult {
  return { ok: false, reason: "bad-credentials", detail };
}

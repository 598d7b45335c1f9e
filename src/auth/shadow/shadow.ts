/** Passwords of the system's users. */

import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo, Standing } from "../auth.ts";
import { equalBytes } from "../sasl/scram_keys.ts";
import { LoginCache } from "../login_cache.ts";
import { checkRemotely, refused } from "../remote_check.ts";
import { Turns } from "../turns.ts";
import { costOf, expiredReason, hashesByCost, lockedReason, parseShadow } from "./entry.ts";
import { LibCrypt } from "./libcrypt.ts";

const DAY = 86_400_000;

/** libcrypt takes no longer passwords, in octets. */
const LONGEST = 511;

/** What an unknown name costs where nobody has a password: yescrypt as Debian uses it. */
const STAND_IN = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$";

export interface ShadowOptions {
  /** A file as /etc/shadow is. */
  readonly path: string;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** Milliseconds for which a password that was right is not hashed again; 0 if absent. */
  readonly cache?: number;
}

/** What hashing a password came to. */
type Verdict = "right" | "wrong" | "not hashed";

/** Reads the file for each login, so that a change counts at once. */
export class Shadow implements Authenticator {
  readonly can = { password: true, scram: [], token: false };
  readonly #path: string;
  readonly #log: Log;
  readonly #clock: () => number;
  readonly #library: LibCrypt;
  readonly #cache: LoginCache<Verdict>;
  /** Each keeps one core busy. */
  readonly #turns = new Turns({
    atOnce: Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1)),
  });
  #closed = false;

  private constructor(options: ShadowOptions, library: LibCrypt) {
    this.#path = options.path;
    this.#log = options.log;
    this.#clock = options.clock ?? Date.now;
    this.#library = library;
    this.#cache = new LoginCache({
      lifetime: options.cache ?? 0,
      isPositive: (verdict) => verdict === "right",
    });
  }

  /** @throws {Error} where the file cannot be read, or there is no libcrypt */
  static async open(options: ShadowOptions): Promise<Shadow> {
    await Deno.readFile(options.path).catch((cause) => {
      throw new Error(`shadow: cannot read ${options.path}: ${cause.message}`, { cause });
    });
    return new Shadow(options, LibCrypt.open());
  }

  checkPassword(username: string, password: string, client?: ClientInfo): Promise<AuthResult> {
    return checkRemotely(
      "shadow",
      this.#log,
      username,
      password,
      () => this.#check(username, password, client?.standing),
    );
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cache.clear();
    await this.#turns.close();
    this.#library.close();
  }

  async #check(
    username: string,
    password: string,
    standing?: Standing,
  ): Promise<AuthResult> {
    const entries = parseShadow(await Deno.readTextFile(this.#path));
    const entry = entries.find(({ name }) => name === username);
    const locked = entry === undefined ? "unknown user" : lockedReason(entry);
    const usable = entry !== undefined && locked === undefined;
    const own = usable ? entry.hash : undefined;
    const hashed = (like: string) => this.#turns.take(() => this.#verify(password, like), standing);
    // The file is read each time, and its hash decides: a change of it counts at once.
    const verdict = await this.#cache.check(
      [username, own ?? "", password],
      () => this.#compare(hashed, own, hashesByCost(entries)),
    );
    if (!usable) return refused(locked ?? "");
    if (verdict === "not hashed") return this.#notHashed(username, password);
    if (verdict === "wrong") return refused("wrong password");
    const expired = expiredReason(entry, Math.floor(this.#clock() / DAY));
    return expired === undefined
      ? { ok: true, username }
      : { ok: false, reason: "expired", detail: expired };
  }

  /** Whoever is refused has cost one hash of each cost: else the time would tell who is a user. */
  async #compare(
    hashed: (like: string) => Promise<Verdict>,
    own: string | undefined,
    others: ReadonlyMap<string, string>,
  ): Promise<Verdict> {
    const verdict = own === undefined ? "wrong" : await hashed(own);
    if (verdict === "right") return verdict;
    const done = own && costOf(own);
    for (const [cost, like] of others) if (cost !== done) await hashed(like);
    if (own === undefined && others.size === 0) await hashed(STAND_IN);
    return verdict;
  }

  async #verify(password: string, expected: string): Promise<Verdict> {
    const hash = await this.#library.hash(password, expected);
    if (hash === undefined) return "not hashed";
    const encoder = new TextEncoder();
    return equalBytes(encoder.encode(hash), encoder.encode(expected)) ? "right" : "wrong";
  }

  #notHashed(username: string, password: string): AuthResult {
    if (new TextEncoder().encode(password).length > LONGEST) {
      return refused("the password is too long");
    }
    this.#log.error("password hash is of a scheme that libcrypt does not know", { username });
    return refused("the stored hash is of an unknown scheme");
  }
}

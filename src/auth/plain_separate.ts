/** Users in tables, their passwords elsewhere. */

import type { Log } from "../log.ts";
import type { Table } from "../tables/table.ts";
import type {
  Authenticator,
  AuthFailure,
  AuthResult,
  Checks,
  ClientInfo,
  ScramHash,
  ScramKeys,
  ScramSettings,
} from "./auth.ts";

export interface PlainSeparateOptions {
  /** Whoever is a key of one of them is a user; if there are none, whoever has a password. */
  readonly users: readonly Table[];
  readonly passwords: Authenticator;
  readonly log: Log;
}

/** Lets in whom `passwords` lets in and a table knows. */
export class PlainSeparate implements Authenticator {
  readonly #options: PlainSeparateOptions;

  constructor(options: PlainSeparateOptions) {
    this.#options = options;
  }

  get can(): Checks {
    return this.#options.passwords.can;
  }

  get scramSettings(): readonly ScramSettings[] | undefined {
    return this.#options.passwords.scramSettings;
  }

  /** Checks the password in any case, so that who is no user cannot be told by the time it takes. */
  async checkPassword(
    username: string,
    password: string,
    client: ClientInfo,
  ): Promise<AuthResult> {
    const result = await this.#options.passwords.checkPassword(username, password, client);
    const refusal = await this.#refusal(username);
    return refusal ?? result;
  }

  async scramKeys(username: string, hash: ScramHash): Promise<ScramKeys | undefined> {
    const keys = await this.#options.passwords.scramKeys?.(username, hash);
    const refusal = await this.#refusal(username);
    if (refusal?.reason === "unavailable") throw new Error(refusal.detail);
    return refusal === undefined ? keys : undefined;
  }

  async checkToken(
    ...args: Parameters<NonNullable<Authenticator["checkToken"]>>
  ): Promise<AuthResult> {
    const result = await this.#options.passwords.checkToken?.(...args) ??
      { ok: false, reason: "bad-credentials", detail: "no module checks tokens" };
    return result.ok ? await this.#refusal(result.username) ?? result : result;
  }

  /** The tables and the modules with the passwords may be shared, so they stay open. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #refusal(username: string): Promise<AuthFailure | undefined> {
    const { users, log } = this.#options;
    let unreadable: string | undefined;
    for (const table of users) {
      try {
        if (await table.lookup(username) !== undefined) return undefined;
      } catch (error) {
        unreadable = error instanceof Error ? error.message : String(error);
        log.error("user table cannot be read", { error: unreadable });
      }
    }
    if (unreadable !== undefined) {
      return { ok: false, reason: "unavailable", detail: unreadable };
    }
    if (users.length === 0) return undefined;
    return { ok: false, reason: "bad-credentials", detail: "unknown user" };
  }
}

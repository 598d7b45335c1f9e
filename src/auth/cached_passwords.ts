/** An authenticator that asks somebody else, but not about each login. */

import type { Authenticator, AuthResult, Checks, ClientInfo } from "./auth.ts";
import { LoginCache } from "./login_cache.ts";

/**
 * Remembers for `lifetime` milliseconds whom `inner`, which checks nothing but passwords, let in.
 * For so long a password that was changed counts on, and so does a user who was removed.
 */
export class CachedPasswords implements Authenticator {
  readonly #inner: Authenticator;
  readonly #cache: LoginCache<AuthResult>;

  constructor(inner: Authenticator, lifetime: number) {
    this.#inner = inner;
    this.#cache = new LoginCache({ lifetime, isPositive: ({ ok }) => ok });
  }

  get can(): Checks {
    return this.#inner.can;
  }

  checkPassword(username: string, password: string, client: ClientInfo): Promise<AuthResult> {
    // Whoever is asked may be told of the client, and let users in from some places only.
    const { remote, secure } = client;
    return this.#cache.check(
      [username, password, remote, String(secure)],
      () => this.#inner.checkPassword(username, password, client),
    );
  }

  async close(): Promise<void> {
    this.#cache.clear();
    await this.#inner.close();
  }
}

/** Bearer tokens of an authorization server. @see RFC 6750 */

import type { Log } from "../../log.ts";
import type { Authenticator, AuthResult, ClientInfo } from "../auth.ts";
import { orUnavailable, PeerUnavailable, refused } from "../remote_check.ts";
import { type ClaimRules, type Claims, userOf } from "./claims.ts";

/** One way to learn what a token says. */
export interface TokenCheck {
  /**
   * @returns the claims of a token that is valid, or why it is not
   * @throws {PeerUnavailable} when that cannot be told
   */
  claimsOf(token: string, signal: AbortSignal): Promise<Claims | string>;
}

export interface OAuth2Options extends ClaimRules {
  readonly check: TokenCheck;
  /** Milliseconds that the authorization server has for all that one login asks it. */
  readonly timeout: number;
  readonly log: Log;
}

/** Longer than any token that fits into a command line. */
const LONGEST = 16_384;

/** `b64token`. @see RFC 6750 §2.1 */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Takes tokens, and no passwords. */
export class OAuth2 implements Authenticator {
  readonly can = { password: false, scram: [], token: true };
  readonly #options: OAuth2Options;
  readonly #closing = new AbortController();

  constructor(options: OAuth2Options) {
    this.#options = options;
  }

  checkPassword(): Promise<AuthResult> {
    return Promise.resolve(refused("only tokens are taken"));
  }

  async checkToken(
    token: string,
    username: string,
    _client?: ClientInfo,
    normal?: (name: string) => string | undefined,
  ): Promise<AuthResult> {
    if (token.length > LONGEST || !TOKEN.test(token)) return refused("the token is malformed");
    const { check, timeout, log } = this.#options;
    return await orUnavailable("oauth2", log, async () => {
      this.#closing.signal.throwIfAborted();
      const claims = await check.claimsOf(
        token,
        AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeout)]),
      );
      return typeof claims === "string"
        ? refused(claims)
        : userOf(claims, username, this.#options, normal);
    });
  }

  /** Ends requests under way. */
  close(): Promise<void> {
    this.#closing.abort(new PeerUnavailable("The server is closing"));
    return Promise.resolve();
  }
}

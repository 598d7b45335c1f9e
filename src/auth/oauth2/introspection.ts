/** Tokens that only their authorization server understands. @see RFC 7662 */

import { createHash } from "node:crypto";
import { type Claims, isFor } from "./claims.ts";
import { fetchJson } from "./http.ts";
import type { TokenCheck } from "./oauth2.ts";

export interface IntrospectionOptions {
  readonly uri: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The claim `iss`, where the server tells it; absent: any. */
  readonly issuer?: string;
  /** A token has to be for one of them; empty: any. */
  readonly audience: readonly string[];
  /** Milliseconds that an answer is used again. */
  readonly cache: number;
  readonly clock?: () => number;
}

/** Answers that are kept at once. */
const MOST = 10_000;

interface Kept {
  readonly claims: Claims;
  readonly until: number;
}

/** Asks the authorization server about each token. */
export class IntrospectionCheck implements TokenCheck {
  readonly #options: IntrospectionOptions;
  readonly #clock: () => number;
  /** By the token's hash: a token is a secret. */
  readonly #kept = new Map<string, Kept>();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  async claimsOf(token: string, signal: AbortSignal): Promise<Claims | string> {
    const key = createHash("sha256").update(token).digest("base64");
    const kept = this.#kept.get(key);
    const now = this.#clock();
    if (kept !== undefined && now < kept.until) return kept.claims;
    const claims = await this.#ask(token, signal);
    const fault = this.#faultOf(claims);
    if (fault !== undefined) return fault;
    this.#keep(key, { claims, until: Math.min(now + this.#options.cache, expiry(claims)) });
    return claims;
  }

  async #ask(token: string, signal: AbortSignal): Promise<Claims> {
    const { uri, clientId, clientSecret } = this.#options;
    const credentials = [clientId, clientSecret].map(formEncoded).join(":");
    return await fetchJson({
      url: uri,
      form: new URLSearchParams({ token, token_type_hint: "access_token" }),
      headers: { authorization: `Basic ${btoa(credentials)}` },
      signal,
    });
  }

  #faultOf(claims: Claims): string | undefined {
    const { issuer, audience } = this.#options;
    if (claims.active !== true) return "the token is not active";
    if (this.#clock() >= expiry(claims)) return "the token is expired";
    if (issuer !== undefined && claims.iss !== undefined && claims.iss !== issuer) {
      return "the token is of another issuer";
    }
    return isFor(audience, claims.aud) ? undefined : "the token is for somebody else";
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    for (const [old, { until }] of this.#kept) {
      // The oldest come first.
      if (this.#kept.size < MOST && until > this.#clock()) break;
      this.#kept.delete(old);
    }
    this.#kept.set(key, kept);
  }
}

/** As `Date.now()` counts. */
function expiry({ exp }: Claims): number {
  return typeof exp === "number" ? exp * 1000 : Infinity;
}

/** @see RFC 6749 §2.3.1 */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

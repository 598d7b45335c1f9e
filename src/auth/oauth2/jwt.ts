/** Tokens that carry their own proof: JWTs, checked with the keys of their issuer. */

import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import { PeerUnavailable } from "../remote_check.ts";
import type { Claims } from "./claims.ts";
import { fetchJson, isTrustworthy } from "./http.ts";
import type { TokenCheck } from "./oauth2.ts";

export interface JwtOptions {
  /** The claim `iss` of all tokens. */
  readonly issuer: string;
  /** Where the keys are; absent: where the issuer's metadata says. @see RFC 8414 */
  readonly jwksUri?: string;
  /** A token has to be for one of them. */
  readonly audience: readonly string[];
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** Milliseconds that clocks may differ. */
  readonly leeway: number;
  readonly clock?: () => number;
}

/** Milliseconds that keys are used without asking whether they still are the issuer's. */
const KEPT = 10 * 60_000;

/** Milliseconds between two requests for the keys because of a key that nobody knows. */
const COOLDOWN = 30_000;

interface Keys {
  readonly find: JWTVerifyGetKey;
  readonly fetched: number;
}

/** Checks JWTs. @see RFC 7519, RFC 7517, RFC 8725 */
export class JwtCheck implements TokenCheck {
  readonly #options: JwtOptions;
  readonly #clock: () => number;
  #keys?: Promise<Keys>;

  constructor(options: JwtOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  async claimsOf(token: string, signal: AbortSignal): Promise<Claims | string> {
    try {
      const keys = await this.#current(KEPT, signal);
      return await this.#verify(token, keys.find).catch(async (error) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // The issuer may have a new key since.
        return await this.#verify(token, (await this.#current(COOLDOWN, signal)).find);
      });
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      if (error instanceof errors.JWKSInvalid) throw new PeerUnavailable(error.message);
      return `the token is not valid: ${error.message}`;
    }
  }

  async #verify(token: string, find: JWTVerifyGetKey): Promise<Claims> {
    const { issuer, audience, algorithms, leeway } = this.#options;
    const { payload } = await jwtVerify(token, find, {
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      clockTolerance: leeway / 1000,
      currentDate: new Date(this.#clock()),
      requiredClaims: ["exp"],
    });
    return payload;
  }

  /** Keys that are no older than `age`, in milliseconds. */
  async #current(age: number, signal: AbortSignal): Promise<Keys> {
    const known = this.#keys;
    if (known !== undefined && this.#clock() - (await known).fetched < age) return await known;
    // Another login may have asked meanwhile.
    if (this.#keys !== known) return await this.#current(age, signal);
    const fetching = this.#fetch(signal);
    this.#keys = fetching;
    fetching.catch(() => {
      if (this.#keys === fetching) this.#keys = undefined;
    });
    return await fetching;
  }

  async #fetch(signal: AbortSignal): Promise<Keys> {
    const url = this.#options.jwksUri ?? await this.#discover(signal);
    const keys = await fetchJson({ url, signal });
    if (!Array.isArray(keys.keys)) throw new PeerUnavailable(`${url}: Expected a JSON Web Key Set`);
    const find = createLocalJWKSet(keys as unknown as JSONWebKeySet);
    return { find, fetched: this.#clock() };
  }

  async #discover(signal: AbortSignal): Promise<string> {
    const { issuer } = this.#options;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const metadata = await fetchJson({ url, signal });
    if (metadata.issuer !== issuer) {
      throw new PeerUnavailable(`${url}: Expected the issuer ${issuer}, got ${metadata.issuer}`);
    }
    const { jwks_uri: keys } = metadata;
    if (typeof keys === "string" && isTrustworthy(keys)) return keys;
    throw new PeerUnavailable(`${url}: Expected a jwks_uri with https, got ${keys}`);
  }
}

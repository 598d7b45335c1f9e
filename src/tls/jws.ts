/** Signs what an ACME client sends. @see RFC 7515 §7.2.2, RFC 8555 §6.2 */

import { createHash, createHmac, createPublicKey, type KeyObject, sign } from "node:crypto";

/** Credentials that a CA gave out, which tie a new account to one that it knows already. */
export interface ExternalAccount {
  readonly kid: string;
  /** Base64url of the key for HMAC-SHA-256. */
  readonly hmacKey: string;
}

/** A signed JSON text in flattened serialization. */
export interface SignedJson {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/**
 * Signs by ES256.
 *
 * @param key a private key on P-256
 * @param payload undefined: nothing, as in POST-as-GET
 * @see RFC 8555 §6.3
 */
export function signJson(key: KeyObject, header: object, payload: unknown): SignedJson {
  return assemble(
    { alg: "ES256", ...header },
    payload,
    (text) => sign("sha256", text, { key, dsaEncoding: "ieee-p1363" }),
  );
}

/** Says that the owner of `account` also owns the key of `accountKey`. @see RFC 8555 §7.3.4 */
export function bindAccount(
  account: ExternalAccount,
  accountKey: KeyObject,
  url: string,
): SignedJson {
  const secret = Uint8Array.fromBase64(account.hmacKey, { alphabet: "base64url" });
  return assemble(
    { alg: "HS256", kid: account.kid, url },
    publicJwk(accountKey),
    (text) => createHmac("sha256", secret).update(text).digest(),
  );
}

/** The public half of a key on P-256, its members in the order that a thumbprint needs. */
export function publicJwk(key: KeyObject): object {
  const { crv, kty, x, y } = createPublicKey(key).export({ format: "jwk" });
  return { crv, kty, x, y };
}

/** What proves to the CA that a challenge was answered by the account's owner. @see RFC 8555 §8.1 */
export function keyAuthorization(token: string, key: KeyObject): string {
  // RFC 7638 §3: the members in lexical order, without white space
  const thumbprint = createHash("sha256").update(JSON.stringify(publicJwk(key))).digest();
  return `${token}.${base64url(thumbprint)}`;
}

/** @see RFC 4648 §5; without padding */
export function base64url(octets: Uint8Array): string {
  return octets.toBase64({ alphabet: "base64url", omitPadding: true });
}

function assemble(
  header: object,
  payload: unknown,
  signatureOf: (text: Uint8Array) => Uint8Array,
): SignedJson {
  const encode = (value: unknown) =>
    base64url(new TextEncoder().encode(value === undefined ? "" : JSON.stringify(value)));
  const parts = { protected: encode(header), payload: encode(payload) };
  const text = new TextEncoder().encode(`${parts.protected}.${parts.payload}`);
  return { ...parts, signature: base64url(signatureOf(text)) };
}

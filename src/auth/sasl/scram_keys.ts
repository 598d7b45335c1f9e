/** The keys of SCRAM: what a server keeps in place of a password. @see RFC 5802 §3, RFC 7677 */

import type { ScramHash, ScramKeys } from "../auth.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { preparePassword } from "./prepare_password.ts";

/** Octets of a hash. */
export const HASH_OCTETS: Readonly<Record<ScramHash, number>> = { "SHA-1": 20, "SHA-256": 32 };

/** More than any sane setting; a slip of a digit must not take the machine down. */
const MOST_ITERATIONS = 5_000_000;

/** Makes the keys of a password. @param salt at least one octet */
export async function deriveScramKeys(
  hash: ScramHash,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const octets = new TextEncoder().encode(preparePassword(password));
  const key = await crypto.subtle.importKey("raw", octets, "PBKDF2", false, ["deriveBits"]);
  const settings = { name: "PBKDF2", hash, salt: new Uint8Array(salt), iterations };
  const salted = await crypto.subtle.deriveBits(settings, key, HASH_OCTETS[hash] * 8);
  const clientKey = await scramHmac(hash, new Uint8Array(salted), "Client Key");
  return {
    hash,
    salt,
    iterations,
    storedKey: await scramDigest(hash, clientKey),
    serverKey: await scramHmac(hash, new Uint8Array(salted), "Server Key"),
  };
}

/** HMAC over UTF-8 text. */
export async function scramHmac(
  hash: ScramHash,
  key: Uint8Array,
  text: string,
): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash };
  const imported = await crypto.subtle.importKey("raw", new Uint8Array(key), algorithm, false, [
    "sign",
  ]);
  return new Uint8Array(
    await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)),
  );
}

/** The hash itself. */
export async function scramDigest(hash: ScramHash, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(hash, new Uint8Array(bytes)));
}

/** Reads `ITERATIONS,SALT,STOREDKEY,SERVERKEY`, the last three in base64, as Dovecot writes it. */
export function parseScramKeys(hash: ScramHash, text: string): ScramKeys | undefined {
  const match = text.match(/^(\d{1,7}),([\w+/=]+),([\w+/=]+),([\w+/=]+)$/);
  if (match === null) return undefined;
  const iterations = Number(match[1]);
  const [salt, storedKey, serverKey] = match.slice(2).map(decodeBase64);
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return undefined;
  const fits = iterations >= 1 && iterations <= MOST_ITERATIONS && salt.length > 0 &&
    storedKey.length === HASH_OCTETS[hash] && serverKey.length === HASH_OCTETS[hash];
  return fits ? { hash, salt, iterations, storedKey, serverKey } : undefined;
}

/** Writes what {@link parseScramKeys} reads. */
export function formatScramKeys({ iterations, salt, storedKey, serverKey }: ScramKeys): string {
  return [iterations, ...[salt, storedKey, serverKey].map(encodeBase64)].join();
}

/** Compares without telling by the time taken where the first difference is. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i % b.length];
  return difference === 0;
}

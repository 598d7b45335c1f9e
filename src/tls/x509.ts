/** Makes self-signed certificates and requests for signed ones. @see RFC 5280 §4.1, RFC 2986 */

import { createPublicKey, generateKeyPairSync, KeyObject, randomBytes, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { ascii, bitString, der, oid, pem, sequence, TAG } from "./der.ts";

/** A certificate, with or without the chain above it, and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Kinds of key that certificates can be for: P-256, or RSA with 2048 bits. */
export type KeyType = "ecdsa" | "rsa";

export interface SelfSignedOptions {
  /** Host names and IP addresses that it is for; the first is its common name. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of a key authorization, which makes it answer TLS-ALPN-01. @see RFC 8737 §3 */
  readonly acmeIdentifier?: Uint8Array;
}

/** A certificate that nobody but its own key vouches for. */
export function makeSelfSigned(options: SelfSignedOptions): KeyPair {
  const { names, notBefore, notAfter } = options;
  const key = makeKey("ecdsa");
  const name = sequence(
    der(TAG.set, sequence(oid("2.5.4.3"), der(TAG.utf8String, ascii(names[0].slice(0, 64))))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(TAG.integer, Uint8Array.of(2))), // version 3
    der(TAG.integer, positive(randomBytes(16))),
    algorithm(key),
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    publicKeyOf(key),
    der(0xa3, sequence(...extensions(options))),
  );
  return { cert: pem("CERTIFICATE", signed(toBeSigned, key)), key: keyText(key) };
}

/** A new private key. */
export function makeKey(type: KeyType): KeyObject {
  return type === "ecdsa"
    ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
    : generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}

/** A private key as PEM. @see RFC 5958 */
export function keyText(key: KeyObject): string {
  return String(key.export({ type: "pkcs8", format: "pem" }));
}

/**
 * Asks for a certificate for `names`, in DER. The subject is empty: names stand in the alternative
 * names only.
 *
 * @see RFC 2986 §4, RFC 8555 §7.4
 */
export function makeRequest(names: readonly string[], key: KeyObject): Uint8Array {
  const wanted = sequence(
    oid("1.2.840.113549.1.9.14"),
    der(TAG.set, sequence(alternativeNames(names))),
  );
  const toBeSigned = sequence(
    der(TAG.integer, Uint8Array.of(0)),
    sequence(),
    publicKeyOf(key),
    der(0xa0, wanted),
  );
  return signed(toBeSigned, key);
}

function signed(toBeSigned: Uint8Array, key: KeyObject): Uint8Array {
  const signature = sign("sha256", toBeSigned, { key, dsaEncoding: "der" });
  return sequence(toBeSigned, algorithm(key), bitString(signature));
}

/** The signature's algorithm, which differs by kind of key. @see RFC 5758 §3.2, RFC 4055 §5 */
function algorithm(key: KeyObject): Uint8Array {
  return key.asymmetricKeyType === "ec"
    ? sequence(oid("1.2.840.10045.4.3.2"))
    : sequence(oid("1.2.840.113549.1.1.11"), der(0x05));
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ type: "spki", format: "der" }));
}

function extensions({ names, acmeIdentifier }: SelfSignedOptions): Uint8Array[] {
  const digitalSignature = der(TAG.bitString, Uint8Array.of(7, 0x80));
  const proof = acmeIdentifier && der(TAG.octetString, acmeIdentifier);
  return [
    extension("2.5.29.19", true, sequence()), // not an authority
    extension("2.5.29.15", true, digitalSignature),
    extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"))), // for servers
    alternativeNames(names),
    ...proof === undefined ? [] : [extension("1.3.6.1.5.5.7.1.31", true, proof)],
  ];
}

function alternativeNames(names: readonly string[]): Uint8Array {
  const each = names.map((name) => isIP(name) ? der(0x87, address(name)) : der(0x82, ascii(name)));
  return extension("2.5.29.17", false, sequence(...each));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(TAG.boolean, Uint8Array.of(0xff))] : [];
  return sequence(oid(id), ...flag, der(TAG.octetString, value));
}

/** The same length, but neither negative nor with a leading zero. */
function positive(octets: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(octets);
  copy[0] = (copy[0] & 0x3f) | 0x40;
  return copy;
}

/** UTCTime, which holds for the years up to 2049. @see RFC 5280 §4.1.2.5.1 */
function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\D/g, "").slice(2, 14);
  return der(TAG.utcTime, ascii(`${digits}Z`));
}

function address(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split(".").map(Number));
  const [head, tail] = text.split("::").map((side) => side === "" ? [] : side.split(":"));
  const groups = tail === undefined
    ? head
    : [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  return Uint8Array.from(groups.flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  }));
}

/** Makes self-signed certificates: ECDSA on P-256, in DER. @see RFC 5280 §4.1 */

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";

/** A certificate and its private key, both PEM. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

export interface SelfSignedOptions {
  /** Host names and IP addresses that it is for; the first is its common name. */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate that nobody but its own key vouches for. */
export function makeSelfSigned({ names, notBefore, notAfter }: SelfSignedOptions): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = der(0x30, der(0x31, der(0x30, oid("2.5.4.3"), utf8(names[0]))));
  const toBeSigned = der(
    0x30,
    der(0xa0, integer(Uint8Array.of(2))), // version 3
    integer(positive(randomBytes(16))),
    ECDSA_SHA256,
    name,
    der(0x30, time(notBefore), time(notAfter)),
    name,
    new Uint8Array(publicKey.export({ type: "spki", format: "der" })),
    der(0xa3, der(0x30, ...extensions(names))),
  );
  const signature = sign("sha256", toBeSigned, { key: privateKey, dsaEncoding: "der" });
  const cert = der(0x30, toBeSigned, ECDSA_SHA256, der(0x03, Uint8Array.of(0), signature));
  return {
    cert: pem("CERTIFICATE", cert),
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

const ECDSA_SHA256 = der(0x30, oid("1.2.840.10045.4.3.2"));

function extensions(names: readonly string[]): Uint8Array[] {
  const alternatives = names.map((name) =>
    isIP(name) ? der(0x87, address(name)) : der(0x82, ascii(name))
  );
  const digitalSignature = der(0x03, Uint8Array.of(7, 0x80));
  return [
    extension("2.5.29.19", true, der(0x30)), // not an authority
    extension("2.5.29.15", true, digitalSignature),
    extension("2.5.29.37", false, der(0x30, oid("1.3.6.1.5.5.7.3.1"))), // for servers
    extension("2.5.29.17", false, der(0x30, ...alternatives)),
  ];
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return der(0x30, oid(id), ...flag, der(0x04, value));
}

/** One element: tag, length, content. */
function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  const head = length < 128 ? [tag, length] : [tag, 0x80 | octets.length, ...octets];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of content) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function integer(octets: Uint8Array): Uint8Array {
  return der(0x02, octets);
}

/** The same length, but neither negative nor with a leading zero. */
function positive(octets: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(octets);
  copy[0] = (copy[0] & 0x3f) | 0x40;
  return copy;
}

function oid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const octets = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return der(0x06, Uint8Array.from(octets));
}

function utf8(text: string): Uint8Array {
  return der(0x0c, new TextEncoder().encode(text.slice(0, 64)));
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** UTCTime, which holds for the years up to 2049. @see RFC 5280 §4.1.2.5.1 */
function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\D/g, "").slice(2, 14);
  return der(0x17, ascii(`${digits}Z`));
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

function pem(label: string, bytes: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

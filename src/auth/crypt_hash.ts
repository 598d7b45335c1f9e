/** Strings of crypt(3), `$ID$…`: bcrypt, SHA-crypt, Argon2id. */

import { decodeBase64 } from "./sasl/base64.ts";

/** Argon2id, version 19. */
export interface Argon2Hash {
  readonly algorithm: "argon2";
  /** Passes. */
  readonly time: number;
  /** KiB. */
  readonly memory: number;
  readonly threads: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

export interface BcryptHash {
  readonly algorithm: "bcrypt";
  /** Binary logarithm of the rounds. */
  readonly cost: number;
  /** 16 octets. */
  readonly salt: Uint8Array;
  /** 23 octets. */
  readonly hash: Uint8Array;
}

export interface ShaCryptHash {
  readonly algorithm: "sha-crypt";
  readonly bits: 256 | 512;
  readonly rounds: number;
  /** At most 16 octets. */
  readonly salt: Uint8Array;
  /** The digits at the end of the string, in ASCII. */
  readonly hash: Uint8Array;
}

/** More than any sane setting; a slip of a digit must not take the machine down. */
const MOST = { time: 100, memory: 1 << 20, threads: 64, argon2Hash: 128, rounds: 2_000_000 };
const BCRYPT_DIGITS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Reads any of them by its `$ID$`; undefined when it is none that can be checked. */
export function parseCrypt(
  text: string,
): Argon2Hash | BcryptHash | ShaCryptHash | undefined {
  return parseBcrypt(text) ?? parseShaCrypt(text) ?? parseArgon2Crypt(text);
}

/** `$2b$COST$` and 53 digits. The variants a, b and y differ only where old programs had bugs. */
export function parseBcrypt(text: string): BcryptHash | undefined {
  const match = text.match(/^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/);
  if (match === null) return undefined;
  const cost = Number(match[1]);
  if (cost < 4 || cost > 20) return undefined;
  return {
    algorithm: "bcrypt",
    cost,
    salt: decodeBcrypt(match[2], 16),
    hash: decodeBcrypt(match[3], 23),
  };
}

/** `$5$` (SHA-256) or `$6$` (SHA-512), `rounds=N$` unless they are 5,000, salt, `$`, digits. */
export function parseShaCrypt(text: string): ShaCryptHash | undefined {
  const match = text.match(/^\$([56])\$(?:rounds=(\d{1,9})\$)?([!-#%-9;-~]{0,16})\$([./\w]+)$/);
  if (match === null) return undefined;
  const bits = match[1] === "5" ? 256 : 512;
  const rounds = Number(match[2] ?? 5000);
  const encoder = new TextEncoder();
  const hash = encoder.encode(match[4]);
  const fits = rounds >= 1000 && rounds <= MOST.rounds && hash.length === Math.ceil(bits / 6);
  return fits
    ? { algorithm: "sha-crypt", bits, rounds, salt: encoder.encode(match[3]), hash }
    : undefined;
}

/** `$argon2id$v=19$m=MEMORY,t=TIME,p=THREADS$SALT$HASH`, the last two in base64 without padding. */
export function parseArgon2Crypt(text: string): Argon2Hash | undefined {
  const match = text.match(
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/,
  );
  if (match === null) return undefined;
  const [memory, time, threads] = match.slice(1, 4).map(Number);
  return argon2Hash(time, memory, threads, match[4], match[5]);
}

/** @param salt and `hash` in base64; undefined when anything is out of bounds */
export function argon2Hash(
  time: number,
  memory: number,
  threads: number,
  salt: string,
  hash: string,
): Argon2Hash | undefined {
  const salted = decodeBase64(salt);
  const hashed = decodeBase64(hash);
  if (salted === undefined || hashed === undefined) return undefined;
  const fits = time >= 1 && time <= MOST.time && threads >= 1 && threads <= MOST.threads &&
    memory >= 8 * threads && memory <= MOST.memory &&
    salted.length >= 8 && hashed.length >= 16 && hashed.length <= MOST.argon2Hash;
  return fits
    ? { algorithm: "argon2", time, memory, threads, salt: salted, hash: hashed }
    : undefined;
}

/** Writes what {@link parseBcrypt} reads. */
export function formatBcrypt({ cost, salt, hash }: BcryptHash): string {
  return `$2b$${String(cost).padStart(2, "0")}$${encodeBcrypt(salt)}${encodeBcrypt(hash)}`;
}

/** bcrypt's own base64, most significant bits first. */
function decodeBcrypt(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const char of text) {
    bits = ((bits << 6) | BCRYPT_DIGITS.indexOf(char)) & 0xffff;
    count += 6;
    if (count >= 8 && at < length) {
      count -= 8;
      bytes[at++] = (bits >> count) & 0xff;
    }
  }
  return bytes;
}

function encodeBcrypt(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += BCRYPT_DIGITS[(bits >> count) & 63];
    }
  }
  return count > 0 ? text + BCRYPT_DIGITS[(bits << (6 - count)) & 63] : text;
}

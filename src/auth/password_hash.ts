/** Password hashes as tables hold them: `ALGORITHM:…`, Dovecot's `{SCHEME}…`, and bare `$ID$…`. */

import type { ScramKeys } from "./auth.ts";
import { decodeBase64, encodeBase64 } from "./sasl/base64.ts";
import {
  type Argon2Hash,
  argon2Hash,
  type BcryptHash,
  formatBcrypt,
  parseArgon2Crypt,
  parseBcrypt,
  parseCrypt,
  parseShaCrypt,
  type ShaCryptHash,
} from "./crypt_hash.ts";
import { formatScramKeys, HASH_OCTETS, parseScramKeys } from "./sasl/scram_keys.ts";

/** SHA-256 of the salt and the password, once: fit for random passwords only. */
export interface Sha256Hash {
  readonly algorithm: "sha256";
  readonly salt: Uint8Array;
  /** 32 octets. */
  readonly hash: Uint8Array;
}

/** Keys of SCRAM, which a password can be checked against too. */
export interface ScramPassword {
  readonly algorithm: "scram";
  readonly keys: ScramKeys;
}

/** The password itself. */
export interface PlainPassword {
  readonly algorithm: "plain";
  readonly password: string;
}

/** Hashes that are made here; the others are only checked. */
export type MadeHash = Argon2Hash | BcryptHash | ScramPassword;
export type PasswordHash = MadeHash | ShaCryptHash | Sha256Hash | PlainPassword;

/** What {@link MadeHash}es are made with. */
export const HASH_ALGORITHMS = ["argon2", "bcrypt", "scram-sha-256"] as const;
export type HashAlgorithm = typeof HASH_ALGORITHMS[number];

type Parser = (text: string) => PasswordHash | undefined;

/** By what stands before the colon. */
const TAGS: Readonly<Record<string, Parser>> = {
  argon2: parseArgon2,
  bcrypt: parseBcrypt,
  sha256: parseSha256,
};

/** By what stands in the braces, in capitals. */
const SCHEMES: Readonly<Record<string, Parser>> = {
  "ARGON2ID": parseArgon2Crypt,
  "BLF-CRYPT": parseBcrypt,
  "CLEARTEXT": parsePlain,
  "CRYPT": parseCrypt,
  "PLAIN": parsePlain,
  "SCRAM-SHA-1": (text) => scramPassword(parseScramKeys("SHA-1", text)),
  "SCRAM-SHA-256": (text) => scramPassword(parseScramKeys("SHA-256", text)),
  "SHA256-CRYPT": (text) => text.startsWith("$5$") ? parseShaCrypt(text) : undefined,
  "SHA512-CRYPT": (text) => text.startsWith("$6$") ? parseShaCrypt(text) : undefined,
};

/** Stands before the hash of a user who may not log in, as in shadow(5). */
const DISABLED = "!";

/** Whether a table's value is that of a user who may not log in. */
export function isDisabled(value: string): boolean {
  return value.startsWith(DISABLED);
}

/** A table's value with the mark of a disabled user. */
export function disabled(value: string): string {
  return isDisabled(value) ? value : DISABLED + value;
}

/** A table's value without it. */
export function enabled(value: string): string {
  return isDisabled(value) ? value.slice(DISABLED.length) : value;
}

/** What a table's value was made with, as people call it; undefined when it is no hash. */
export function schemeOf(value: string): string | undefined {
  const hash = parsePasswordHash(enabled(value));
  switch (hash?.algorithm) {
    case "scram":
      return `scram-${hash.keys.hash.toLowerCase()}`;
    case "sha-crypt":
      return `sha${hash.bits}-crypt`;
    default:
      return hash?.algorithm;
  }
}

/** Reads a table's value; undefined when it is no hash that can be checked. */
export function parsePasswordHash(value: string): PasswordHash | undefined {
  if (value.startsWith("$")) return parseCrypt(value);
  const match = value.match(/^(?:\{([A-Za-z0-9-]+)\}|([a-z0-9]+):)(.*)$/s);
  if (match === null) return undefined;
  const [, scheme, tag, rest] = match;
  const parsers = scheme === undefined ? TAGS : SCHEMES;
  const name = scheme?.toUpperCase() ?? tag;
  return Object.hasOwn(parsers, name) ? parsers[name](rest) : undefined;
}

/** `TIME:MEMORY:THREADS:SALT:HASH`, the last two in base64. */
function parseArgon2(text: string): Argon2Hash | undefined {
  const match = text.match(/^(\d{1,3}):(\d{1,7}):(\d{1,2}):([\w+/=]+):([\w+/=]+)$/);
  if (match === null) return undefined;
  const [time, memory, threads] = match.slice(1, 4).map(Number);
  return argon2Hash(time, memory, threads, match[4], match[5]);
}

/** `SALT:HASH`, both in base64. */
function parseSha256(text: string): Sha256Hash | undefined {
  const [salt, hash, ...more] = text.split(":").map(decodeBase64);
  if (salt === undefined || hash === undefined || more.length > 0) return undefined;
  return salt.length >= 8 && hash.length === 32 ? { algorithm: "sha256", salt, hash } : undefined;
}

function parsePlain(password: string): PlainPassword | undefined {
  return password === "" ? undefined : { algorithm: "plain", password };
}

function scramPassword(keys: ScramKeys | undefined): ScramPassword | undefined {
  return keys && { algorithm: "scram", keys };
}

/** The value to put into a table. */
export function formatPasswordHash(hash: MadeHash): string {
  switch (hash.algorithm) {
    case "argon2": {
      const { time, memory, threads, salt } = hash;
      return `argon2:${time}:${memory}:${threads}:${encodeBase64(salt)}:${encodeBase64(hash.hash)}`;
    }
    case "bcrypt":
      return `bcrypt:${formatBcrypt(hash)}`;
    case "scram":
      return `{SCRAM-${hash.keys.hash}}${formatScramKeys(hash.keys)}`;
  }
}

/** Costs that are kept from telling by the time who is a user; each makes refusals dearer. */
export const MOST_COSTS = 4;

/** Hashes of equal cost take equally long to check. */
export function costOf(hash: PasswordHash): string {
  switch (hash.algorithm) {
    case "argon2":
      return `argon2:${hash.time}:${hash.memory}:${hash.threads}:${hash.hash.length}`;
    case "bcrypt":
      return `bcrypt:${hash.cost}`;
    case "sha-crypt":
      return `sha-crypt:${hash.bits}:${hash.rounds}`;
    case "scram":
      return `scram:${hash.keys.hash}:${hash.keys.iterations}`;
    case "sha256":
    case "plain":
      return "little";
  }
}

/** A hash of the same cost that no password has. */
export function withoutSecret(hash: PasswordHash): PasswordHash {
  if (hash.algorithm === "plain") return { ...hash, password: "" };
  if (hash.algorithm !== "scram") return { ...hash, hash: new Uint8Array(hash.hash.length) };
  const none = new Uint8Array(HASH_OCTETS[hash.keys.hash]);
  return { ...hash, keys: { ...hash.keys, storedKey: none, serverKey: none } };
}

/** RFC 7677 §4 counts 15,000 iterations for a tenth of a second. */
export const SCRAM_ITERATIONS = 15_000;

/** A hash with new settings: what `imapd hash` makes unless told otherwise. */
export function blankHash(algorithm: HashAlgorithm, salt: Uint8Array): MadeHash {
  switch (algorithm) {
    case "argon2":
      return { algorithm, time: 2, memory: 19 * 1024, threads: 1, salt, hash: new Uint8Array(32) };
    case "bcrypt":
      return { algorithm, cost: 12, salt, hash: new Uint8Array(23) };
    case "scram-sha-256": {
      const none = new Uint8Array(32);
      const keys = { salt, iterations: SCRAM_ITERATIONS, storedKey: none, serverKey: none };
      return { algorithm: "scram", keys: { hash: "SHA-256", ...keys } };
    }
  }
}

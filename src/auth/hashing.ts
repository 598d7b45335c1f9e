/** Computes password hashes. Slow and synchronous inside: for workers and the command line. */

import { argon2id, bcrypt } from "hash-wasm";
import { parseBcrypt } from "./crypt_hash.ts";
import {
  blankHash,
  type HashAlgorithm,
  type MadeHash,
  type PasswordHash,
  type Sha256Hash,
} from "./password_hash.ts";
import { deriveScramKeys, equalBytes } from "./sasl/scram_keys.ts";
import { shaCrypt } from "./sha_crypt.ts";

/**
 * Octets of the longest password. bcrypt looks at no more than 72, so a longer one would be cut
 * short unseen; crypt(3) takes no more than 511.
 */
const LONGEST: Readonly<Partial<Record<PasswordHash["algorithm"], number>>> = {
  bcrypt: 72,
  "sha-crypt": 511,
};

/** The password cannot be hashed by this algorithm. */
export class UnfitPassword extends Error {
  override name = "UnfitPassword";
}

/**
 * Hashes a password with a new salt and today's settings.
 *
 * @throws {UnfitPassword} when it is empty, or above 72 octets for bcrypt
 */
export async function hashPassword(algorithm: HashAlgorithm, password: string): Promise<MadeHash> {
  const blank = blankHash(algorithm, crypto.getRandomValues(new Uint8Array(16)));
  const { length } = new TextEncoder().encode(password);
  const most = LONGEST[blank.algorithm] ?? Infinity;
  if (length === 0) throw new UnfitPassword("Expected a password, got an empty one");
  if (length > most) {
    throw new UnfitPassword(`Expected at most ${most} octets for ${algorithm}, got ${length}`);
  }
  if (blank.algorithm === "scram") {
    const { hash, salt, iterations } = blank.keys;
    return { ...blank, keys: await deriveScramKeys(hash, password, salt, iterations) };
  }
  return { ...blank, hash: await compute(blank, password) };
}

/**
 * Whether `expected` is the hash of `password`. A password that could never be hashed costs as
 * much time as a wrong one.
 */
export async function verifyPassword(expected: PasswordHash, password: string): Promise<boolean> {
  const { length } = new TextEncoder().encode(password);
  const fits = length > 0 && length <= (LONGEST[expected.algorithm] ?? Infinity);
  const got = await compute(expected, fits ? password : "\0");
  return equalBytes(got, await secretOf(expected)) && fits;
}

async function secretOf(hash: PasswordHash): Promise<Uint8Array> {
  if (hash.algorithm === "scram") return hash.keys.storedKey;
  if (hash.algorithm === "plain") return await sha256(new TextEncoder().encode(hash.password));
  return hash.hash;
}

async function compute(like: PasswordHash, text: string): Promise<Uint8Array> {
  const password = new TextEncoder().encode(text);
  switch (like.algorithm) {
    case "argon2":
      return await argon2id({
        password,
        salt: like.salt,
        iterations: like.time,
        memorySize: like.memory,
        parallelism: like.threads,
        hashLength: like.hash.length,
        outputType: "binary",
      });
    case "bcrypt":
      return await bcryptHash(password, like.salt, like.cost);
    case "sha-crypt":
      return new TextEncoder().encode(await shaCrypt(like, password));
    case "scram": {
      const { hash, salt, iterations } = like.keys;
      return (await deriveScramKeys(hash, text, salt, iterations)).storedKey;
    }
    case "sha256":
      return await saltedSha256(like, password);
    case "plain":
      return await sha256(password);
  }
}

async function bcryptHash(
  password: Uint8Array,
  salt: Uint8Array,
  cost: number,
): Promise<Uint8Array> {
  const whole = await bcrypt({ password, salt, costFactor: cost, outputType: "encoded" });
  const parsed = parseBcrypt(whole);
  if (parsed === undefined) throw new Error("Expected a bcrypt hash from the library");
  return parsed.hash;
}

function saltedSha256({ salt }: Sha256Hash, password: Uint8Array): Promise<Uint8Array> {
  const bytes = new Uint8Array(salt.length + password.length);
  bytes.set(salt);
  bytes.set(password, salt.length);
  return sha256(bytes);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Computes password hashes. Slow and synchronous inside: for workers and the command line. */

import { argon2id, bcrypt } from "hash-wasm";
import { parseBcrypt } from "./crypt_hash.ts";
import {
  blankHash,
  type HashAlgorithm,
  type MadeHash,
  type PasswordHash,
} from "./password_hash.ts";
import { isQuick, type QuickHash, verifyQuickly } from "./quick_hash.ts";
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

type SlowHash = Exclude<PasswordHash, QuickHash>;

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
  if (isQuick(expected)) return verifyQuickly(expected, password);
  const { length } = new TextEncoder().encode(password);
  const fits = length > 0 && length <= (LONGEST[expected.algorithm] ?? Infinity);
  const got = await compute(expected, fits ? password : "\0");
  const secret = expected.algorithm === "scram" ? expected.keys.storedKey : expected.hash;
  return equalBytes(got, secret) && fits;
}

async function compute(like: SlowHash, text: string): Promise<Uint8Array> {
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

/** Computes password hashes. Slow and synchronous inside: for workers and the command line. */

import { argon2id, bcrypt } from "hash-wasm";
import {
  blankHash,
  equalBytes,
  type HashAlgorithm,
  parsePasswordHash,
  type PasswordHash,
} from "./password_hash.ts";

/** bcrypt looks at no more; a longer password would be cut short unseen. */
const BCRYPT_OCTETS = 72;

/** The password cannot be hashed by this algorithm. */
export class UnfitPassword extends Error {
  override name = "UnfitPassword";
}

/**
 * Hashes a password with a new salt and today's settings.
 *
 * @throws {UnfitPassword} when it is empty, or above 72 octets for bcrypt
 */
export async function hashPassword(
  algorithm: HashAlgorithm,
  password: string,
): Promise<PasswordHash> {
  const octets = new TextEncoder().encode(password);
  if (octets.length === 0) throw new UnfitPassword("Expected a password, got an empty one");
  if (algorithm === "bcrypt" && octets.length > BCRYPT_OCTETS) {
    throw new UnfitPassword(
      `Expected at most ${BCRYPT_OCTETS} octets for bcrypt, got ${octets.length}`,
    );
  }
  const blank = blankHash(algorithm, crypto.getRandomValues(new Uint8Array(16)));
  return { ...blank, hash: await compute(blank, octets) };
}

/**
 * Whether `value`, as {@link parsePasswordHash} reads it, is the hash of `password`. A password
 * that could never be hashed costs as much time as a wrong one.
 */
export async function verifyPassword(value: string, password: string): Promise<boolean> {
  const expected = parsePasswordHash(value);
  if (expected === undefined) return false;
  const octets = new TextEncoder().encode(password);
  const most = expected.algorithm === "bcrypt" ? BCRYPT_OCTETS : Infinity;
  const fits = octets.length > 0 && octets.length <= most;
  const got = await compute(expected, fits ? octets : new Uint8Array(1));
  return equalBytes(got, expected.hash) && fits;
}

async function compute(like: PasswordHash, password: Uint8Array): Promise<Uint8Array> {
  if (like.algorithm === "argon2") {
    return await argon2id({
      password,
      salt: like.salt,
      iterations: like.time,
      memorySize: like.memory,
      parallelism: like.threads,
      hashLength: like.hash.length,
      outputType: "binary",
    });
  }
  const whole = await bcrypt({
    password,
    salt: like.salt,
    costFactor: like.cost,
    outputType: "encoded",
  });
  const parsed = parsePasswordHash(`bcrypt:${whole}`);
  if (parsed === undefined) throw new Error("Expected a bcrypt hash from the library");
  return parsed.hash;
}

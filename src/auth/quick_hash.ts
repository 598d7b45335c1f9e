/** Hashes that take microseconds: less than asking a worker does. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { PasswordHash, PlainPassword, Sha256Hash } from "./password_hash.ts";

/** A hash that {@link verifyQuickly} checks. */
export type QuickHash = PlainPassword | Sha256Hash;

/** Whether a hash is checked by {@link verifyQuickly}. */
export function isQuick(hash: PasswordHash): hash is QuickHash {
  return hash.algorithm === "plain" || hash.algorithm === "sha256";
}

/** Whether `expected` is the hash of `password`; no password is empty. */
export function verifyQuickly(expected: QuickHash, password: string): boolean {
  const same = expected.algorithm === "plain"
    ? timingSafeEqual(sha256(expected.password), sha256(password))
    : timingSafeEqual(expected.hash, sha256(password, expected.salt));
  return same && password !== "";
}

function sha256(text: string, salt: Uint8Array = new Uint8Array()): Uint8Array {
  return createHash("sha256").update(salt).update(text, "utf8").digest();
}

/** `imapd hash`: prints what a password table holds for a password. */

import { hashPassword, UnfitPassword } from "../auth/hashing.ts";
import { formatPasswordHash, HASH_ALGORITHMS, type HashAlgorithm } from "../auth/password_hash.ts";
import { type Arguments, EXIT, optionalOption, UsageError } from "./command.ts";
import { print } from "./output.ts";
import { readNewPassword } from "./password_input.ts";

/** Reads a password and prints its hash. */
export async function hash(args: Arguments): Promise<number> {
  const algorithm = algorithmOf(args);
  print(await hashValue(algorithm, await readNewPassword()));
  return EXIT.ok;
}

/** The algorithm that `--hash` names. @throws {UsageError} */
export function algorithmOf(args: Arguments): HashAlgorithm {
  const name = optionalOption(args, "hash") ?? "argon2";
  const found = HASH_ALGORITHMS.find((each) => each === name);
  if (found !== undefined) return found;
  throw new UsageError(`Expected argon2, bcrypt or scram-sha-256 for --hash, got ${name}`);
}

/** The table value for a password. @throws {UsageError} when it cannot be hashed */
export async function hashValue(algorithm: HashAlgorithm, password: string): Promise<string> {
  try {
    return formatPasswordHash(await hashPassword(algorithm, password));
  } catch (error) {
    if (error instanceof UnfitPassword) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

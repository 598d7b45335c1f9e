/** `imapd hash`: prints what a password table holds for a password. */

import { hashPassword, UnfitPassword } from "../auth/hashing.ts";
import { formatPasswordHash, type HashAlgorithm } from "../auth/password_hash.ts";
import { type Arguments, EXIT, optionalOption, UsageError } from "./command.ts";
import { print } from "./output.ts";
import { readNewPassword } from "./password_input.ts";

/** Reads a password and prints its hash. */
export async function hash(args: Arguments): Promise<number> {
  const algorithm = algorithmOf(args);
  print(await hashValue(algorithm, await readNewPassword()));
  return EXIT.ok;
}

/** The algorithm that `--algorithm` names. @throws {UsageError} */
export function algorithmOf(args: Arguments): HashAlgorithm {
  const name = optionalOption(args, "algorithm") ?? "argon2";
  if (name === "argon2" || name === "bcrypt") return name;
  throw new UsageError(`Expected argon2 or bcrypt for --algorithm, got ${name}`);
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

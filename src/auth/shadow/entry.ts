/** Lines of /etc/shadow. @see shadow(5) */

import { MOST_COSTS } from "../password_hash.ts";

export interface ShadowEntry {
  readonly name: string;
  readonly hash: string;
  /** Days, the first one of 1970 is 0; absent: nobody knows. */
  readonly changed?: number;
  /** Days that a password may be used; absent: for ever. */
  readonly longest?: number;
  /** The day from which nobody may log in; absent: never. */
  readonly expires?: number;
}

/** What can be read of a file; lines that are no entry are left out. */
export function parseShadow(text: string): ShadowEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, hash, changed, , longest, , , expires] = line.split(":");
    if (name === "" || hash === undefined) return [];
    return [{ name, hash, changed: days(changed), longest: days(longest), expires: days(expires) }];
  });
}

function days(text = ""): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Why nobody can log in by any password; undefined where somebody can. */
export function lockedReason({ hash }: ShadowEntry): string | undefined {
  if (hash === "") return "no password";
  return /^[!*]/.test(hash) ? "the account is locked" : undefined;
}

/** Why the right password does not do on the day `today`; undefined where it does. */
export function expiredReason(
  { changed, longest, expires }: ShadowEntry,
  today: number,
): string | undefined {
  if (expires !== undefined && today >= expires) return "the account is expired";
  if (changed === 0) return "the password has to be changed first";
  if (changed !== undefined && longest !== undefined && today > changed + longest) {
    return "the password is expired";
  }
  return undefined;
}

/** By each cost that hashes have by which somebody can log in, the first of them; a few at most. */
export function hashesByCost(entries: readonly ShadowEntry[]): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const entry of entries) {
    if (lockedReason(entry) !== undefined || hashes.size >= MOST_COSTS) continue;
    const cost = costOf(entry.hash);
    if (!hashes.has(cost)) hashes.set(cost, entry.hash);
  }
  return hashes;
}

/** Scheme and settings: all of a hash but its salt and what came out. @see crypt(5) */
export function costOf(hash: string): string {
  return hash.match(/^\$2\w?\$\d+\$/)?.[0] ?? hash.split("$").slice(0, -2).join("$");
}

/** Keys of SCRAM for names that no user has, which must look like those of users. */

import type { ScramHash, ScramKeys, ScramSettings } from "./auth.ts";
import { type PasswordHash, SCRAM_ITERATIONS } from "./password_hash.ts";
import { HASH_OCTETS, scramHmac } from "./sasl/scram_keys.ts";

/** The settings of those of `hashes` that are keys of SCRAM. */
export function scramSettingsOf(hashes: Iterable<PasswordHash>): readonly ScramSettings[] {
  const counted = new Map<string, { users: number } & ScramSettings>();
  for (const each of hashes) {
    if (each.algorithm !== "scram") continue;
    const { hash, iterations, salt: { length: saltOctets } } = each.keys;
    const key = `${hash} ${iterations} ${saltOctets}`;
    const entry = counted.get(key) ?? { hash, iterations, saltOctets, users: 0 };
    entry.users++;
    counted.set(key, entry);
  }
  return [...counted.values()];
}

/**
 * Keys that no password has, the same for each `name` at each attempt. Names have the settings of
 * `known` as often as users have: had they all the commonest, others would tell who is a user.
 *
 * @param secret what salts are made from, so that nobody can tell that they are
 */
export async function keysOfNobody(
  name: string,
  hash: ScramHash,
  known: readonly ScramSettings[],
  secret: Uint8Array,
): Promise<ScramKeys> {
  const draw = await scramHmac("SHA-256", secret, `${hash} ${name}`);
  const { iterations, saltOctets } = drawn(draw, known.filter((each) => each.hash === hash));
  // Who gets another count as the table changes gets another salt, too, as with a new password.
  const salt = await octets(draw, `${iterations} ${saltOctets}`, saltOctets);
  const none = new Uint8Array(HASH_OCTETS[hash]);
  return { hash, salt, iterations, storedKey: none, serverKey: none };
}

type Drawn = Pick<ScramSettings, "iterations" | "saltOctets">;

function drawn(draw: Uint8Array, known: readonly ScramSettings[]): Drawn {
  const users = known.reduce((sum, each) => sum + each.users, 0);
  let place = new DataView(draw.buffer).getUint32(0) / 2 ** 32 * users;
  // In an order that stays as the table changes, so that few names get others then.
  const ordered = known.toSorted((a, b) =>
    a.iterations - b.iterations || a.saltOctets - b.saltOctets
  );
  return ordered.find((each) => (place -= each.users) < 0) ??
    { iterations: SCRAM_ITERATIONS, saltOctets: 16 };
}

async function octets(key: Uint8Array, text: string, length: number): Promise<Uint8Array> {
  const blocks = Math.ceil(length / HASH_OCTETS["SHA-256"]);
  const made = await Promise.all(
    Array.from({ length: blocks }, (_, i) => scramHmac("SHA-256", key, `${text} ${i}`)),
  );
  return Uint8Array.from(made.flatMap((block) => [...block])).slice(0, length);
}

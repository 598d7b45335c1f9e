/**
 * Sockets that a service manager opened and handed to the process.
 *
 * @see sd_listen_fds(3)
 */

import { cannotOpen, type InheritedAddress } from "./listen_address.ts";

/** The first descriptor that is handed over. */
const FIRST = 3;

/** What the service manager says in the environment. */
export interface Handover {
  /** Names of descriptors 3, 4, …; "" where there is none. Empty without socket activation. */
  readonly names: readonly string[];
}

/**
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 *
 * @param pid of this process; descriptors for another one are none of ours
 */
export function readHandover(
  variable: (name: string) => string | undefined,
  pid: number,
): Handover {
  const count = Number(variable("LISTEN_FDS") ?? 0);
  if (Number(variable("LISTEN_PID")) !== pid || !Number.isInteger(count) || count < 1) {
    return { names: [] };
  }
  const names = (variable("LISTEN_FDNAMES") ?? "").split(":");
  return { names: Array.from({ length: count }, (_, i) => names[i] ?? "") };
}

/**
 * The descriptors that an address means: all of that name, or the one of that number.
 *
 * @throws {ListenError} when there is none
 */
export function descriptorsOf(address: InheritedAddress, { names }: Handover): readonly number[] {
  const { name } = address;
  if (typeof name === "number") return [name];
  const found = names.flatMap((each, i) => each === name ? [FIRST + i] : []);
  if (found.length > 0) return found;
  const known = [...new Set(names.filter((each) => each !== ""))].join(", ");
  return cannotOpen(
    address,
    names.length === 0
      ? "no socket was handed over: LISTEN_FDS and LISTEN_PID do not say so"
      : `no socket of that name was handed over, but ${known || "some without a name"}`,
  );
}

/** How many files the process may have open, and how many its clients may need. */

import { kernelFile } from "./kernel_file.ts";

/** What the program opens by itself, and for a moment. */
const OWN = 100;

/** A connection, and its part of the six files of an account, which clients open several times. */
const OF_A_CONNECTION = 3;

/** RLIMIT_NOFILE, whose soft limit Deno raises to the hard one; undefined where there is none. */
export function openFileLimit(): number | undefined {
  const found = kernelFile("/proc/self/limits")?.match(/^Max open files +(\d+)/m);
  return found ? Number(found[1]) : undefined;
}

/** Files that so many connections may need to be open at once. */
export function filesNeeded(connections: number): number {
  return OWN + OF_A_CONNECTION * connections;
}

/** How an index gets another name, and another one its place. */

import { basename, dirname } from "node:path";
import type { Log } from "../../log.ts";
import { lstat } from "./locating.ts";

/** What an index that is made anew does not have. */
export const LOST = "UIDs (clients load all mail again), keywords, flags not yet in file names, " +
  "special uses, subscriptions, annotations";

/** Name, after that of the index, of one that is ready to take its place. */
const READY = ".ready";
/** Before the time, in the name of one that gave its place up. */
const ASIDE = ".damaged-";

/**
 * Gives a damaged index another name.
 *
 * @param successor path of what takes its place: a kill leaves one of the two, with its log
 * @throws {Error} the system's
 */
export function moveAside(
  path: string,
  log: Log,
  clock: () => number,
  error: unknown,
  successor?: string,
): void {
  const aside = asideOf(path, clock);
  const what = {
    path,
    kept_as: aside,
    problem: error instanceof Error ? error.message : String(error),
  };
  if (successor === undefined) {
    // The index first: without its log it may look sound, and is stale. SQLite drops a log that is
    // beside no index.
    for (const suffix of ["", "-wal", "-shm"]) renameIfThere(path + suffix, aside + suffix);
    log.error("the index was damaged; it is made anew from the Maildir", { ...what, lost: LOST });
    return;
  }
  // Where there are no links, nothing was changed yet.
  Deno.linkSync(path, aside);
  Deno.renameSync(successor, path + READY);
  takeOver(path, aside);
  log.warn("the index was damaged; what can be read of it is kept", what);
}

/**
 * Goes on where a kill interrupted {@link moveAside}: the index has both of its names then. Anything
 * else that is called as its successor was put there by somebody, and is put aside itself.
 *
 * @throws {Error} the system's
 */
export function finishReplacing(path: string, log: Log, clock: () => number): void {
  const ready = path + READY;
  if (!lstat(ready)) return;
  const aside = otherNameOf(path);
  if (aside !== undefined) return takeOver(path, aside);
  const kept = asideOf(path, clock);
  Deno.renameSync(ready, kept);
  log.warn("an index that no repair left is not used", { path: ready, kept_as: kept });
}

function otherNameOf(path: string): string | undefined {
  const there = lstat(path);
  const start = basename(path) + ASIDE;
  for (const { name } of Deno.readDirSync(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const other = `${dirname(path)}/${name}`;
    if (there !== undefined && lstat(other)?.ino === there.ino) return other;
  }
  return undefined;
}

/** A name that nothing has. */
function asideOf(path: string, clock: () => number): string {
  let seconds = Math.floor(clock() / 1000);
  while (lstat(`${path}${ASIDE}${seconds}`)) seconds++;
  return `${path}${ASIDE}${seconds}`;
}

function takeOver(path: string, aside: string): void {
  // Beside another index the log would be taken for that one's.
  for (const suffix of ["-wal", "-shm"]) renameIfThere(path + suffix, aside + suffix);
  Deno.renameSync(path + READY, path);
}

function renameIfThere(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (problem) {
    if (!(problem instanceof Deno.errors.NotFound)) throw problem;
  }
}

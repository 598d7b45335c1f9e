/** The folder of an account as a whole: whether it is there, and how it goes. */

import { basename, dirname } from "node:path";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import { syncDirectory } from "./incoming_file.ts";
import { INDEX_FILE } from "./schema.ts";

/** No account's name begins with a dot. */
const LEFTOVER = ".imapd-removed-";

/** Made by root in the top folder of a volume, for root only. @see mklost+found(8) */
const LOST_AND_FOUND = "lost+found";

/** True for a Maildir, for a folder with an index, and for one that nobody may look into. */
export function isAccount(path: string): boolean {
  const found = [`${path}/cur`, `${path}/${INDEX_FILE}`].map(look);
  if (found.includes("there")) return true;
  // Whoever opens it is told. One that is closed keeps nobody from the others.
  return found.includes("closed") && !isLostAndFound(path);
}

function look(path: string): "there" | "missing" | "closed" {
  try {
    Deno.statSync(path);
    return "there";
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "ELOOP") return "missing";
    if (errno === "EACCES") return "closed";
    throw storeErrorOf(error, "looking for the account");
  }
}

function isLostAndFound(path: string): boolean {
  if (basename(path) !== LOST_AND_FOUND) return false;
  try {
    return Deno.lstatSync(path).uid === 0;
  } catch {
    // It lies in a closed one.
    return false;
  }
}

/**
 * Where the folder of an account goes before what is in it is removed: beside it, so that one step
 * makes it vanish and a crash cannot leave half of it.
 */
export function leftoverPath(path: string): string {
  return `${dirname(path)}/${LEFTOVER}${crypto.randomUUID()}`;
}

/** True for a folder that {@link leftoverPath} named. */
export function isLeftover(path: string): boolean {
  return basename(path).startsWith(LEFTOVER);
}

/** Where the folder of an account is kept that another one took the place of. */
export function replacedPath(path: string): string {
  return `${dirname(path)}/.imapd-replaced-${Math.floor(Date.now() / 1000)}-${
    crypto.randomUUID().slice(0, 8)
  }`;
}

/**
 * Makes durable by which entries a folder is found: those above it may be as new as it is. It ends
 * with the first that may not be read.
 *
 * @throws {StoreError} `unavailable`
 */
export async function syncAbove(path: string): Promise<void> {
  const above = dirname(path);
  if (above === path) return;
  try {
    await syncDirectory(above);
  } catch (error) {
    const refused = error instanceof Error ? error.cause ?? error : error;
    if (refused instanceof Deno.errors.NotCapable) return;
    if (["EACCES", "EPERM", "EROFS"].includes(errnoOf(refused) ?? "")) return;
    throw error;
  }
  await syncAbove(above);
}

/**
 * Moves a folder to where nothing is, or an empty folder.
 *
 * @throws {StoreError} `unavailable`
 */
export function putInPlace(from: string, to: string): void {
  try {
    Deno.renameSync(from, to);
  } catch (error) {
    throw storeErrorOf(error, "putting an account in place");
  }
}

/**
 * Removes a folder with all in it; links are removed, not followed. Nothing to do if it is not there.
 *
 * @throws {StoreError} `unavailable`
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw storeErrorOf(error, "removing the account");
  }
}

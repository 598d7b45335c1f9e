/** Where things lie in a folder of backups. */

import { dirname } from "node:path";
import { syncFolder } from "../transfer/new_folder.ts";

/** A backup cannot be made, read or put back; the message says why. */
export class BackupFault extends Error {
  override name = "BackupFault";
}

/** In each backup: written last. */
export const MANIFEST = "manifest.json";
/** Where an account's files are in a backup. */
export const MAIL = "mail";
/** Where the lists of the accounts' files are. */
export const LISTS = "lists";
/** What belongs to no account, by its absolute path. */
export const SYSTEM = "system";

const STAMP = /^\d{4}-\d{2}-\d{2}T\d{6}Z$/;
const PARTIAL = /^\d{4}-\d{2}-\d{2}T\d{6}Z\.partial$/;
const LOCK = ".lock";

/** A backup's name, and where it is. */
export interface BackupPlace {
  readonly stamp: string;
  readonly path: string;
}

/** `2026-03-01T041500Z` */
function stampOf(time: Date): string {
  return time.toISOString().replace(/\.\d+/, "").replaceAll(":", "");
}

/** All complete backups in a folder, the oldest first. */
export async function completeBackups(dir: string): Promise<BackupPlace[]> {
  const places: BackupPlace[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      if (isDirectory && STAMP.test(name)) places.push({ stamp: name, path: `${dir}/${name}` });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return places.sort((a, b) => a.stamp < b.stamp ? -1 : 1);
}

/**
 * The backup that `path` names, or the newest one in it.
 *
 * @throws {BackupFault} when there is none
 */
export async function findBackup(path: string): Promise<BackupPlace> {
  const clean = path.replace(/(?<=.)\/+$/, "");
  if (await isFile(`${clean}/${MANIFEST}`)) {
    return { stamp: clean.slice(clean.lastIndexOf("/") + 1), path: clean };
  }
  const newest = (await completeBackups(clean)).at(-1);
  if (newest !== undefined) return newest;
  throw new BackupFault(`Expected a backup, or a folder of backups, at ${path}, got none`);
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** A backup that is being made. */
export interface NewBackup extends BackupPlace {
  /** Gives it its name; then it counts. */
  finish(): Promise<void>;
  /** Removes it, unless it is finished, and lets others begin. */
  end(): Promise<void>;
}

async function makeDurably(dir: string): Promise<void> {
  if (await Deno.stat(dir).then(({ isDirectory }) => isDirectory, () => false)) return;
  const above = dirname(dir);
  if (above !== dir) await makeDurably(above);
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  await syncFolder(above);
}

/**
 * Begins a backup in `dir`, which is made if it is not there, and removes what interrupted ones left.
 *
 * @throws {BackupFault} when another one is being made there
 */
export async function beginBackup(dir: string): Promise<NewBackup> {
  await makeDurably(dir);
  const lock = await Deno.open(`${dir}/${LOCK}`, { write: true, create: true, mode: 0o600 });
  if (!await lock.tryLock(true)) {
    lock.close();
    throw new BackupFault(`Another backup is being made in ${dir}`);
  }
  try {
    await removeLeftovers(dir);
    const stamp = await freeStamp(dir);
    const partial = `${dir}/${stamp}.partial`;
    await Deno.mkdir(partial, { mode: 0o700 });
    let finished = false;
    return {
      stamp,
      path: partial,
      async finish() {
        await Deno.rename(partial, `${dir}/${stamp}`);
        await syncFolder(dir);
        finished = true;
      },
      async end() {
        if (!finished) await Deno.remove(partial, { recursive: true });
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

async function freeStamp(dir: string): Promise<string> {
  const taken = new Set((await completeBackups(dir)).map(({ stamp }) => stamp));
  for (let time = Date.now();; time += 1000) {
    const stamp = stampOf(new Date(time));
    if (!taken.has(stamp)) return stamp;
  }
}

async function removeLeftovers(dir: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(dir), ({ name }) => name);
  for (const name of names) {
    if (PARTIAL.test(name)) await Deno.remove(`${dir}/${name}`, { recursive: true });
  }
}

/** Removes all but the newest `keep` backups. @returns the stamps of those removed */
export async function removeOldest(dir: string, keep: number): Promise<string[]> {
  const old = (await completeBackups(dir)).slice(0, -keep);
  for (const { path } of old) {
    // First it stops to count: an interrupted removal must not leave what looks like a backup.
    await Deno.rename(path, `${path}.partial`);
    await Deno.remove(`${path}.partial`, { recursive: true });
  }
  return old.map(({ stamp }) => stamp);
}

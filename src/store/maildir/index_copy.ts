/** Copies of databases that are not open, outside of the Maildir. */

import { basename, dirname } from "node:path";
import { lstat } from "./locating.ts";
import { INDEX_FILE } from "./schema.ts";

const PREFIX = "imapd-doctor-";
/** Milliseconds; nobody looks at one account for longer. */
const STALE = 24 * 3600 * 1000;

/** Where copies are made. */
export interface CopyPlaces {
  /** Absent: in the folder for temporary files. */
  readonly dir?: string;
  /** If that takes none. */
  readonly otherwise?: string;
}

/** Makes a folder for a copy; those that a killed process left beside it go. */
export async function makeCopyFolder({ dir, otherwise }: CopyPlaces = {}): Promise<string> {
  const made = await Deno.makeTempDir({ prefix: PREFIX, dir }).catch((error: unknown) => {
    if (otherwise === undefined) throw error;
    return Deno.makeTempDir({ prefix: PREFIX, dir: otherwise });
  });
  const place = dirname(made);
  for (const { name, isDirectory } of Deno.readDirSync(place)) {
    if (!isDirectory || !name.startsWith(PREFIX)) continue;
    const { uid, mtime } = lstat(`${place}/${name}`) ?? {};
    if (uid !== Deno.uid() || Date.now() - (mtime?.getTime() ?? Infinity) < STALE) continue;
    await Deno.remove(`${place}/${name}`, { recursive: true }).catch(() => {});
  }
  return made;
}

/** The files of an index that are there, its log among them. */
export function indexFiles(root: string): readonly { path: string; info: Deno.FileInfo }[] {
  return filesOf(`${root}/${INDEX_FILE}`);
}

function filesOf(database: string): readonly { path: string; info: Deno.FileInfo }[] {
  return ["", "-wal"].flatMap((suffix) => {
    const path = database + suffix;
    const info = lstat(path);
    return info === undefined ? [] : [{ path, info }];
  });
}

/** {@link copyDatabase} of the index of a Maildir. */
export async function copyIndex(root: string, dir: string): Promise<string> {
  return await copyDatabase(`${root}/${INDEX_FILE}`, dir);
}

/**
 * Copies a database with its log, which must be plain files.
 *
 * @param dir made by {@link makeCopyFolder}
 * @returns path of the copy
 * @throws {Error} the system's
 */
export async function copyDatabase(database: string, dir: string): Promise<string> {
  for (const { path } of filesOf(database)) {
    const copy = `${dir}/${basename(path)}`;
    await Deno.copyFile(path, copy);
    Deno.chmodSync(copy, 0o600);
  }
  return `${dir}/${basename(database)}`;
}

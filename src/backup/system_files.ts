/** The files of a config that no account has: users, certificates and keys, secrets. */

import { backup as backUpDatabase, DatabaseSync } from "node:sqlite";
import { dirname } from "node:path";
import type { Config } from "../config/load.ts";
import { copyFile, hashFile, lstat, takeOwner, treeOf } from "./files.ts";
import { SYSTEM } from "./layout.ts";
import type { FileEntry, FolderEntry } from "./manifest.ts";

/** Milliseconds to wait for a database that somebody changes. */
const PATIENCE = 5000;

/** Where the system's files are. */
interface SystemPaths {
  readonly files: Set<string>;
  /** SQLite databases, which are copied by SQLite. */
  readonly databases: Set<string>;
}

/** @param file the path of the config */
function systemPaths(config: Config, file: string): SystemPaths {
  const paths: SystemPaths = { files: new Set([file]), databases: new Set() };
  paths.files.add(`${config.stateDir}/secret`);
  paths.files.add(`${config.stateDir}/annotations.json`);
  for (const folder of [`${config.stateDir}/tls`, `${config.stateDir}/acme`]) {
    addFolder(paths, folder);
  }
  addPathsIn(paths, config, new Set());
  return paths;
}

/** All paths of files that stand in modules of the config. */
function addPathsIn(paths: SystemPaths, value: unknown, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if ("dsn" in value && typeof value.dsn === "string") paths.databases.add(value.dsn);
  if ("storePath" in value && typeof value.storePath === "string") {
    addFolder(paths, value.storePath);
  }
  // Such as "file", or the place of a certificate; not a storage's template or the system's shadow.
  const isFile = "module" in value ? value.module === "file" : "at" in value;
  if (isFile && "path" in value && typeof value.path === "string") paths.files.add(value.path);
  if ("module" in value && value.module === "ldap") addStrings(paths, value);
  for (const each of Object.values(value)) addPathsIn(paths, each, seen);
}

/** `cert`, `key` and `root_ca` of a directory. */
function addStrings({ files }: SystemPaths, settings: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!["cert", "key", "rootCa"].includes(name)) continue;
    for (const path of [value].flat()) if (typeof path === "string") files.add(path);
  }
}

function addFolder({ files }: SystemPaths, folder: string): void {
  if (!lstat(folder)?.isDirectory()) return;
  for (const file of treeOf(folder).files) files.add(`${folder}/${file}`);
}

/** Copies what is there of it below `to`. Durable but for the folders. */
export async function backUpSystem(
  config: Config,
  configFile: string,
  to: string,
): Promise<FileEntry[]> {
  const { files, databases } = systemPaths(config, configFile);
  const entries: FileEntry[] = [];
  for (const path of [...files, ...databases].sort()) {
    // Certificates are often behind a link, as certbot's are: the backup has what they lead to.
    const real = await Deno.realPath(path).catch(() => undefined);
    const stat = real === undefined ? undefined : lstat(real);
    if (real === undefined || !stat?.isFile()) continue;
    const copy = `${to}/${SYSTEM}${path}`;
    await Deno.mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    const digest = databases.has(path)
      ? await copyDatabase(real, copy, stat)
      : await copyFile(real, copy);
    entries.push({ path, modified: Math.floor(stat.mtimeMs), ...digest });
  }
  return entries;
}

async function copyDatabase(
  from: string,
  to: string,
  like: { mode: number; uid: number; gid: number },
) {
  const database = new DatabaseSync(from, { timeout: PATIENCE });
  try {
    await backUpDatabase(database, to);
  } finally {
    database.close();
  }
  const copy = new DatabaseSync(to);
  // One file, without a log beside it; its user's program sets again what it wants.
  copy.exec("PRAGMA journal_mode = DELETE");
  copy.close();
  await takeOwner(to, like);
  using file = await Deno.open(to);
  await file.sync();
  return hashFile(to);
}

/** Folders above these paths, with their modes and owners, the highest first. */
export function foldersAbove(paths: Iterable<string>): FolderEntry[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "/" && folder !== "."; folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders].sort().flatMap((path) => {
    const stat = lstat(path);
    if (!stat?.isDirectory()) return [];
    return { path, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
  });
}

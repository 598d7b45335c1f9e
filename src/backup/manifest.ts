/** What a backup says of itself: `manifest.json`, and a list of the files of each account. */

import { createHash } from "node:crypto";
import { writeNew } from "../transfer/new_folder.ts";
import { BackupFault, LISTS, MANIFEST } from "./layout.ts";

const VERSION = 1;

/** A file in a backup. */
export interface FileEntry {
  /** Below the account's folder; of the system's files the absolute path that it came from. */
  readonly path: string;
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modified: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** An account in a backup. */
export interface AccountEntry {
  readonly storage: string;
  readonly name: string;
  /** The folder that it came from. */
  readonly root: string;
  readonly messages: number;
  readonly octets: number;
  /** SHA-256 of its list of files. */
  readonly list: string;
}

/** A folder that must be there before an account or a file can be put back. */
export interface FolderEntry {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** `manifest.json` */
export interface Manifest {
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Path of the config. */
  readonly config: string;
  /** Path templates by the names of their storage blocks. */
  readonly storages: Readonly<Record<string, string>>;
  readonly accounts: readonly AccountEntry[];
  readonly system: readonly FileEntry[];
  readonly folders: readonly FolderEntry[];
  readonly messages: number;
  readonly octets: number;
  /** What is not a link to an earlier backup or to the mail itself. */
  readonly copied: { readonly files: number; readonly octets: number };
  readonly linked: number;
  /** What could not be read. */
  readonly failed: readonly Failure[];
}

/** What is not in a backup though it should be. */
export interface Failure {
  readonly place: string;
  readonly reason: string;
}

/** The account's name in its storage's folder, and its list's. */
export function accountPlace({ storage, name }: Pick<AccountEntry, "storage" | "name">): string {
  return `${storage}/${name}`;
}

/** Writes the manifest, durably but for its folder. */
export async function writeManifest(
  path: string,
  manifest: Omit<Manifest, "version">,
): Promise<void> {
  const text = JSON.stringify({ version: VERSION, ...manifest }, null, 2);
  await writeNew(`${path}/${MANIFEST}`, `${text}\n`);
}

/** @throws {BackupFault} when it is damaged, or of another version */
export async function readManifest(path: string): Promise<Manifest> {
  const file = `${path}/${MANIFEST}`;
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    throw new BackupFault(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
  if (manifest?.version !== VERSION) {
    throw new BackupFault(`Expected a backup of version ${VERSION}, got ${manifest?.version}`);
  }
  for (const { storage, name } of manifest.accounts) {
    if ([storage, name].every((each) => isInside(each) && !each.includes("/"))) continue;
    throw new BackupFault(`${file} has an account of a name that none can have`);
  }
  if (manifest.system.some(({ path }) => !isInside(path.slice(1)))) {
    throw new BackupFault(`${file} has a path that none can have`);
  }
  return manifest;
}

/** Writes the list of an account's files. @returns its SHA-256 */
export async function writeList(
  path: string,
  account: Pick<AccountEntry, "storage" | "name">,
  files: readonly FileEntry[],
): Promise<string> {
  const lines = files.map(({ path, size, modified, sha256 }) =>
    `${JSON.stringify([path, size, modified, sha256])}\n`
  );
  const text = lines.join("");
  await Deno.mkdir(`${path}/${LISTS}/${account.storage}`, { recursive: true, mode: 0o700 });
  await writeNew(`${path}/${LISTS}/${accountPlace(account)}`, text);
  return createHash("sha256").update(text).digest("hex");
}

/** @throws {BackupFault} when it is not the one that the manifest knows */
export async function readList(path: string, account: AccountEntry): Promise<FileEntry[]> {
  const file = `${path}/${LISTS}/${accountPlace(account)}`;
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    throw new BackupFault(`${file} cannot be read: ${String(error)}`, { cause: error });
  }
  if (createHash("sha256").update(text).digest("hex") !== account.list) {
    throw new BackupFault(`${file} is damaged`);
  }
  return text.split("\n").slice(0, -1).map((line) => {
    const [path, size, modified, sha256] = JSON.parse(line);
    if (!isInside(path)) throw new BackupFault(`${file} has a path that leads elsewhere`);
    return { path, size, modified, sha256 };
  });
}

/** Whether a path below a folder stays below it. */
function isInside(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

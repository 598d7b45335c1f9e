/** Puts accounts and the system's files of a backup back to where they were, or below another root. */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Admin } from "../admin/operations.ts";
import { syncFolder } from "../transfer/new_folder.ts";
import { codeOf, copyFile, lstat, Several, syncTree, takeOwner, treeOf } from "./files.ts";
import { BackupFault, type BackupPlace, MAIL, SYSTEM } from "./layout.ts";
import { type AccountEntry, accountPlace, type Manifest, readList } from "./manifest.ts";

/** Where accounts go. */
export interface Destination {
  /** What stands before each path: "" is where everything was. */
  readonly root: string;
  /** Path templates by the names of their storage blocks. */
  readonly storages: Readonly<Record<string, string>>;
  /** Fills an account's name into a template. @throws {RangeError} */
  accountPath(template: string, name: string): string;
  /** Who puts them in place where a server may run; absent below another root. */
  readonly admin?: Admin;
  /** Move what is there aside. */
  readonly force: boolean;
}

/** What became of an account. */
export interface Restored {
  readonly name: string;
  readonly path: string;
  readonly messages: number;
  readonly octets: number;
  /** Where what was there is kept. */
  readonly aside?: string;
}

/** Accounts of a backup by their names; all if there are none. @throws {BackupFault} */
export function chosenAccounts(manifest: Manifest, names: readonly string[]): AccountEntry[] {
  const unknown = names.filter((name) => !manifest.accounts.some((each) => each.name === name));
  if (unknown.length > 0) {
    throw new BackupFault(`Expected accounts of the backup, got ${unknown.join(", ")}`);
  }
  return manifest.accounts.filter(({ name }) => names.length === 0 || names.includes(name));
}

/**
 * Sees whether all of these can be put back, before any is.
 *
 * @throws {AdminError | BackupFault} when one cannot
 */
export async function checkPlaces(
  accounts: readonly AccountEntry[],
  destination: Destination,
): Promise<void> {
  const { admin, force } = destination;
  for (const account of accounts) {
    const path = placeOf(account, destination);
    const { storage, name } = account;
    if (admin !== undefined) {
      for await (const _ of admin.call("restore", { storage, account: name, force }));
    } else if (!force && lstat(path) !== undefined && !isEmpty(path)) {
      throw new BackupFault(`There is something at ${path} already: --force moves it aside`);
    }
  }
}

function isEmpty(path: string): boolean {
  return Deno.readDirSync(path).next().done === true;
}

/** @throws {BackupFault} */
function placeOf(
  { storage, name }: AccountEntry,
  { root, storages, accountPath }: Destination,
): string {
  const template = storages[storage];
  if (template === undefined) {
    throw new BackupFault(
      `Expected [storage.${storage}] in the config, as the backup has it, got none`,
    );
  }
  return root + accountPath(template, name);
}

/**
 * Puts an account back: writes it beside its place, compares it with the manifest, and moves it there.
 *
 * @throws {AdminError | BackupFault} or what the system says; then nothing has changed
 */
export async function restoreAccount(
  backup: BackupPlace,
  manifest: Manifest,
  account: AccountEntry,
  destination: Destination,
): Promise<Restored> {
  const path = placeOf(account, destination);
  const parent = dirname(path);
  await makeFolders(parent, manifest, destination.root);
  const digest = createHash("sha256").update(account.name).digest("hex").slice(0, 16);
  const beside = `${parent}/.imapd-restored-${digest}`;
  // What an interrupted restore left.
  await removeIfThere(beside);
  try {
    await writeAccount(backup, account, beside);
    const aside = await putInPlace(beside, path, account, destination);
    await syncFolder(parent);
    const { name, messages, octets } = account;
    return { name, path, messages, octets, aside };
  } finally {
    await removeIfThere(beside);
  }
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function writeAccount(
  { path }: BackupPlace,
  account: AccountEntry,
  to: string,
): Promise<void> {
  const from = `${path}/${MAIL}/${accountPlace(account)}`;
  const entries = await readList(path, account);
  for (const folder of treeOf(from).folders) {
    await Deno.mkdir(`${to}/${folder}`, { mode: 0o700 });
  }
  const copies = new Several();
  for (const entry of entries) {
    await copies.run(async () => {
      const { sha256 } = await copyOf(`${from}/${entry.path}`, `${to}/${entry.path}`);
      if (sha256 === entry.sha256) return;
      throw new BackupFault(`${from}/${entry.path} is damaged: \`imapd backup verify\` names all`);
    });
  }
  await copies.end();
  for (const folder of treeOf(from).folders) {
    const stat = lstat(`${from}/${folder}`);
    if (stat !== undefined) await takeOwner(`${to}/${folder}`, stat);
  }
  await syncTree(to);
}

async function copyOf(from: string, to: string) {
  try {
    return await copyFile(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    throw new BackupFault(`${from} is missing: \`imapd backup verify\` names all`);
  }
}

async function putInPlace(
  from: string,
  path: string,
  { storage, name }: AccountEntry,
  { admin, force }: Destination,
): Promise<string | undefined> {
  if (admin !== undefined) {
    for await (const { aside } of admin.call("restore", { storage, account: name, from, force })) {
      return aside;
    }
    return undefined;
  }
  let aside: string | undefined;
  if (force && lstat(path) !== undefined && !isEmpty(path)) {
    aside = `${dirname(path)}/.imapd-replaced-${Math.floor(Date.now() / 1000)}-${
      crypto.randomUUID().slice(0, 8)
    }`;
    await Deno.rename(path, aside);
  }
  await Deno.rename(from, path);
  return aside;
}

/** Makes folders that are missing as they were. */
async function makeFolders(
  path: string,
  { folders }: Pick<Manifest, "folders">,
  root: string,
): Promise<void> {
  if (lstat(path) !== undefined) return;
  const parent = dirname(path);
  await makeFolders(parent, { folders }, root);
  const known = folders.find((folder) => root + folder.path === path);
  await Deno.mkdir(path, { mode: known?.mode ?? 0o700 });
  const above = lstat(parent);
  const like = known ?? (above && { mode: 0o700, uid: above.uid, gid: above.gid });
  if (like !== undefined) await takeOwner(path, like);
  await syncFolder(parent);
}

/** What became of a file of the system. */
export interface RestoredFile {
  readonly path: string;
  /** False: one was there already, and stayed. */
  readonly written: boolean;
}

/** Puts back what is missing of the config, users, certificates and secrets. */
export async function restoreSystem(
  backup: BackupPlace,
  manifest: Manifest,
  root: string,
): Promise<RestoredFile[]> {
  const restored: RestoredFile[] = [];
  for (const { path, sha256 } of manifest.system) {
    const to = root + path;
    const written = lstat(to) === undefined;
    restored.push({ path: to, written });
    if (!written) continue;
    await makeFolders(dirname(to), manifest, root);
    const beside = `${to}.imapd-restored`;
    await removeIfThere(beside);
    const digest = await copyOf(`${backup.path}/${SYSTEM}${path}`, beside);
    if (digest.sha256 !== sha256) {
      await removeIfThere(beside);
      throw new BackupFault(`${backup.path}/${SYSTEM}${path} is damaged`);
    }
    await Deno.rename(beside, to);
    await syncFolder(dirname(to));
  }
  return restored;
}

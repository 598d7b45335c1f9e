/** One account into a backup. */

import { DatabaseSync } from "node:sqlite";
import type { Admin } from "../admin/operations.ts";
import type { SnapshotItem } from "../admin/snapshots.ts";
import { codeOf, copyFile, lstat, takeOwner, treeOf, writeFile } from "./files.ts";
import { BackupFault, LISTS, MAIL } from "./layout.ts";
import { type AccountEntry, accountPlace, type FileEntry, writeList } from "./manifest.ts";
import { type Earlier, type MessageCounts, MessageFiles } from "./message_files.ts";

/** How often an account is begun anew in which files vanish meanwhile, by other programs. */
const TRIES = 3;

/** Which account, and into which backup. */
export interface AccountBackup {
  readonly storage: string;
  readonly name: string;
  /** Folder of the backup. */
  readonly to: string;
  readonly earlier: Earlier | undefined;
  readonly linksToMail: boolean;
  /** Told how many messages and octets of it are done. */
  progress(messages: number, octets: number): void;
}

/** What came of it. */
export interface AccountResult {
  readonly entry: AccountEntry;
  readonly counts: MessageCounts;
  /** Messages whose files other programs took away. */
  readonly missing: number;
}

/**
 * Takes a snapshot of an account and writes it; what was written is removed if that fails.
 *
 * @throws {AdminError | BackupFault} or what the system says
 */
export async function backUpAccount(admin: Admin, backup: AccountBackup): Promise<AccountResult> {
  const path = `${backup.to}/${MAIL}/${accountPlace(backup)}`;
  for (let tries = 1;; tries++) {
    try {
      const done = await takeAccount(admin, backup, path);
      if (done.missing === 0 || tries === TRIES) return done;
    } catch (error) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
      throw error;
    }
    await Deno.remove(path, { recursive: true });
    await Deno.remove(listPath(backup));
  }
}

function listPath(backup: AccountBackup): string {
  return `${backup.to}/${LISTS}/${accountPlace(backup)}`;
}

async function takeAccount(
  admin: Admin,
  backup: AccountBackup,
  path: string,
): Promise<AccountResult> {
  const { storage, name } = backup;
  const written = Promise.withResolvers<void>();
  const items = admin.call("snapshot", { storage, account: name }, until(written.promise));
  const iterator = items[Symbol.asyncIterator]();
  try {
    const { value: account, done } = await iterator.next();
    if (done || account instanceof Uint8Array || account.kind !== "account") {
      throw new BackupFault("The server told no account");
    }
    const files = await writeAccount(iterator, account, backup, path);
    written.resolve();
    while (!(await iterator.next()).done);
    const list = await writeList(backup.to, backup, files.entries);
    const { root } = account;
    const { messages, octets, counts, missing } = files;
    return { entry: { storage, name, root, messages, octets, list }, counts, missing };
  } finally {
    written.resolve();
    await iterator.return?.();
  }
}

/** The input of the snapshot: it ends when the files are written. */
async function* until(written: Promise<void>): AsyncGenerator<never, void> {
  yield* await written.then(() => []);
}

type AccountItem = Extract<SnapshotItem, { kind: "account" }>;

async function writeAccount(
  items: AsyncIterator<SnapshotItem>,
  { root, folders, indexName }: AccountItem,
  backup: AccountBackup,
  path: string,
) {
  await makeFolders(root, folders, path);
  const entries: FileEntry[] = [];
  // The file list begins where the octets end.
  let next: SnapshotItem | undefined;
  async function* index() {
    for (;;) {
      const { value, done } = await items.next();
      if (done) throw new BackupFault("The snapshot ended too early");
      if (!(value instanceof Uint8Array)) return void (next = value);
      yield value;
    }
  }
  const digest = await writeFile(`${path}/${indexName}`, index(), lstat(`${root}/${indexName}`));
  checkIndex(`${path}/${indexName}`);
  entries.push({ path: indexName, modified: 0, ...digest });
  const messages = new MessageFiles(root, path, backup);
  while (next !== undefined) {
    if (next instanceof Uint8Array) throw new BackupFault("The snapshot has no order");
    if (next.kind === "complete") break;
    if (next.kind === "files") {
      for (const file of next.files) await messages.take(file);
      backup.progress(messages.entries.length, messages.octets);
    }
    next = (await items.next()).value ?? undefined;
    if (next === undefined) throw new BackupFault("The snapshot ended too early");
  }
  await messages.end();
  const others = await copyOthers(root, ["", ...folders.filter((each) => each !== "")], {
    path,
    indexName,
  });
  entries.push(...others, ...messages.entries);
  const copied = [digest, ...others];
  messages.counts.copied += copied.length;
  messages.counts.copiedOctets += copied.reduce((sum, { size }) => sum + size, 0);
  return {
    entries,
    messages: messages.entries.length,
    octets: messages.octets,
    counts: messages.counts,
    missing: messages.missing.length,
  };
}

async function makeFolders(root: string, folders: readonly string[], to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o700 });
  await like(root, to);
  for (const folder of new Set(["", ...folders])) {
    const place = folder === "" ? "" : `/${folder}`;
    if (folder !== "") await Deno.mkdir(`${to}${place}`, { mode: 0o700 });
    await like(`${root}${place}`, `${to}${place}`);
    for (const part of ["cur", "new", "tmp"]) {
      await Deno.mkdir(`${to}${place}/${part}`, { mode: 0o700 });
      await like(`${root}${place}/${part}`, `${to}${place}/${part}`);
    }
  }
}

async function like(folder: string, copy: string): Promise<void> {
  const stat = lstat(folder);
  if (stat !== undefined) await takeOwner(copy, stat);
}

/**
 * Copies what other programs keep beside the messages, such as `dovecot-uidlist` and Sieve scripts:
 * never linked, since it is changed in place. Indexes that are made anew by themselves stay out.
 */
async function copyOthers(
  root: string,
  folders: readonly string[],
  { path, indexName }: { path: string; indexName: string },
): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for (const folder of folders) {
    for (const name of othersIn(`${root}/${folder}`, indexName)) {
      const place = folder === "" ? name : `${folder}/${name}`;
      const parent = place.slice(0, Math.max(place.lastIndexOf("/"), 0));
      await Deno.mkdir(`${path}/${parent}`, { recursive: true, mode: 0o700 });
      const modified = Math.floor(lstat(`${root}/${place}`)?.mtimeMs ?? 0);
      try {
        const digest = await copyFile(`${root}/${place}`, `${path}/${place}`);
        entries.push({ path: place, modified, ...digest });
      } catch (error) {
        // Removed meanwhile.
        if (codeOf(error) !== "ENOENT") throw error;
      }
    }
  }
  return entries;
}

/** What is made anew by itself, or would tell of another index. */
const LEFT_OUT = /^dovecot\.index|^imapd-search\.|^imapd\.(reserve|commits)$|\.(lock|tmp)$/;

function othersIn(folder: string, indexName: string): string[] {
  const names: string[] = [];
  if (lstat(folder) === undefined) return names;
  for (const { name, isFile, isDirectory } of Deno.readDirSync(folder)) {
    if (isFile && !name.startsWith(indexName) && !LEFT_OUT.test(name)) {
      names.push(name);
    }
    if (isDirectory && !name.startsWith(".") && !["cur", "new", "tmp"].includes(name)) {
      for (const file of treeOf(`${folder}/${name}`).files) {
        if (lstat(`${folder}/${name}/${file}`)?.isFile()) names.push(`${name}/${file}`);
      }
    }
  }
  return names;
}

/** @throws {BackupFault} when the index is damaged */
export function checkIndex(path: string): void {
  let found: unknown;
  try {
    // The copy has no log, and needs none: nothing is made beside it.
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      found = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    } finally {
      database.close();
    }
  } catch (error) {
    found = error instanceof Error ? error.message : String(error);
  }
  if (found !== "ok") throw new BackupFault(`The index is damaged: ${found}`);
}

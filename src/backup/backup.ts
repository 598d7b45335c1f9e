/** Makes a backup: all accounts, and what the server needs besides. */

import type { Admin } from "../admin/operations.ts";
import { AdminError } from "../admin/operation.ts";
import type { Config } from "../config/load.ts";
import { backUpAccount } from "./account_backup.ts";
import { syncTree } from "./files.ts";
import {
  BackupFault,
  type BackupPlace,
  beginBackup,
  completeBackups,
  MAIL,
  type NewBackup,
  removeOldest,
} from "./layout.ts";
import {
  accountPlace,
  type Failure,
  type Manifest,
  readList,
  readManifest,
  writeManifest,
} from "./manifest.ts";
import type { Earlier } from "./message_files.ts";
import { backUpSystem, foldersAbove } from "./system_files.ts";

/** What is to be backed up, and where to. */
export interface BackupOptions {
  readonly config: Config;
  /** Absolute path of the config. */
  readonly configFile: string;
  /** Absolute path of the folder of backups. */
  readonly dir: string;
  /** Only these accounts; all if empty. */
  readonly accounts: readonly string[];
  /** No links to the mail itself. */
  readonly copy: boolean;
  /** How many backups stay; all if absent. */
  readonly keep?: number;
  progress(done: { messages: number; octets: number }): void;
}

/** What came of it. */
export interface BackupSummary {
  readonly stamp: string;
  readonly path: string;
  readonly accounts: number;
  readonly messages: number;
  readonly octets: number;
  readonly copied: Manifest["copied"];
  readonly linked: number;
  readonly failed: readonly Failure[];
  /** Stamps of the old ones that were removed. */
  readonly removed: readonly string[];
}

/**
 * Makes a backup that is complete and durable once this settles; what failed is in it.
 *
 * @throws {BackupFault} when none can be made
 */
export async function backUp(admin: Admin, options: BackupOptions): Promise<BackupSummary> {
  const storages = storagesOf(options.config);
  const wanted = await wantedAccounts(admin, storages, options.accounts);
  const backup = await beginBackup(options.dir);
  try {
    const manifest = await fill(admin, options, backup, { storages, wanted });
    await backup.finish();
    const { messages, octets, copied, linked, failed } = manifest;
    // Of what could not be read now an old one may have the only copy.
    const prune = options.keep !== undefined && failed.length === 0;
    const removed = prune ? await removeOldest(options.dir, options.keep) : [];
    const { stamp } = backup;
    const accounts = manifest.accounts.length;
    const path = `${options.dir}/${stamp}`;
    return { stamp, path, accounts, messages, octets, copied, linked, failed, removed };
  } finally {
    await backup.end();
  }
}

type Storages = ReadonlyMap<string, string>;

/** Path templates by the names of their blocks. @throws {BackupFault} of one without a name */
function storagesOf({ imap, lmtp }: Config): Storages {
  const storages = new Map<string, string>();
  for (const { storage } of [...imap, ...lmtp]) {
    if (storage.blockName === undefined) {
      throw new BackupFault(
        "Expected every storage of the config to be a [storage.NAME] block, by whose name a backup " +
          "has its accounts: got one that stands in an [[imap]] or [[lmtp]] block",
      );
    }
    storages.set(storage.blockName, storage.path);
  }
  return storages;
}

interface Wanted {
  readonly storage: string;
  readonly name: string;
}

async function wantedAccounts(
  admin: Admin,
  storages: Storages,
  names: readonly string[],
): Promise<Wanted[]> {
  const all: Wanted[] = [];
  // Two blocks of one path have the same accounts.
  const paths = new Set<string>();
  for (const [storage, path] of storages) {
    if (paths.has(path)) continue;
    paths.add(path);
    for await (const { account } of admin.call("account names", { storage })) {
      all.push({ storage, name: account });
    }
  }
  const unknown = names.filter((name) => !all.some((each) => each.name === name));
  if (unknown.length > 0) {
    throw new BackupFault(`Expected accounts that are there, got ${unknown.join(", ")}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

async function fill(
  admin: Admin,
  { config, configFile, dir, copy, progress }: BackupOptions,
  { path: to }: NewBackup,
  { storages, wanted }: { storages: Storages; wanted: readonly Wanted[] },
): Promise<Omit<Manifest, "version">> {
  const time = new Date().toISOString();
  const earlier = new EarlierBackups(await completeBackups(dir));
  const accounts: Manifest["accounts"][number][] = [];
  const failed: Failure[] = [];
  const copied = { files: 0, octets: 0 };
  let [messages, octets, linked] = [0, 0, 0];
  for (const { storage, name } of wanted) {
    try {
      const done = await backUpAccount(admin, {
        storage,
        name,
        to,
        earlier: await earlier.account({ storage, name }),
        linksToMail: !copy,
        progress: (count, size) => progress({ messages: messages + count, octets: octets + size }),
      });
      accounts.push(done.entry);
      messages += done.entry.messages;
      octets += done.entry.octets;
      copied.files += done.counts.copied;
      copied.octets += done.counts.copiedOctets;
      linked += done.counts.linked;
      if (done.missing > 0) {
        failed.push({ place: name, reason: `${done.missing} messages were removed meanwhile` });
      }
    } catch (error) {
      if (isEndOfAll(error)) throw error;
      failed.push({ place: name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  const system = await backUpSystem(config, configFile, to);
  copied.files += system.length;
  copied.octets += system.reduce((sum, { size }) => sum + size, 0);
  const folders = foldersAbove([
    ...accounts.map(({ root }) => root),
    ...system.map(({ path }) => path),
  ]);
  await Deno.mkdir(`${to}/${MAIL}`, { recursive: true, mode: 0o700 });
  const manifest = {
    time,
    config: configFile,
    storages: Object.fromEntries(storages),
    accounts,
    system,
    folders,
    messages,
    octets,
    copied,
    linked,
    failed,
  };
  await writeManifest(to, manifest);
  await syncTree(to);
  return manifest;
}

/** A full disk, or a server that is gone, fails with every account. */
function isEndOfAll(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EROFS") return true;
  return !(error instanceof AdminError || error instanceof BackupFault || code !== undefined);
}

/** Finds accounts in earlier backups: the newest one that has it counts. */
class EarlierBackups {
  readonly #places: readonly BackupPlace[];
  readonly #manifests = new Map<string, Manifest | undefined>();

  constructor(places: readonly BackupPlace[]) {
    this.#places = places.toReversed();
  }

  async account(wanted: Wanted): Promise<Earlier | undefined> {
    for (const { path } of this.#places) {
      const known = this.#manifests.has(path);
      // One that is damaged is as good as none: all is linked or copied again.
      const manifest = known
        ? this.#manifests.get(path)
        : await readManifest(path).catch(() => undefined);
      this.#manifests.set(path, manifest);
      const entry = manifest?.accounts.find((each) => accountPlace(each) === accountPlace(wanted));
      const files = entry && await readList(path, entry).catch(() => undefined);
      if (files !== undefined) return { path: `${path}/${MAIL}/${accountPlace(wanted)}`, files };
    }
    return undefined;
  }
}

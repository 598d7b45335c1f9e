/** Reads a backup against its manifest. */

import { checkIndex } from "./account_backup.ts";
import { codeOf, hashFile, lstat, treeOf } from "./files.ts";
import { LISTS, MAIL, MANIFEST, SYSTEM } from "./layout.ts";
import { accountPlace, type FileEntry, readList, readManifest } from "./manifest.ts";

/** What is wrong with a file, by its path below the backup, or with an account, by its name. */
export interface Difference {
  readonly path: string;
  readonly reason: string;
}

/** How much was read. */
export interface Verified {
  readonly files: number;
  readonly octets: number;
  readonly differences: readonly Difference[];
}

/**
 * Reads every file of a backup.
 *
 * @throws {BackupFault} when the manifest cannot be read
 */
export async function verifyBackup(
  path: string,
  progress: (done: { messages: number; octets: number }) => void = () => {},
): Promise<Verified> {
  const manifest = await readManifest(path);
  const differences: Difference[] = manifest.failed.map(({ place, reason }) => ({
    path: place,
    reason: `It was not backed up whole: ${reason}`,
  }));
  const known = new Set([MANIFEST]);
  const unknown: string[] = [];
  let [files, octets] = [0, 0];
  const check = (place: string, entry: FileEntry) => {
    known.add(place);
    const reason = differenceOf(`${path}/${place}`, entry);
    if (reason !== undefined) differences.push({ path: place, reason });
    files++;
    octets += entry.size;
    progress({ messages: files, octets });
  };
  for (const account of manifest.accounts) {
    known.add(`${LISTS}/${accountPlace(account)}`);
    const folder = `${MAIL}/${accountPlace(account)}`;
    let entries: FileEntry[] = [];
    try {
      entries = await readList(path, account);
    } catch (error) {
      differences.push({ path: `${LISTS}/${accountPlace(account)}`, reason: messageOf(error) });
      unknown.push(`${folder}/`);
    }
    for (const entry of entries) check(`${folder}/${entry.path}`, entry);
    const index = entries.find(({ path }) => path.endsWith(".sqlite") && !path.includes("/"));
    if (index === undefined) continue;
    try {
      checkIndex(`${path}/${folder}/${index.path}`);
    } catch (error) {
      differences.push({ path: `${folder}/${index.path}`, reason: messageOf(error) });
    }
  }
  for (const entry of manifest.system) check(`${SYSTEM}${entry.path}`, entry);
  for (const file of treeOf(path).files) {
    if (known.has(file) || unknown.some((folder) => file.startsWith(folder))) continue;
    differences.push({ path: file, reason: "It is not in the manifest" });
  }
  return { files, octets, differences };
}

function differenceOf(path: string, { size, sha256 }: FileEntry): string | undefined {
  try {
    const stat = lstat(path);
    if (stat === undefined) return "It is missing";
    if (stat.size !== size) return `Expected ${size} octets, got ${stat.size}`;
    if (hashFile(path).sha256 !== sha256) return "Its contents differ";
  } catch (error) {
    return `It cannot be read: ${codeOf(error) || messageOf(error)}`;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What an account takes on disk. */

import { Pace } from "../../pace.ts";
import { errnoOf } from "./disk_error.ts";
import { nameFolders } from "./folder_name.ts";

/** Octets on disk. */
export interface DiskUsage {
  /** By the mailbox's name. */
  readonly mailboxes: ReadonlyMap<string, number>;
  /** The index, and all else that is in no mailbox. */
  readonly rest: number;
}

const BLOCK = 512;

/** Sums up the blocks of all files below a Maildir. */
export async function diskUsage(root: string): Promise<DiskUsage> {
  const pace = new Pace();
  const entries = await entriesIn(root);
  const folders = entries.filter(({ isDirectory, name }) => isDirectory && name.startsWith("."));
  const names = nameFolders(["", ...folders.map(({ name }) => name)]);
  const mailboxes = new Map<string, number>();
  let rest = 0;
  for (const { name, isDirectory } of entries) {
    const taken = await octetsOf(`${root}/${name}`, isDirectory, pace);
    const mailbox = names.get(isDirectory && !isPartOfInbox(name) ? name : "");
    const inMailbox = isDirectory && (isPartOfInbox(name) || names.has(name));
    if (!inMailbox || mailbox === undefined) rest += taken;
    else mailboxes.set(mailbox, (mailboxes.get(mailbox) ?? 0) + taken);
  }
  return { mailboxes, rest };
}

function isPartOfInbox(name: string): boolean {
  return name === "cur" || name === "new" || name === "tmp";
}

async function octetsOf(path: string, isDirectory: boolean, pace: Pace): Promise<number> {
  let octets = 0;
  try {
    octets = ((await Deno.lstat(path)).blocks ?? 0) * BLOCK;
  } catch (error) {
    // It was moved or removed meanwhile.
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  if (!isDirectory) return octets;
  for (const entry of await entriesIn(path)) {
    octets += await octetsOf(`${path}/${entry.name}`, entry.isDirectory, pace);
    if (pace.due()) await pace.turn();
  }
  return octets;
}

async function entriesIn(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

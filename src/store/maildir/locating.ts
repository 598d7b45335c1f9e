/** What lies in the folders of a mailbox. */

import type { AccountContext } from "./account_context.ts";
import { folderPath } from "./account_context.ts";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import { baseOf } from "./file_name.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { type FileName, splitName } from "./message_rows.ts";
import { Pace } from "../../pace.ts";
import { StoreError } from "../store.ts";

const DOING = "looking into the Maildir";

/** The regular files in a directory that may be messages, and the names of all else in it. */
export interface Listing {
  readonly files: string[];
  readonly odd: string[];
}

/**
 * Reads `new` or `cur`; a missing directory is an empty one, and a link is not followed.
 *
 * @throws {StoreError} `unavailable`
 */
export async function listDirectory(path: string): Promise<Listing> {
  const listing: Listing = { files: [], odd: [] };
  if (lstat(path)?.isSymlink) {
    throw new StoreError("unavailable", "A symbolic link is in place of a directory");
  }
  const pace = new Pace();
  try {
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (name.startsWith(".")) continue;
      // Names that are not UTF-8 come with U+FFFD in them, and no path can say them.
      const isMessage = isFile && !name.includes("\ufffd") && baseOf(name) !== "";
      (isMessage ? listing.files : listing.odd).push(name);
      if (pace.due()) await pace.turn();
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw storeErrorOf(error, DOING);
  }
  return listing;
}

/** Looks through both directories for a message that is no longer where the index has it. */
export async function findFile(
  account: AccountContext,
  state: MailboxState,
  base: string,
): Promise<FileName | undefined> {
  const folder = folderPath(account, state);
  // new/ first: a message that moves to cur/ meanwhile is then seen.
  for (const directory of ["new", "cur"]) {
    const { files } = await listDirectory(`${folder}/${directory}`);
    const file = files.find((name) => baseOf(name) === base);
    if (file !== undefined) return splitName(directory === "new", file);
  }
  return undefined;
}

/**
 * What a path names, or undefined if nothing is there; a link is not followed.
 *
 * @throws {StoreError} `unavailable`
 */
export function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw storeErrorOf(error, DOING);
  }
}

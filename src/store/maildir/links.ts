/**
 * Symbolic links in place of folders. Whoever can write to a Maildir could have them lead to mail
 * that only the server may read, so none is followed but the Maildir itself.
 */

import type { Log } from "../../log.ts";
import { StoreError } from "../store.ts";
import { type AccountContext, folderPath } from "./account_context.ts";
import { isYoung } from "./directory_age.ts";
import { lstat } from "./locating.ts";
import type { FolderStamp, MailboxState } from "./mailbox_state.ts";

const PARTS = ["cur", "new", "tmp"] as const;

/**
 * The path of the first link among a folder and the directories in it, if there is one.
 *
 * @param folder name of a folder in the Maildir `root`; "" for INBOX
 * @throws {StoreError} `unavailable`
 */
export function linkIn(root: string, folder: string): string | undefined {
  const path = folder === "" ? root : `${root}/${folder}`;
  if (folder !== "" && lstat(path)?.isSymlink) return path;
  const part = PARTS.find((name) => lstat(`${path}/${name}`)?.isSymlink);
  return part && `${path}/${part}`;
}

/**
 * True if the folder of a mailbox is not to be touched, which the log says once. Who replaces what
 * is in a folder changes its ctime, which nobody can set: where that stays, one look is enough.
 */
export function hasLink(account: AccountContext, state: MailboxState): boolean {
  const seen = folderStamp(account, state);
  if (seen !== undefined && isSame(seen, state.linkless)) return false;
  const path = linkIn(account.root, state.folder);
  state.linkless = path === undefined ? seen : undefined;
  if (path === undefined) return false;
  complainOfLink(account.log, state.complained, path);
  return true;
}

/** Undefined where there is no folder, or one that may change without another ctime. */
function folderStamp(account: AccountContext, state: MailboxState): FolderStamp | undefined {
  const path = folderPath(account, state);
  // The Maildir itself may be a link.
  const found = account.statuses.at(state.folder === "" ? `${path}/.` : path);
  if (!found?.isDirectory) return undefined;
  const { dev, ino, ctime } = found;
  return isYoung({ mtime: ctime, compared: account.clock() }) ? undefined : { dev, ino, ctime };
}

function isSame(a: FolderStamp, b: FolderStamp | undefined): boolean {
  return a.ctime === b?.ctime && a.ino === b.ino && a.dev === b.dev;
}

/** @throws {StoreError} `unavailable` if the folder of a mailbox is not to be touched */
export function assertNoLink(account: AccountContext, state: MailboxState): void {
  if (!hasLink(account, state)) return;
  throw new StoreError("unavailable", `${state.name} has a symbolic link in place of a folder`);
}

/** Says once, as `complained` remembers, that a link is left alone. */
export function complainOfLink(log: Log, complained: Set<string>, path: string): void {
  if (complained.has(path) || complained.size > 1000) return;
  complained.add(path);
  log.warn("a symbolic link in place of a folder; left alone", { path });
}

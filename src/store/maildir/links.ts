/**
 * Symbolic links in place of folders. Whoever can write to a Maildir could have them lead to mail
 * that only the server may read, so none is followed but the Maildir itself.
 */

import type { Log } from "../../log.ts";
import { StoreError } from "../store.ts";
import type { AccountContext } from "./account_context.ts";
import { lstat } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";

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

/** True if the folder of a mailbox is not to be touched, which the log says once. */
export function hasLink(account: AccountContext, state: MailboxState): boolean {
  const path = linkIn(account.root, state.folder);
  if (path === undefined) return false;
  complainOfLink(account.log, state.complained, path);
  return true;
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

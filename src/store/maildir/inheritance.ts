/**
 * What a Maildir takes over from Dovecot, which served it before: UIDVALIDITY, UIDs, keywords and
 * subscriptions, so that clients load nothing again. Only when an account is opened for the first
 * time: later on Dovecot's files say what was, and its UIDs may mean other messages.
 */

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { StoreError } from "../store.ts";
import { type AccountContext, folderPath, saveProgress } from "./account_context.ts";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import {
  KEYWORDS,
  parseKeywords,
  parseSubscriptions,
  parseUidList,
  parseUidValidity,
  SUBSCRIPTIONS,
  UID_LIST,
} from "./dovecot_files.ts";
import { folderOf } from "./folder_name.ts";
import { lstat } from "./locating.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { UID_VALIDITY_FILE } from "./uid_validity.ts";

/** What is known of the messages of a mailbox from before. */
export interface Inheritance {
  /** UIDs by the names of files up to the info part. */
  readonly uids: ReadonlyMap<string, number>;
  /** Messages that are not in {@link uids} get UIDs from here on. */
  readonly uidNext: number;
  /** What the letters a–z in the names of files mean, in the order of the alphabet. */
  readonly keywords: readonly string[];
}

/** Of a row of `meta`: the first opening began in a Maildir that this server never had. */
const INHERITS = "inherits";

/** Octets; a line of Dovecot's list is about 80. */
const LARGEST = 128 * 1024 * 1024;
const HEADER = 1024;

/** UIDs above are nothing that Dovecot ever gave, and would leave none for what comes. */
const LAST_UID = 0xf000_0000;

/** Neither follows a symbolic link nor waits for a writer. */
const SAFELY = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** True until the first opening is over, if nobody had this index or another one before. */
export function inherits(root: string, mailboxes: MailboxRows): boolean {
  if (mailboxes.meta("furnished") !== 0) return false;
  if (mailboxes.knownMeta(INHERITS) !== undefined) return true;
  if (lstat(`${root}/${UID_VALIDITY_FILE}`) || mailboxes.all().length > 0) return false;
  // Noted, as a crash may leave the file with the UIDVALIDITY, but no mailbox.
  mailboxes.setMeta(INHERITS, 1);
  return true;
}

/** The UIDVALIDITY of a folder from before, if it has one; undefined if it inherits nothing. */
export async function inheritedFrom(
  folder: string,
): Promise<{ readonly uidValidity?: number } | undefined> {
  const header = await textOf(`${folder}/${UID_LIST}`, HEADER);
  const uidValidity = header === undefined ? undefined : parseUidValidity(header.split("\n")[0]);
  return uidValidity !== undefined || lstat(`${folder}/${KEYWORDS}`) ? { uidValidity } : undefined;
}

/** Names of the mailboxes that were subscribed to, or undefined if nobody said. */
export async function inheritedSubscriptions(root: string): Promise<string[] | undefined> {
  const text = await textOf(`${root}/${SUBSCRIPTIONS}`, LARGEST);
  if (text === undefined) return undefined;
  return [...parseSubscriptions(text, ".")].filter(isMailboxName);
}

function isMailboxName(name: string): boolean {
  try {
    folderOf(name);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/**
 * Reads what a mailbox inherits; runs alone in the account's queue, before its first message is
 * taken over and again after a crash amid that. If its UIDs were lost meanwhile, it gets another
 * UIDVALIDITY.
 */
export async function readInheritance(
  account: AccountContext,
  state: MailboxState,
): Promise<Inheritance> {
  const folder = folderPath(account, state);
  const keywords = parseKeywords(await textOf(`${folder}/${KEYWORDS}`, LARGEST) ?? "");
  const text = await textOf(`${folder}/${UID_LIST}`, LARGEST);
  const list = text === undefined ? undefined : await parseUidList(text);
  const usable = list && list.uidNext <= LAST_UID ? list : undefined;
  if (text !== undefined && !usable) {
    account.log.warn("the list of UIDs is damaged; clients load all mail again", {
      path: `${folder}/${UID_LIST}`,
    });
  }
  const theirs = usable?.uidValidity;
  if (theirs !== state.uidValidity) {
    const isNew = state.uidNext === 1 && theirs !== undefined;
    await renumber(account, state, isNew ? theirs : undefined);
  }
  const kept = theirs === state.uidValidity ? usable : undefined;
  return { uids: kept?.uids ?? new Map(), uidNext: kept?.uidNext ?? 1, keywords };
}

/** Gives a mailbox that nobody has seen another UIDVALIDITY. */
async function renumber(
  { mailboxes, uidValidities, writer }: AccountContext,
  state: MailboxState,
  wanted: number | undefined,
): Promise<void> {
  const uidValidity = wanted ?? uidValidities.next();
  uidValidities.note(uidValidity);
  await uidValidities.keep();
  await writer.transaction(() => {
    mailboxes.setUidValidity(state.id, uidValidity);
    uidValidities.save();
  });
  state.uidValidity = uidValidity;
}

/**
 * Ends the taking over.
 *
 * @param firstUnseen the first UID of those that no session was told of, if there are any
 */
export async function endInheritance(
  account: AccountContext,
  state: MailboxState,
  { uidNext }: Inheritance,
  firstUnseen: number | undefined,
): Promise<void> {
  const next = Math.max(state.uidNext, uidNext);
  const firstRecent = firstUnseen ?? next;
  await account.writer.transaction(() => {
    saveProgress(account, state, { uidNext: next, firstRecent });
    account.mailboxes.endInheritance(state.id);
  });
  state.uidNext = next;
  state.firstRecent = firstRecent;
  state.inherits = false;
}

/** A text file, or as much of it as is wanted; undefined if there is none, or a huge one. */
async function textOf(path: string, octets: number): Promise<string | undefined> {
  try {
    await using file = await open(path, SAFELY);
    const info = await file.stat();
    if (!info.isFile() || (octets > HEADER && info.size > octets)) return undefined;
    const bytes = new Uint8Array(Math.min(info.size, octets));
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw storeErrorOf(error, "taking over UIDs");
  }
}

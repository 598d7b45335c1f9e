/**
 * Names of Maildir++ folders, `.Archive.2026`, and of the mailboxes they hold, "Archive/2026".
 *
 * @see http://www.courier-mta.org/imap/README.maildirquota.html
 */

import { normalForm } from "../../normal_form.ts";
import { decodeModifiedUtf7, encodeModifiedUtf7, withInbox } from "../../wire/mailbox_name.ts";
import { StoreError } from "../store.ts";

/** Deeper names are refused: every level costs work in LIST. */
const MAX_LEVELS = 100;

/** NAME_MAX of all file systems that hold mail. */
const MAX_FOLDER_BYTES = 255;

/** The level separator of Maildir++; inside a level it is written in modified UTF-7, `&AC4-`. */
const SEPARATOR = ".";

/** Control characters, line and paragraph separators, lone surrogates. @see RFC 9051 §5.1 */
// deno-lint-ignore no-control-regex
const UNFIT = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;
// deno-lint-ignore no-control-regex
const EACH_UNFIT = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/**
 * The folder that holds the mailbox of this name, relative to the account's Maildir.
 *
 * @param name "/" between levels; other spellings than NFC are changed to it
 * @returns "" for INBOX, else ASCII that begins with "."
 * @throws {StoreError} `bad-name`: empty or dot levels, control characters, "inbox" not in
 * capitals, INBOX/INBOX, too many levels, too long
 */
export function folderOf(name: string): string {
  if (name === "INBOX") return "";
  if (!name.isWellFormed()) throw badName("Mailbox name must be valid Unicode");
  if (UNFIT.test(name)) throw badName("Mailbox name must have no control characters");
  const levels = normalForm(name, "NFC").split("/");
  checkLevels(levels);
  const folder = SEPARATOR +
    levels.map((level) => encodeModifiedUtf7(level, SEPARATOR)).join(SEPARATOR);
  if (folder.length > MAX_FOLDER_BYTES) {
    throw badName(`Mailbox name must fit in ${MAX_FOLDER_BYTES} bytes: got ${folder.length}`);
  }
  return folder;
}

function checkLevels(levels: readonly string[]): void {
  if (levels.length > MAX_LEVELS) {
    throw badName(`Mailbox name must have at most ${MAX_LEVELS} levels: got ${levels.length}`);
  }
  for (const level of levels) {
    if (level === "") throw badName("Mailbox name must have no empty level");
    if (level === "." || level === "..") {
      throw badName(`Mailbox name must have no level "${level}"`);
    }
  }
  if (withInbox(levels[0]) !== levels[0]) {
    throw badName(`Mailbox name must spell INBOX in capitals: got "${levels[0]}"`);
  }
  // Apple Mail tries to make it, and clients then show two inboxes.
  if (levels[0] === "INBOX" && levels.length === 2 && isInbox(levels[1])) {
    throw badName("Mailbox name must not be INBOX/INBOX");
  }
}

function isInbox(level: string): boolean {
  return level.toUpperCase() === "INBOX";
}

function badName(message: string): StoreError {
  return new StoreError("bad-name", message);
}

/**
 * The name of the mailbox that a folder holds: each level read as modified UTF-7, or shown as it
 * is where it is not that. Control characters are shown as U+FFFD: whoever makes a folder could
 * else end a response within a name.
 *
 * `folderOf(nameOf(folder)) === folder` holds for every folder that this server makes, but not
 * for some that other programs make: levels in plain UTF-8, in malformed or unusual modified
 * UTF-7, not in NFC, with control characters, "." or "..", a first level "inbox" not in
 * capitals. Two such folders can also have one name. So an account must keep what
 * {@link nameFolders} says, and ask `folderOf` for new mailboxes only.
 *
 * @param folder relative to the account's Maildir, "" for INBOX
 * @returns undefined for what is no mailbox: no leading ".", an empty level, or bytes that are
 * not UTF-8 (a path cannot say them here)
 */
export function nameOf(folder: string): string | undefined {
  if (folder === "") return "INBOX";
  if (!folder.startsWith(SEPARATOR) || folder.includes("/") || folder.includes("\ufffd")) {
    return undefined;
  }
  const levels = folder.slice(1).split(SEPARATOR);
  if (levels.includes("")) return undefined;
  const name = levels.map((level) => decodeModifiedUtf7(level, SEPARATOR) ?? level).join("/");
  if (!name.isWellFormed()) return undefined;
  return withInbox(normalForm(name, "NFC").replace(EACH_UNFIT, "\ufffd"));
}

/**
 * Names all folders of an account, one name for each. A folder that {@link folderOf} would find
 * has its plain name; of others that claim a name already taken, each gets " (2)", " (3)", …
 * after it, so that no mail is hidden. The result does not depend on the order of `folders`.
 *
 * @param folders relative to the account's Maildir, "" for INBOX
 * @returns folder → mailbox name; what is no mailbox is missing
 */
export function nameFolders(folders: Iterable<string>): Map<string, string> {
  const named = new Map<string, string>();
  const taken = new Set(["INBOX"]);
  const irregular: [string, string][] = [];
  for (const folder of folders) {
    const name = nameOf(folder);
    if (name === undefined) continue;
    if (!isReversible(folder, name)) {
      irregular.push([folder, name]);
      continue;
    }
    named.set(folder, name);
    taken.add(name);
  }
  irregular.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [folder, name] of irregular) {
    if (named.has(folder)) continue;
    const free = freeName(name, taken);
    named.set(folder, free);
    taken.add(free);
  }
  return named;
}

function isReversible(folder: string, name: string): boolean {
  try {
    return folderOf(name) === folder;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} (${number})`)) number++;
  return `${name} (${number})`;
}

/** True for what can be the folder of a mailbox, and is nowhere but in its Maildir; "" is INBOX. */
export function isFolderName(folder: unknown): folder is string {
  return folder === "" ||
    (typeof folder === "string" && /^\.[^/\0]+$/.test(folder) && folder !== "..");
}

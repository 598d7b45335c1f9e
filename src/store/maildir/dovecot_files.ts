/** The files that Dovecot keeps in a Maildir. */

import { Pace } from "../../pace.ts";
import { mailboxName } from "../../wire/mailbox_name.ts";
import { baseOf } from "./file_name.ts";

/** What `dovecot-uidlist` says. */
export interface UidList {
  readonly uidValidity: number;
  readonly uidNext: number;
  /** UIDs by the part of the file name that stays. */
  readonly uids: ReadonlyMap<string, number>;
}

/** Name of the file that numbers messages. */
export const UID_LIST = "dovecot-uidlist";
/** Name of the file that tells what the letters a–z of file names mean. */
export const KEYWORDS = "dovecot-keywords";
/** Name of the file that lists mailboxes subscribed to. */
export const SUBSCRIPTIONS = "subscriptions";

/** What the first line of `dovecot-uidlist` says. */
interface UidListHeader {
  readonly uidValidity: number;
  readonly uidNext: number;
  /** Lines have fields between the UID and the file name. */
  readonly hasFields: boolean;
}

/**
 * Reads version 3 or 1, in turns.
 *
 * @returns undefined for what is neither
 */
export async function parseUidList(text: string): Promise<UidList | undefined> {
  const lines = text.split("\n");
  const header = parseHeader(lines[0]);
  if (!header) return undefined;
  const { uidValidity, hasFields } = header;
  let { uidNext } = header;
  const entry = hasFields ? /^(\d+) (?:[^:]* )?:(.+)$/ : /^(\d+) (.+)$/;
  const uids = new Map<string, number>();
  const used = new Set<number>();
  const pace = new Pace();
  for (const line of lines.slice(1)) {
    if (pace.due()) await pace.turn();
    const [, digits, file] = entry.exec(line) ?? [];
    const uid = Number(digits);
    // A number twice would give two messages one UID: the first of them has it.
    if (file === undefined || !isUid(uid) || used.has(uid) || uids.has(baseOf(file))) continue;
    uids.set(baseOf(file), uid);
    used.add(uid);
    uidNext = Math.max(uidNext, uid + 1);
  }
  return { uidValidity, uidNext, uids };
}

/** The UIDVALIDITY in the first line of `dovecot-uidlist`, or undefined for what is none. */
export function parseUidValidity(header: string): number | undefined {
  return parseHeader(header)?.uidValidity;
}

function parseHeader(line: string): UidListHeader | undefined {
  const validity = /^3 (?:.* )?V(\d+)/.exec(line)?.[1] ?? /^1 (\d+) \d+$/.exec(line)?.[1];
  const next = Number(/^3 (?:.* )?N(\d+)/.exec(line)?.[1] ?? /^1 \d+ (\d+)$/.exec(line)?.[1]);
  const uidValidity = Number(validity);
  if (!isUid(uidValidity)) return undefined;
  return { uidValidity, uidNext: isUid(next) ? next : 1, hasFields: line.startsWith("3 ") };
}

function isUid(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value < 0xffff_ffff;
}

/** What a keyword can be written as. @see RFC 9051 §9 "flag-keyword" */
const ATOM = /^[!#$&'+-[^-z|}~]+$/;

/** Keywords by their number, 0 for the letter a. */
export function parseKeywords(text: string): string[] {
  const keywords: string[] = [];
  for (const line of text.split("\n")) {
    const [, number, word] = /^(\d{1,2}) (.+)$/.exec(line) ?? [];
    if (word !== undefined && ATOM.test(word) && Number(number) < 26) {
      keywords[Number(number)] = word;
    }
  }
  return keywords;
}

/** The keywords that the letters of a file name stand for. */
export function keywordsOf(letters: string, words: readonly string[]): string[] {
  return [...letters].flatMap((letter) =>
    /[a-z]/.test(letter) ? words[letter.charCodeAt(0) - 97] ?? [] : []
  );
}

/** Names of mailboxes, "/" between levels. @param separator between levels in lines of version 1 */
export function parseSubscriptions(text: string, separator: string): Set<string> {
  const lines = text.split("\n");
  const version2 = lines[0] === "V\t2";
  const names = version2 ? lines.slice(1) : lines;
  const between = version2 ? "\t" : separator;
  return new Set(
    names.filter((line) => line !== "").map((line) =>
      line.split(between).map((level) => mailboxName(level) ?? level).join("/")
    ).map((name) => name.toUpperCase() === "INBOX" ? "INBOX" : name),
  );
}

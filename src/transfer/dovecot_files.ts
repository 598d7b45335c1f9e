/** The files that Dovecot keeps in a Maildir. */

import { mailboxName } from "../wire/mailbox_name.ts";

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

/** The part of a message file's name that stays when flags change. */
export function baseOf(file: string): string {
  const info = file.indexOf(":2,");
  return info < 0 ? file : file.slice(0, info);
}

/** Reads version 3 or 1. @returns undefined for what is neither */
export function parseUidList(text: string): UidList | undefined {
  const [header, ...lines] = text.split("\n");
  const validity = /^3 .*?\bV(\d+)/.exec(header)?.[1] ?? /^1 (\d+) \d+$/.exec(header)?.[1];
  const next = /^3 .*?\bN(\d+)/.exec(header)?.[1] ?? /^1 \d+ (\d+)$/.exec(header)?.[1];
  if (validity === undefined || !isUid(Number(validity))) return undefined;
  const uids = new Map<string, number>();
  const used = new Set<number>();
  const version3 = header.startsWith("3 ");
  for (const line of lines) {
    const [, digits, file] = (version3 ? /^(\d+) (?:[^:]* )?:(.+)$/ : /^(\d+) (.+)$/).exec(line) ??
      [];
    const uid = Number(digits);
    // A number twice would give two messages one UID: the first of them has it.
    if (file === undefined || !isUid(uid) || used.has(uid) || uids.has(baseOf(file))) continue;
    uids.set(baseOf(file), uid);
    used.add(uid);
  }
  let uidNext = isUid(Number(next)) ? Number(next) : 1;
  for (const uid of used) uidNext = Math.max(uidNext, uid + 1);
  return { uidValidity: Number(validity), uidNext, uids };
}

function isUid(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value < 0xffff_ffff;
}

/** Keywords by their number, 0 for the letter a. */
export function parseKeywords(text: string): string[] {
  const keywords: string[] = [];
  for (const line of text.split("\n")) {
    const [, number, word] = /^(\d{1,2}) ([!-~]+)$/.exec(line) ?? [];
    if (word !== undefined && Number(number) < 26) keywords[Number(number)] = word;
  }
  return keywords;
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

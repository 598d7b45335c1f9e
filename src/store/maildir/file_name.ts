/**
 * Names of message files: `BASE:2,LETTERS`. The base never changes while the message stays in
 * its folder; the letters say its flags.
 *
 * @see https://cr.yp.to/proto/maildir.html
 */

import { FLAG } from "../store.ts";

/** Where {@link FileNames} gets what makes a name unique. */
export interface FileNameSource {
  /** Milliseconds since 1970; fractions count. */
  now(): number;
  readonly pid: number;
  /** Any text; what a file name cannot hold is escaped. */
  readonly host: string;
}

/** Makes names that no other delivery uses; one instance per process. */
export class FileNames {
  readonly #source: FileNameSource;
  readonly #host: string;
  #counter = 0;

  constructor(source: FileNameSource) {
    this.#source = source;
    this.#host = escapeHost(source.host);
  }

  /** `<seconds>.M<microseconds>P<pid>Q<counter>.<host>`, without an info part. */
  next(): string {
    const micros = Math.floor(this.#source.now() * 1000);
    const seconds = Math.floor(micros / 1e6);
    this.#counter++;
    const unique = `M${micros - seconds * 1e6}P${this.#source.pid}Q${this.#counter}`;
    return `${seconds}.${unique}.${this.#host}`;
  }
}

/** Leaves room in a file name for what other programs add to the base. */
const MAX_HOST = 100;

/** A comma would start the `,S=` fields of other servers; control characters would break their logs. */
function escapeHost(host: string): string {
  const escaped = host.replace(
    // deno-lint-ignore no-control-regex
    /[\x00-\x20/:,\\\x7f-\uffff]/g,
    (char) => "\\" + (char.charCodeAt(0) & 0xff).toString(8).padStart(3, "0"),
  ).slice(0, MAX_HOST);
  return escaped === "" ? "localhost" : escaped;
}

const INFO = ":2,";

const LETTERS: Readonly<Record<string, number>> = {
  D: FLAG.draft,
  F: FLAG.flagged,
  R: FLAG.answered,
  S: FLAG.seen,
  T: FLAG.deleted,
};

/** mbsync gives each message a number of its own by renaming its file. */
const MBSYNC_UID = /,U=\d+/;

/** The part of a file's name that stays when flags change, and when mbsync first sees the file. */
export function baseOf(file: string): string {
  const stem = stemOf(file);
  // Nearly none has it, and all names of a folder come by here.
  const uid = stem.includes(",U=") ? stem.search(MBSYNC_UID) : -1;
  return uid < 0 ? stem : stem.slice(0, uid);
}

/** All before the flags. */
function stemOf(file: string): string {
  const info = file.indexOf(INFO);
  return info < 0 ? file : file.slice(0, info);
}

/** {@link FLAG} bits of a file's name; letters without a system flag (P, a–z) count for nothing. */
export function flagBitsOf(file: string): number {
  let bits = 0;
  for (const letter of infoOf(file).letters) bits |= LETTERS[letter] ?? 0;
  return bits;
}

/**
 * The name that says these flags. Letters without a system flag, and what follows a "," after
 * the letters, stay as they are.
 *
 * @param bits of {@link FLAG}
 */
export function withFlags(file: string, bits: number): string {
  const { letters, tail } = infoOf(file);
  const kept = new Set([...letters].filter((letter) => LETTERS[letter] === undefined));
  for (const [letter, bit] of Object.entries(LETTERS)) if (bits & bit) kept.add(letter);
  return stemOf(file) + INFO + [...kept].sort().join("") + tail;
}

/**
 * The name without the letters a–z, by which other servers mean a keyword: another one in each
 * mailbox.
 */
export function withoutKeywords(file: string): string {
  const { letters, tail } = infoOf(file);
  const kept = letters.replace(/[a-z]/g, "");
  return kept === letters ? file : stemOf(file) + INFO + kept + tail;
}

/** The end of a name for another message: mbsync's number is that of one alone. */
export function withoutUid(info: string): string {
  return info.replace(MBSYNC_UID, "");
}

/** The letters in a file's name, of whatever meaning. */
export function lettersOf(file: string): string {
  return infoOf(file).letters;
}

function infoOf(file: string): { letters: string; tail: string } {
  const start = file.indexOf(INFO);
  if (start < 0) return { letters: "", tail: "" };
  const info = file.slice(start + INFO.length);
  const comma = info.indexOf(",");
  if (comma < 0) return { letters: info, tail: "" };
  return { letters: info.slice(0, comma), tail: info.slice(comma) };
}

/** When a message was delivered, by its name: seconds since 1970, or undefined for a name without. */
export function deliveryTimeOf(base: string): number | undefined {
  const digits = /^(\d{1,12})[._]/.exec(base)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Orders names by delivery: seconds, microseconds, then by code units. Names without a time come
 * first. A total order, for `sort`.
 */
export function compareDelivery(a: string, b: string): number {
  const seconds = (deliveryTimeOf(a) ?? -1) - (deliveryTimeOf(b) ?? -1);
  if (seconds !== 0) return seconds;
  const micros = microsOf(a) - microsOf(b);
  if (micros !== 0) return micros;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Other programs put the fields of the middle part in any order: `M123P5`, `V801I2M123`. */
function microsOf(base: string): number {
  const digits = /^\d{1,12}\.[^.:]*?M(\d{1,9})(?!\d)/.exec(base)?.[1];
  return digits === undefined ? -1 : Number(digits);
}

/** Mail in mbox files, of any size: mboxrd, mboxo, and mboxcl2 where Content-Length is true. */

import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { normalForm } from "../normal_form.ts";
import { FLAG, type FlagSet } from "../store/store.ts";
import {
  type Source,
  type SourceFailure,
  SourceFault,
  type SourceMailbox,
  type SourceMessage,
  usesByName,
} from "./source.ts";

const LF = 10;
const CHUNK = 256 * 1024;
/** Fields that belong to the mbox, not to the message. */
const OWN_FIELDS =
  /^(status|x-status|x-keywords|x-uid|x-imap|x-imapbase|x-mozilla-status2?|x-mozilla-keys|content-length):/i;

/** A line, or a piece of one that is longer than a chunk. */
interface Line {
  readonly start: number;
  readonly octets: Uint8Array;
  /** It begins a line. */
  readonly begins: boolean;
}

interface Found {
  /** Where the header begins, after the line `From `. */
  readonly start: number;
  end: number;
  readonly date: number | undefined;
  readonly fields: Map<string, string>;
  readonly hash: Hash;
  /** Where the text ends by Content-Length, if it does. */
  lengthEnd?: number;
  header: boolean;
  ownField: boolean;
}

/** Reads files, each of which is a mailbox, and folders of them. */
export class MboxSource implements Source {
  readonly #paths: readonly string[];
  readonly #into: string | undefined;
  readonly #faults: SourceFailure[] = [];

  /** @param into the mailbox for all messages, in place of one named after each file */
  constructor(paths: readonly string[], into?: string) {
    this.#paths = paths;
    this.#into = into;
  }

  get faults(): readonly SourceFailure[] {
    return this.#faults;
  }

  async *mailboxes(): AsyncGenerator<SourceMailbox, void> {
    // All of them before any mail is read.
    const infos = await Promise.all(this.#paths.map(lookedAt));
    for (const [i, path] of this.#paths.entries()) {
      if (infos[i].isDirectory) yield* this.#folder(path, "");
      else yield this.#mailbox(path, nameOf(basename(path)));
    }
  }

  async *#folder(path: string, parent: string): AsyncGenerator<SourceMailbox, void> {
    const entries = await Array.fromAsync(Deno.readDir(path));
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const place = `${path}/${entry.name}`;
      // Thunderbird keeps children of NAME in NAME.sbd, and indexes beside them.
      const own = nameOf(entry.name.replace(/\.sbd$/, ""));
      const name = parent === "" ? own : `${parent}/${own}`;
      if (entry.name.startsWith(".") || entry.name.endsWith(".msf")) continue;
      if (entry.isDirectory) yield* this.#folder(place, name);
      else if (!entry.isFile) this.#faults.push({ place, reason: "It is no regular file" });
      else if (await isMbox(place)) yield this.#mailbox(place, name);
      else this.#faults.push({ place, reason: "It is no mbox: it does not begin with From" });
    }
  }

  #mailbox(path: string, ownName: string): SourceMailbox {
    const name = this.#into ?? ownName;
    return {
      name,
      specialUse: usesByName(name),
      subscribed: true,
      messages: () => messagesOf(path),
    };
  }
}

function nameOf(file: string): string {
  const name = normalForm(file.replace(/\.(mbox|mbx)$/i, ""), "NFC");
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

/** @throws {SourceFault} when it is neither a folder nor an mbox */
async function lookedAt(path: string): Promise<Deno.FileInfo> {
  const info = await Deno.stat(path).catch((error) => {
    throw new SourceFault(`Cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (!info.isDirectory && !info.isFile) {
    throw new SourceFault(`Expected a file or a folder at ${path}, got something else`);
  }
  if (info.isFile && !await isMbox(path)) throw noMbox(path);
  return info;
}

function noMbox(path: string): SourceFault {
  return new SourceFault(`Expected an mbox at ${path}, got a file that begins otherwise`);
}

async function isMbox(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    for await (const { octets } of linesOf(file, 0)) return isFromLine(octets);
    return true;
  } catch {
    // Told of when it is read.
    return true;
  }
}

async function* messagesOf(path: string): AsyncGenerator<SourceMessage, void> {
  const times = new Map<string, number>();
  for await (const found of scan(path)) {
    if (/FOLDER INTERNAL DATA/.test(found.fields.get("subject") ?? "")) continue;
    const digest = found.hash.digest("hex");
    const time = (times.get(digest) ?? 0) + 1;
    times.set(digest, time);
    yield {
      // The same message twice in a mailbox stays two.
      key: `mbox ${digest} ${time}`,
      flags: flagsOf(found.fields),
      date: found.date === undefined ? undefined : { seconds: found.date, zone: 0 },
      octets: () => textOf(path, found),
    };
  }
}

async function* scan(path: string): AsyncGenerator<Found, void> {
  using file = await Deno.open(path).catch((error) => {
    throw new SourceFault(`Cannot read ${path}: ${error.message}`, { cause: error });
  });
  let found: Found | undefined;
  let afterBlank = true;
  let blankStart = 0;
  let end = 0;
  for await (const { start, octets, begins } of linesOf(file, 0)) {
    end = start + octets.length;
    if (begins && afterBlank && isFromLine(octets) && start >= (found?.lengthEnd ?? 0)) {
      if (found !== undefined) yield ended(found, blankStart);
      found = begun(end, octets);
      afterBlank = false;
      continue;
    }
    if (found === undefined) {
      if (start === 0) {
        throw noMbox(path);
      }
      continue;
    }
    afterBlank = begins && isBlank(octets);
    if (afterBlank) blankStart = start;
    if (found.header) await header(file, found, octets, begins, end);
    else found.hash.update(octets);
  }
  if (found !== undefined) yield ended(found, afterBlank ? blankStart : end);
}

function begun(start: number, fromLine: Uint8Array): Found {
  return {
    start,
    end: start,
    date: dateOf(latin1(fromLine)),
    fields: new Map(),
    hash: createHash("sha256"),
    header: true,
    ownField: false,
  };
}

/** Where nothing but the header is there, the blank line belongs to it. */
function ended(found: Found, end: number): Found {
  found.end = Math.max(found.start, found.lengthEnd ?? end);
  return found;
}

async function header(
  file: Deno.FsFile,
  found: Found,
  octets: Uint8Array,
  begins: boolean,
  end: number,
): Promise<void> {
  if (begins && isBlank(octets)) {
    found.header = false;
    found.lengthEnd = await trueLength(file, found, end);
  } else if (begins && octets[0] !== 32 && octets[0] !== 9) {
    const text = latin1(octets.subarray(0, 1000));
    const colon = text.indexOf(":");
    if (colon > 0) found.fields.set(text.slice(0, colon).toLowerCase(), text.slice(colon + 1));
    found.ownField = OWN_FIELDS.test(text);
  }
  if (!found.ownField || !found.header) found.hash.update(octets);
}

/** The end of the text by Content-Length, if a message or the end of the file follows there. */
async function trueLength(
  file: Deno.FsFile,
  { fields }: Found,
  start: number,
): Promise<number | undefined> {
  const digits = /^\s*(\d{1,12})\s*$/.exec(fields.get("content-length") ?? "")?.[1];
  if (digits === undefined) return undefined;
  const end = start + Number(digits);
  const place = await file.seek(0, Deno.SeekMode.Current);
  try {
    const { size } = await file.stat();
    if (end === size) return end;
    await file.seek(end, Deno.SeekMode.Start);
    const next = new Uint8Array(8);
    const count = await file.read(next) ?? 0;
    return /^\r?\n(From |$)/.test(latin1(next.subarray(0, count))) ? end : undefined;
  } finally {
    await file.seek(place, Deno.SeekMode.Start);
  }
}

/** The message without the fields of the mbox, its lines `>From ` as they were. */
async function* textOf(path: string, found: Found): AsyncGenerator<Uint8Array, void> {
  using file = await Deno.open(path);
  await file.seek(found.start, Deno.SeekMode.Start);
  let inHeader = true;
  let own = false;
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const { start, octets, begins } of linesOf(file, found.start)) {
    if (start >= found.end) break;
    let line = octets.subarray(0, found.end - start);
    if (inHeader && begins) {
      if (isBlank(line)) inHeader = own = false;
      else if (line[0] !== 32 && line[0] !== 9) {
        own = OWN_FIELDS.test(latin1(line.subarray(0, 64)));
      }
    }
    if (own) continue;
    if (begins && found.lengthEnd === undefined && isQuotedFrom(line)) line = line.subarray(1);
    pieces.push(line);
    size += line.length;
    if (size < CHUNK) continue;
    yield joined(pieces, size);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield joined(pieces, size);
}

async function* linesOf(file: Deno.FsFile, from: number): AsyncGenerator<Line, void> {
  let rest = new Uint8Array(0);
  let start = from;
  let begins = true;
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const count = await file.read(chunk);
    if (count === null) break;
    const octets = joined([rest, chunk.subarray(0, count)], rest.length + count);
    let at = 0;
    for (let lf = octets.indexOf(LF); lf >= 0; lf = octets.indexOf(LF, at)) {
      yield { start: start + at, octets: octets.subarray(at, lf + 1), begins };
      begins = true;
      at = lf + 1;
    }
    rest = octets.subarray(at);
    start += at;
    if (rest.length < CHUNK) continue;
    yield { start, octets: rest, begins };
    begins = false;
    start += rest.length;
    rest = new Uint8Array(0);
  }
  if (rest.length > 0) yield { start, octets: rest, begins };
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function isBlank(line: Uint8Array): boolean {
  return line[0] === LF || line[0] === 13 && line[1] === LF;
}

/** `From SENDER DAY MON D HH:MM:SS YEAR`; a sentence that begins so has no time. */
function isFromLine(line: Uint8Array): boolean {
  if (line[0] !== 70 || line[1] !== 114 || line[4] !== 32) return false;
  return /^From .*\d{1,2}:\d\d/.test(latin1(line.subarray(0, 500))) ||
    /^From (-|\S+@\S+)?\s*$/.test(latin1(line.subarray(0, 500)));
}

function isQuotedFrom(line: Uint8Array): boolean {
  return line[0] === 62 && /^>+From /.test(latin1(line.subarray(0, 200)));
}

function latin1(octets: Uint8Array): string {
  return String.fromCharCode(...octets.subarray(0, 1000));
}

/** Seconds since 1970; without a zone it is UTC. */
function dateOf(fromLine: string): number | undefined {
  const [, month, day, time, zone, year] =
    /([A-Z][a-z]{2}) +(\d{1,2}) (\d{1,2}:\d\d(?::\d\d)?)((?: [+-]\d{4}| [A-Z]{3,4})?) (\d{4})/
      .exec(fromLine) ?? [];
  if (year === undefined) return undefined;
  const named = /[+-]/.test(zone) ? zone : " UTC";
  const ms = Date.parse(`${day} ${month} ${year} ${time}${named}`);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}

function flagsOf(fields: ReadonlyMap<string, string>): FlagSet {
  const letters = `${fields.get("status") ?? ""}${fields.get("x-status") ?? ""}`;
  let system = 0;
  const LETTERS = [["R", FLAG.seen], ["A", FLAG.answered], ["F", FLAG.flagged], [
    "T",
    FLAG.draft,
  ], ["D", FLAG.deleted]] as const;
  for (const [letter, bit] of LETTERS) if (letters.includes(letter)) system |= bit;
  const mozilla = parseInt(fields.get("x-mozilla-status")?.trim() ?? "0", 16) || 0;
  if (mozilla & 1) system |= FLAG.seen;
  if (mozilla & 2) system |= FLAG.answered;
  if (mozilla & 4) system |= FLAG.flagged;
  if (mozilla & 8) system |= FLAG.deleted;
  const words = `${fields.get("x-keywords") ?? ""} ${fields.get("x-mozilla-keys") ?? ""}`;
  const keywords = words.split(/[\s,]+/).filter((word) =>
    /^[!#$&'+\-.0-9:;<=>?@A-Z^_`a-z|~]+$/.test(word)
  );
  return { system, keywords: [...new Set(keywords)] };
}

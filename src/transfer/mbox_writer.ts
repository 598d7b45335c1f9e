/** Writes mboxrd: a file for each mailbox. */

import { FLAG } from "../store/store.ts";
import type { MailboxItem, MessageItem } from "../admin/transfer_items.ts";
import { newFolder, syncFolder, writeAll } from "./new_folder.ts";
import type { Writer } from "./writer.ts";

const LF = 10;
const CR = 13;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Writes into a folder that is new or empty. */
export class MboxWriter implements Writer {
  readonly #root: string;
  readonly #names = new Set<string>();
  #file: Deno.FsFile | undefined;
  #item: MessageItem | undefined;
  #pieces: Uint8Array[] = [];

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws {SourceFault} when `root` has something in it */
  static async create(root: string): Promise<MboxWriter> {
    await newFolder(root);
    return new MboxWriter(root);
  }

  async mailbox({ name }: MailboxItem): Promise<void> {
    await this.#endFile();
    const path = `${this.#root}/${this.#fileName(name)}`;
    this.#file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  }

  message(item: MessageItem): Promise<void> {
    this.#item = item;
    this.#pieces = [];
    return Promise.resolve();
  }

  write(octets: Uint8Array): Promise<void> {
    this.#pieces.push(octets.slice());
    return Promise.resolve();
  }

  async complete(): Promise<void> {
    if (this.#file === undefined || this.#item === undefined) {
      throw new Error("End before a message");
    }
    const text = quoted(withoutCr(this.#pieces));
    const head = new TextEncoder().encode(fromLine(this.#item) + statusFields(this.#item));
    await writeAll(this.#file, head);
    await writeAll(this.#file, text);
    await writeAll(this.#file, new TextEncoder().encode(text.at(-1) === LF ? "\n" : "\n\n"));
    await this.forget();
  }

  forget(): Promise<void> {
    this.#item = undefined;
    this.#pieces = [];
    return Promise.resolve();
  }

  async end(): Promise<void> {
    await this.#endFile();
    await syncFolder(this.#root);
  }

  async #endFile(): Promise<void> {
    await this.#file?.sync();
    this.#file?.close();
    this.#file = undefined;
  }

  /** What no file can be called is written as %XX; names differ without regard to case, too. */
  #fileName(name: string): string {
    const safe = name.replace(/[^\p{L}\p{N} ._@+-]|^\./gu, (char) => encodeURIComponent(char));
    const short = [...safe].slice(0, 50).join("");
    let file = `${short}.mbox`;
    for (let n = 2; this.#names.has(file.toLowerCase()); n++) file = `${short} (${n}).mbox`;
    this.#names.add(file.toLowerCase());
    return file;
  }
}

function fromLine({ date }: MessageItem): string {
  const when = new Date((date?.seconds ?? 0) * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [when.getUTCHours(), when.getUTCMinutes(), when.getUTCSeconds()].map(two).join(":");
  const day = String(when.getUTCDate()).padStart(2, " ");
  return `From MAILER-DAEMON ${DAYS[when.getUTCDay()]} ${MONTHS[when.getUTCMonth()]} ${day} ` +
    `${time} ${when.getUTCFullYear()}\n`;
}

function statusFields({ flags: { system, keywords } }: MessageItem): string {
  const letters = ([["A", FLAG.answered], ["F", FLAG.flagged], ["T", FLAG.draft], [
    "D",
    FLAG.deleted,
  ]] as const).filter(([, bit]) => system & bit).map(([letter]) => letter).join("");
  return `Status: ${system & FLAG.seen ? "RO" : "O"}\n` +
    (letters === "" ? "" : `X-Status: ${letters}\n`) +
    (keywords.length === 0 ? "" : `X-Keywords: ${keywords.join(" ")}\n`);
}

/** CRLF becomes LF; other CR stay. */
function withoutCr(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let to = 0;
  for (const piece of pieces) {
    for (const octet of piece) {
      if (octet === LF && to > 0 && all[to - 1] === CR) to--;
      all[to++] = octet;
    }
  }
  return all.subarray(0, to);
}

/** `From ` at the start of a line, however often quoted, gets one more ">". */
function quoted(text: Uint8Array): Uint8Array {
  const starts: number[] = [];
  for (let at = 0; at < text.length;) {
    let letter = at;
    while (text[letter] === 62) letter++;
    if (
      text[letter] === 70 && text[letter + 1] === 114 && text[letter + 2] === 111 &&
      text[letter + 3] === 109 && text[letter + 4] === 32
    ) starts.push(at);
    const lf = text.indexOf(LF, at);
    at = lf < 0 ? text.length : lf + 1;
  }
  if (starts.length === 0) return text;
  const all = new Uint8Array(text.length + starts.length);
  let from = 0;
  let to = 0;
  for (const start of [...starts, text.length]) {
    all.set(text.subarray(from, start), to);
    to += start - from;
    if (start < text.length) all[to++] = 62;
    from = start;
  }
  return all;
}

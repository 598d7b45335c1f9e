/** Takes out of a message's header what a delivery replaces; pure. */

const LF = 10;
const SPACE = 32;
const TAB = 9;
/** Longest beginning of a line that has to be known. */
const LONGEST_NAME = "Return-Path:".length + 1;
/** Octets of a Message-ID that are kept for the log. */
const LONGEST_ID = 250;

/** Which lines on top of a message are no part of its header. */
export interface HeaderFilterOptions {
  /** Drop a first line `From SENDER DATE`, as it stands in mbox files. */
  readonly dropMboxLine: boolean;
  /** Drop all Return-Path fields: RFC 5321 §4.4 has just one, which the last delivery makes. */
  readonly dropReturnPath: boolean;
}

/** Works on a message in whatever pieces it comes. */
export class HeaderFilter {
  readonly #options: HeaderFilterOptions;
  #inHeader = true;
  #first = true;
  /** The next octet begins a line. */
  #atStart = true;
  #dropping = false;
  #inMessageId = false;
  #messageId = "";
  #carry: Uint8Array = new Uint8Array(0);

  constructor(options: HeaderFilterOptions) {
    this.#options = options;
  }

  /** What is in `<>` in the field Message-ID, as far as it has come. */
  get messageId(): string | undefined {
    return /<([^<>\s]+)>/.exec(this.#messageId)?.[1];
  }

  /** What stays of a piece; some octets may come only with the next one. */
  push(piece: Uint8Array): Uint8Array {
    if (!this.#inHeader) return piece;
    return this.#filter(this.#carry.length === 0 ? piece : joined([this.#carry, piece]), false);
  }

  /** What is left at the end of the message. */
  end(): Uint8Array {
    return this.#inHeader ? this.#filter(this.#carry, true) : new Uint8Array(0);
  }

  #filter(bytes: Uint8Array, last: boolean): Uint8Array {
    this.#carry = new Uint8Array(0);
    const kept: Uint8Array[] = [];
    let from = 0;
    let at = 0;
    while (this.#inHeader && at < bytes.length) {
      const lf = bytes.indexOf(LF, at);
      const end = lf < 0 ? bytes.length : lf + 1;
      if (this.#atStart) {
        if (lf < 0 && bytes.length - at < LONGEST_NAME && !last) {
          this.#carry = bytes.slice(at);
          break;
        }
        const dropped = this.#dropping;
        this.#judge(bytes, at, end);
        if (this.#dropping && !dropped) kept.push(bytes.subarray(from, at));
        if (this.#dropping !== dropped) from = at;
      }
      if (this.#inMessageId) this.#collect(bytes.subarray(at, end));
      this.#atStart = lf >= 0;
      at = end;
    }
    const until = this.#inHeader ? at : bytes.length;
    if (!this.#dropping) kept.push(bytes.subarray(from, until));
    return kept.length === 1 ? kept[0] : joined(kept);
  }

  /** Decides on a line. A header may have millions of them: nothing is made of one. */
  #judge(bytes: Uint8Array, at: number, end: number): void {
    const begins = (text: string) => beginsWith(bytes, at, end, text);
    const first = this.#first;
    this.#first = false;
    if (first && this.#options.dropMboxLine && begins("from ")) {
      this.#dropping = true;
      return;
    }
    if (!first && (bytes[at] === SPACE || bytes[at] === TAB)) return;
    this.#dropping = this.#options.dropReturnPath && begins("return-path:");
    this.#inMessageId = begins("message-id:");
    if (begins("\n") || begins("\r\n")) this.#inHeader = false;
  }

  #collect(line: Uint8Array): void {
    const room = LONGEST_ID - this.#messageId.length;
    if (room > 0) this.#messageId += String.fromCharCode(...line.subarray(0, room));
  }
}

/** @param text in small letters, which stand for capitals too */
function beginsWith(bytes: Uint8Array, at: number, end: number, text: string): boolean {
  if (end - at < text.length) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[at + i];
    const isCapital = byte >= 65 && byte <= 90;
    if ((isCapital ? byte + 32 : byte) !== text.charCodeAt(i)) return false;
  }
  return true;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Takes out of a message's header what a delivery replaces; pure. */

const LF = 10;
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
        this.#judge(bytes.subarray(at, Math.min(end, at + LONGEST_NAME)));
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

  /** Decides on a line by its beginning. */
  #judge(beginning: Uint8Array): void {
    const text = String.fromCharCode(...beginning).toLowerCase();
    const first = this.#first;
    this.#first = false;
    if (first && this.#options.dropMboxLine && text.startsWith("from ")) {
      this.#dropping = true;
      return;
    }
    if (!first && /^[ \t]/.test(text)) return;
    this.#dropping = this.#options.dropReturnPath && text.startsWith("return-path:");
    this.#inMessageId = text.startsWith("message-id:");
    if (/^\r?\n/.test(text)) this.#inHeader = false;
  }

  #collect(line: Uint8Array): void {
    const room = LONGEST_ID - this.#messageId.length;
    if (room > 0) this.#messageId += String.fromCharCode(...line.subarray(0, room));
  }
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

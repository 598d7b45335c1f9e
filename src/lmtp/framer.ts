/** Cuts what a client sends into command lines and the text of messages; pure. */

import { ByteQueue } from "../wire/byte_queue.ts";

const CR = 13;
const LF = 10;
const DOT = 46;

/** A client that does not keep to the protocol's lines; what follows cannot be made sense of. */
export class FramingFault extends Error {
  override name = "FramingFault";
}

/** A piece of a message, its stuffed dots removed; views of it are not kept by the framer. */
export interface Content {
  readonly bytes: Uint8Array;
  /** The message is complete: the line with nothing but a dot has come. */
  readonly end: boolean;
}

/**
 * Lines end in CRLF and in nothing else: a message ends by CRLF "." CRLF alone, and a bare CR or LF
 * in it is text. Otherwise a message could be made of another one's text.
 *
 * @see RFC 5321 §2.3.8, §4.1.1.4, §4.5.2
 */
export class LmtpFramer {
  readonly #queue = new ByteQueue();
  readonly #longest: number;
  /** Octets of the queue that are known to have no LF. */
  #searched = 0;
  /** The last two octets of the message; CRLF before its first one. */
  #last = [CR, LF];

  /** @param longest octets of a command line, its CRLF not counted */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Octets that wait to be taken. */
  get buffered(): number {
    return this.#queue.length;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** The next command line without its CRLF; undefined until it is whole. @throws {FramingFault} */
  line(): Uint8Array | undefined {
    const end = this.#queue.indexOf(LF, this.#searched);
    if (end < 0) this.#searched = this.#queue.length;
    // The CR may have come without its LF.
    if ((end < 0 ? this.#queue.length : end) - 1 > this.#longest) {
      throw new FramingFault(`Expected a line of at most ${this.#longest} octets`);
    }
    if (end < 0) return undefined;
    this.#searched = 0;
    const line = this.#queue.take(end + 1);
    if (line[end - 1] !== CR) throw new FramingFault("Expected a line that ends in CRLF");
    return line.subarray(0, end - 1);
  }

  /** What comes next is a message. */
  startContent(): void {
    this.#last = [CR, LF];
  }

  /** The next piece of the message; undefined until more comes. */
  content(): Content | undefined {
    this.#searched = 0;
    const bytes = this.#queue.peek(this.#queue.length);
    const unstuffed = new Unstuffed(bytes);
    let from = 0;
    for (let dot = nextDot(bytes, 0); dot >= 0; dot = nextDot(bytes, dot + 1)) {
      if (!this.#isLineStart(bytes, dot)) continue;
      const undecided = bytes.length - dot < 3 &&
        (bytes.length === dot + 1 || bytes[dot + 1] === CR);
      if (undecided) return this.#taken(unstuffed, from, dot);
      const end = bytes[dot + 1] === CR && bytes[dot + 2] === LF;
      unstuffed.add(from, dot);
      from = dot + 1;
      if (!end) continue;
      this.#queue.take(dot + 3);
      return { bytes: unstuffed.bytes, end };
    }
    if (bytes.length === 0) return undefined;
    return this.#taken(unstuffed, from, bytes.length);
  }

  /** Takes all up to `end`, of which what is before `from` has been looked at. */
  #taken(unstuffed: Unstuffed, from: number, end: number): Content | undefined {
    unstuffed.add(from, end);
    const taken = this.#queue.take(end);
    if (taken.length === 0) return undefined;
    for (const byte of taken.subarray(-2)) this.#last = [this.#last[1], byte];
    return { bytes: unstuffed.bytes, end: false };
  }

  #isLineStart(bytes: Uint8Array, at: number): boolean {
    const before = at > 0 ? bytes[at - 1] : this.#last[1];
    const beforeThat = at > 1 ? bytes[at - 2] : this.#last[at];
    return before === LF && beforeThat === CR;
  }
}

/** Octets that are gone through one by one: fewer than a call into the engine would be worth. */
const NEAR = 64;

/** The next dot from `from` on; -1 if there is none. */
function nextDot(bytes: Uint8Array, from: number): number {
  const near = Math.min(from + NEAR, bytes.length);
  for (let at = from; at < near; at++) if (bytes[at] === DOT) return at;
  return bytes.indexOf(DOT, near);
}

/** A copy of ranges of bytes, which is only made where there is more than one range. */
class Unstuffed {
  readonly #source: Uint8Array;
  #copy: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  add(from: number, to: number): void {
    if (from === to) return;
    if (this.#copy === undefined && this.#end === this.#start) {
      this.#start = from;
      this.#end = to;
      return;
    }
    if (this.#copy === undefined) {
      this.#copy = new Uint8Array(this.#source.length);
      this.#copy.set(this.#source.subarray(this.#start, this.#end));
      this.#end -= this.#start;
      this.#start = 0;
    }
    // A message may have a stuffed dot in every line, and short lines.
    if (to - from > NEAR) this.#copy.set(this.#source.subarray(from, to), this.#end);
    else for (let i = from; i < to; i++) this.#copy[this.#end + i - from] = this.#source[i];
    this.#end += to - from;
  }

  get bytes(): Uint8Array {
    return (this.#copy ?? this.#source).subarray(this.#start, this.#end);
  }
}

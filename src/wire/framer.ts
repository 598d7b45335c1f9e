/** Cuts the bytes of a client into commands. @see RFC 9051 §2.2.1, §4.3, RFC 7888 */

import { ByteQueue } from "./byte_queue.ts";
import { latin1 } from "./bytes.ts";
import type { Literal } from "./scanner.ts";

/** Bounds of one command, in octets. */
export interface FramerLimits {
  /** All of a command's text, without its literals. */
  readonly line: number;
  /** The sum of the literals of one command that are held in memory. */
  readonly literals: number;
}

/** Why a command was lost. */
export type FrameFaultReason = "line-too-long" | "literals-too-long" | "bad-literal";

/** What `Framer.next` gives. */
export type FrameEvent =
  /** A whole command, without its last CRLF, as `Scanner` wants it. */
  | { readonly type: "command"; readonly text: string; readonly literals: Literal[] }
  /**
   * The command goes on with a literal; nothing more comes before `accept`, `stream` or
   * `discard` was called. `text` ends before the announcement.
   */
  | {
    readonly type: "literal";
    readonly text: string;
    readonly literals: Literal[];
    readonly size: number;
    /** The client waits for "+" before it sends the bytes. */
    readonly synchronizing: boolean;
  }
  /** Bytes of a streamed literal, a view on what was pushed; an empty literal has one empty chunk. */
  | {
    readonly type: "chunk";
    readonly message: unknown;
    readonly bytes: Uint8Array;
    readonly last: boolean;
  }
  /** A command that is lost; `text` is its first part, in which its tag may be found. */
  | { readonly type: "fault"; readonly reason: FrameFaultReason; readonly text: string };

/** A line for {@link Framer.line} that is longer than the limit; the line is gone. */
export class LineTooLong extends Error {
  readonly reason = "line-too-long";

  constructor(limit: number) {
    super(`Expected a line of at most ${limit} octets: got a longer one`);
    this.name = "LineTooLong";
  }
}

/** `{n}` or `{n+}` at the end of a line. */
interface Announcement {
  readonly size: number;
  readonly synchronizing: boolean;
  /** As it was written. */
  readonly text: string;
}

type State =
  /** Reading the text of a command, or of its next part after a literal. */
  | { readonly name: "text" }
  /** Waiting for a verdict on a literal. */
  | { readonly name: "announced"; readonly announcement: Announcement }
  | { readonly name: "buffering"; readonly size: number }
  | { readonly name: "streaming"; readonly size: number; left: number; readonly message: unknown }
  /** Dropping what still comes of a lost command: `left` octets of a literal, then its text. */
  | { readonly name: "dropping"; left: number; fault?: FrameEvent };

/** A step of the machine: an event, or a change of state only, or undefined: more bytes needed. */
type Step = FrameEvent | "again" | undefined;

const LF = 0x0a, CR = 0x0d, OPEN = 0x7b, CLOSE = 0x7d, PLUS = 0x2b, ZERO = 0x30, NINE = 0x39;
const MAX_DIGITS = 10;
const MAX_LITERAL = 4294967295;
const MAX_LITERALS = 1000;
/** Enough of a lost command to find its tag. */
const FAULT_TEXT = 1024;
/** As much of a dropped line's end as an announcement needs. */
const TAIL = 64;

/**
 * A push parser: give it bytes with {@link push}, then take events from {@link next} until that
 * answers undefined. It holds at most one line, the literals it was told to keep, and what was
 * pushed but not asked for yet. It keeps the arrays it is given, so they must not change
 * afterwards.
 */
export class Framer {
  #longestLine: number;
  #mostLiterals: number;
  readonly #queue = new ByteQueue();
  #state: State = { name: "text" };
  #fault: FrameEvent | undefined;
  #text = "";
  #literals: Literal[] = [];
  #literalOctets = 0;
  /** How far the queue is known to hold no LF. */
  #searched = 0;
  /** {@link line} is dropping a line that is too long. */
  #droppingLine = false;

  constructor(limits: FramerLimits) {
    this.#longestLine = limits.line;
    this.#mostLiterals = limits.literals;
  }

  /** From the next command on. */
  limit({ line, literals }: FramerLimits): void {
    this.#longestLine = line;
    this.#mostLiterals = literals;
  }

  /** A command has begun, or a line, whose end has not come. */
  get midway(): boolean {
    return this.#state.name !== "text" || this.#text !== "" || this.#droppingLine ||
      this.buffered > 0;
  }

  /** Octets that were pushed and not consumed yet. */
  get buffered(): number {
    return this.#queue.length;
  }

  /** Octets of the literals of the command that is being read. */
  get literalOctets(): number {
    return this.#literalOctets;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** Takes all that was not consumed yet, for another layer to read (after COMPRESS). */
  takeRest(): Uint8Array {
    this.#searched = 0;
    return this.#queue.take(this.#queue.length);
  }

  /** The next event; undefined when more bytes are needed, or a verdict on a literal. */
  next(): FrameEvent | undefined {
    for (;;) {
      const fault = this.#fault;
      if (fault !== undefined) {
        this.#fault = undefined;
        return fault;
      }
      const step = this.#step(this.#state);
      if (step !== "again") return step;
    }
  }

  /**
   * Keeps the announced literal in memory.
   *
   * @returns false if that would pass the limit: the command is lost, and a fault comes next
   */
  accept(): boolean {
    const announcement = this.#announced();
    const octets = this.#literalOctets + announcement.size;
    if (octets > this.#mostLiterals || this.#literals.length >= MAX_LITERALS) {
      this.#lose("literals-too-long", this.#text, announcement);
      return false;
    }
    this.#literalOctets = octets;
    this.#text += `${announcement.text}\r\n`;
    this.#state = { name: "buffering", size: announcement.size };
    return true;
  }

  /** Lets the announced literal come as "chunk" events that carry `message`. */
  stream(message: unknown): void {
    const { size, text } = this.#announced();
    this.#text += `${text}\r\n`;
    this.#state = { name: "streaming", size, left: size, message };
  }

  /** Forgets the command, with all that the client sends of it without being asked. */
  discard(): void {
    this.#dropAfter(this.#announced());
  }

  /**
   * Takes one line between two commands, whatever it holds: the answer to a "+" of AUTHENTICATE,
   * or DONE. Without its line end; undefined until all of it is there.
   *
   * @throws {LineTooLong} once the whole line has been dropped
   */
  line(): string | undefined {
    const limit = this.#longestLine;
    const end = this.#endOfLine();
    if (end < 0) {
      if (this.#queue.length > limit + 1) this.#droppingLine = true;
      if (this.#droppingLine) this.takeRest();
      return undefined;
    }
    const line = this.#takeLine(end);
    const tooLong = this.#droppingLine || line.length > limit;
    this.#droppingLine = false;
    if (tooLong) throw new LineTooLong(limit);
    return latin1(line);
  }

  #step(state: State): Step {
    switch (state.name) {
      case "text":
        return this.#readText();
      case "announced":
        return undefined;
      case "buffering":
        return this.#readLiteral(state.size);
      case "streaming":
        return this.#readChunk(state);
      case "dropping":
        return this.#drop(state);
    }
  }

  #readText(): Step {
    const limit = this.#longestLine - this.#text.length;
    const end = this.#endOfLine();
    if ((end < 0 ? this.#queue.length : end) > limit + 1) return this.#loseLongText();
    if (end < 0) return undefined;
    const line = this.#takeLine(end);
    const announcement = announcementAt(line);
    const text = this.#text +
      latin1(line.subarray(0, line.length - (announcement?.text.length ?? 0)));
    if (announcement !== undefined) return this.#readAnnouncement(text, announcement);
    const literals = this.#literals;
    this.#forget();
    return { type: "command", text, literals };
  }

  #readAnnouncement(text: string, announcement: Announcement): Step {
    const { size, synchronizing } = announcement;
    if (size > MAX_LITERAL) {
      this.#lose("bad-literal", text, announcement);
      return "again";
    }
    this.#text = text;
    this.#state = { name: "announced", announcement };
    return { type: "literal", text, literals: this.#literals, size, synchronizing };
  }

  #readLiteral(size: number): Step {
    if (this.#queue.length < size) return undefined;
    // A copy, or else the array it came in would be kept as long as the literal.
    this.#literals.push(this.#queue.take(size).slice());
    this.#searched = 0;
    this.#state = { name: "text" };
    return "again";
  }

  #readChunk(state: State & { readonly name: "streaming" }): Step {
    const { size, message } = state;
    if (this.#queue.length === 0 && state.left > 0) return undefined;
    const bytes = this.#queue.take(state.left);
    this.#searched = 0;
    state.left -= bytes.length;
    const last = state.left === 0;
    if (last) {
      this.#literals.push({ streamed: true, size, message });
      this.#state = { name: "text" };
    }
    return { type: "chunk", message, bytes, last };
  }

  #drop(state: State & { readonly name: "dropping" }): Step {
    const queue = this.#queue;
    if (state.left > 0) {
      this.#searched = 0;
      state.left -= queue.take(state.left).length;
      if (state.left > 0) return undefined;
    }
    const end = this.#endOfLine();
    if (end < 0) {
      queue.take(Math.max(0, queue.length - TAIL));
      this.#searched = queue.length;
      return undefined;
    }
    this.#fault = state.fault;
    this.#dropAfter(announcementAt(this.#takeLine(end)));
    return "again";
  }

  /** Gives up a command whose text is above the limit; its fault comes at the end of its line. */
  #loseLongText(): Step {
    const text = (this.#text + latin1(this.#queue.peek(FAULT_TEXT))).slice(0, FAULT_TEXT);
    this.#forget();
    this.#state = {
      name: "dropping",
      left: 0,
      fault: { type: "fault", reason: "line-too-long", text },
    };
    return "again";
  }

  #lose(reason: FrameFaultReason, text: string, announcement: Announcement): void {
    this.#fault = { type: "fault", reason, text: text.slice(0, FAULT_TEXT) };
    this.#dropAfter(announcement);
  }

  /** Forgets the command; if a literal follows that the client sends unasked, drops that too. */
  #dropAfter(announcement: Announcement | undefined): void {
    this.#forget();
    this.#state = announcement === undefined || announcement.synchronizing
      ? { name: "text" }
      : { name: "dropping", left: announcement.size };
  }

  #forget(): void {
    this.#text = "";
    this.#literals = [];
    this.#literalOctets = 0;
  }

  #announced(): Announcement {
    if (this.#state.name !== "announced") throw new Error("Expected a literal to decide on");
    return this.#state.announcement;
  }

  #endOfLine(): number {
    const end = this.#queue.indexOf(LF, this.#searched);
    this.#searched = end < 0 ? this.#queue.length : end;
    return end;
  }

  /** Removes the line that ends in the LF at `end`, and gives it without CR and LF. */
  #takeLine(end: number): Uint8Array {
    const line = this.#queue.take(end + 1);
    this.#searched = 0;
    return line.subarray(0, line[end - 1] === CR ? end - 1 : end);
  }
}

/**
 * The announcement of a literal at the end of a line, if there is one.
 *
 * literal = "{" number ["+"] "}" CRLF *CHAR8
 */
function announcementAt(line: Uint8Array): Announcement | undefined {
  let i = line.length - 1;
  if (line[i--] !== CLOSE) return undefined;
  const synchronizing = line[i] !== PLUS;
  if (!synchronizing) i--;
  const endOfDigits = i;
  while (i >= 0 && line[i] >= ZERO && line[i] <= NINE) i--;
  const digits = endOfDigits - i;
  // Of a line that is dropped no more than its tail is seen: what would not fit there never counts.
  if (digits === 0 || digits > TAIL - 6 || line[i] !== OPEN) return undefined;
  const text = latin1(line.subarray(i));
  const size = digits > MAX_DIGITS ? Infinity : Number.parseInt(text.slice(1));
  return { size, synchronizing, text };
}

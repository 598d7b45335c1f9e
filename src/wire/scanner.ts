/** Token reading over one complete command. @see RFC 9051 §4, §9 */

import { isAscii, latin1, latin1Bytes } from "./bytes.ts";
import { ASTRING, ATOM, DIGIT, isOf, WORD } from "./char_class.ts";

/** A message literal that went to the store while it arrived. */
export interface StreamedLiteral {
  readonly streamed: true;
  /** Octets. */
  readonly size: number;
  /** What `Framer.stream` was given. */
  readonly message: unknown;
}

/** A literal's bytes, or what became of them. */
export type Literal = Uint8Array | StreamedLiteral;

/** Tells a literal that was streamed from one that is held in memory. */
export function isStreamed(literal: Literal): literal is StreamedLiteral {
  return !(literal instanceof Uint8Array);
}

/** A command that does not follow the grammar; `message` is fit for the text of a BAD. */
export class SyntaxFault extends Error {
  /** Response code of its BAD. */
  readonly code?: "UIDREQUIRED" | "BADCHARSET" | "CLIENTBUG";

  /** @param offset of the fault in the command's text, from 0; its literals do not count */
  constructor(message: string, readonly offset: number) {
    super(message);
    this.name = "SyntaxFault";
  }
}

/** A command that follows the grammar and goes beyond a bound: NO [LIMIT]. @see RFC 5530 §3 */
export class LimitFault extends SyntaxFault {
  override readonly name = "LimitFault";
}

/** Reads a byte string as UTF-8; undefined if it is not valid. */
export function decodeUtf8(bytes: string): string | undefined {
  if (isAscii(bytes)) return bytes;
  try {
    return UTF_8.decode(latin1Bytes(bytes));
  } catch {
    return undefined;
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** How deep parentheses, NOT and OR may nest. */
const MAX_DEPTH = 100;
const MAX_UINT32 = 4294967295;
const MAX_INT63 = "9223372036854775807";
/** How much of the text a fault quotes. */
const QUOTED_IN_FAULT = 20;

const SP = 0x20, DQUOTE = 0x22, BACKSLASH = 0x5c, CR = 0x0d, LF = 0x0a, ZERO = 0x30;

/**
 * Reads tokens from the text of one command, a byte string. A literal stands in it as `{n}` or
 * `{n+}` with CRLF; its bytes are not in the text but next in `literals`. What is read comes
 * back as byte strings. Every method that cannot read what it is named for throws
 * {@link SyntaxFault}.
 */
export class Scanner {
  #position = 0;
  #literal = 0;
  #depth = 0;
  #concealed = false;

  constructor(readonly text: string, readonly literals: readonly Literal[] = []) {}

  /** Offset of the next char, from 0. */
  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    return this.#position >= this.text.length;
  }

  /** The next char; "" at the end. */
  peek(): string {
    return this.text.charAt(this.#position);
  }

  /** Builds the fault for wanting `wanted` here (or at `offset`): `throw s.fault("a tag")`. */
  fault(wanted: string, offset = this.#position): SyntaxFault {
    const message = `Expected ${wanted} at byte ${offset + 1}`;
    return new SyntaxFault(
      this.#concealed ? message : `${message}: got ${this.#got(offset)}`,
      offset,
    );
  }

  /** From here on faults do not say what was got, which may be part of a password. */
  conceal(): void {
    this.#concealed = true;
  }

  /** Takes exactly `text` if it comes next. */
  take(text: string): boolean {
    if (!this.text.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  /** Takes exactly `text`. */
  expect(text: string): void {
    if (!this.take(text)) throw this.fault(`"${text}"`);
  }

  /** Takes `word` (given in upper case) in any case, if it comes next and no longer word does. */
  takeKeyword(word: string): boolean {
    const end = this.#endOf(WORD);
    if (end - this.#position !== word.length) return false;
    if (this.text.slice(this.#position, end).toUpperCase() !== word) return false;
    this.#position = end;
    return true;
  }

  /** A word of letters, digits, "." and "-", in upper case; `wanted` names it in the fault. */
  keyword(wanted: string): string {
    return this.run(WORD, wanted).toUpperCase();
  }

  /** One or more chars of `charClass`. */
  run(charClass: number, wanted: string): string {
    const end = this.#endOf(charClass);
    if (end === this.#position) throw this.fault(wanted);
    return this.#advance(end);
  }

  /** SP */
  space(): void {
    if (!this.take(" ")) throw this.fault("a space");
  }

  /** Takes SP if an optional argument follows; false at the end of the command. */
  spaceBeforeMore(): boolean {
    if (this.#onlySpacesLeft()) return false;
    this.space();
    return true;
  }

  /** The end of the command; spaces before it are forgiven, as some old clients send them. */
  end(): void {
    if (!this.#onlySpacesLeft()) throw this.fault("the end of the command");
    this.#position = this.text.length;
  }

  /** atom = 1*ATOM-CHAR */
  atom(wanted = "an atom"): string {
    return this.run(ATOM, wanted);
  }

  /** astring = 1*ASTRING-CHAR / string */
  astring(wanted = "an atom or a string"): string {
    return this.#atString() ? this.string(wanted) : this.run(ASTRING, wanted);
  }

  /** string = quoted / literal; without NUL */
  string(wanted = "a string"): string {
    if (this.peek() === '"') return this.quoted(wanted);
    if (this.peek() !== "{") throw this.fault(wanted);
    const start = this.#position;
    const literal = this.literal();
    if (isStreamed(literal)) throw this.fault(wanted, start);
    if (literal.includes(0)) throw this.fault(`${wanted} without NUL`, start);
    return latin1(literal);
  }

  /** nstring = string / nil; undefined for NIL */
  nstring(wanted = "a string or NIL"): string | undefined {
    return this.takeKeyword("NIL") ? undefined : this.string(wanted);
  }

  /** quoted = DQUOTE *QUOTED-CHAR DQUOTE; bytes above 127 are taken as they are */
  quoted(wanted = "a quoted string"): string {
    const { text } = this;
    if (this.peek() !== '"') throw this.fault(wanted);
    let pieces = "";
    let start = this.#position + 1;
    for (let i = start; i < text.length; i++) {
      const char = text.charCodeAt(i);
      if (char === DQUOTE) {
        this.#position = i + 1;
        return pieces + text.slice(start, i);
      }
      if (char === BACKSLASH) {
        const next = text.charCodeAt(i + 1);
        if (next !== DQUOTE && next !== BACKSLASH) throw this.fault('"\\\\" or "\\""', i);
        pieces += text.slice(start, i);
        start = ++i;
      } else if (char === 0 || char === CR || char === LF) {
        throw this.fault("a char of a quoted string", i);
      }
    }
    throw this.fault("a closing quote", text.length);
  }

  /** literal = "{" number ["+"] "}" CRLF *CHAR8 */
  literal(): Literal {
    const start = this.#position;
    const announcement = /\{\d{1,10}\+?\}\r\n/y;
    announcement.lastIndex = start;
    const next = this.literals.at(this.#literal);
    if (next === undefined || !announcement.test(this.text)) throw this.fault("a literal");
    this.#literal++;
    this.#position = announcement.lastIndex;
    return next;
  }

  /** number = 1*DIGIT, up to 4294967295 */
  number(wanted = "a number"): number {
    return this.#uint32(0, wanted);
  }

  /** nz-number = digit-nz *DIGIT, up to 4294967295 */
  nzNumber(wanted = "a number"): number {
    return this.#uint32(1, wanted);
  }

  /** number64 = 1*DIGIT, up to 2^63-1; a value that a double cannot hold is clipped to 2^53-1 */
  number64(wanted = "a number"): number {
    const start = this.#position;
    const digits = this.run(DIGIT, wanted).replace(/^0+(?=\d)/, "");
    const tooBig = digits.length > MAX_INT63.length ||
      (digits.length === MAX_INT63.length && digits > MAX_INT63);
    if (tooBig) throw this.fault(`${wanted} up to ${MAX_INT63}`, start);
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  /** nz-number64 */
  nzNumber64(wanted = "a number"): number {
    const start = this.#position;
    const value = this.number64(wanted);
    if (value === 0) throw this.fault(`${wanted} above 0`, start);
    return value;
  }

  /** item *(separator item) */
  separated<T>(separator: string, item: (s: Scanner) => T): T[] {
    const items = [item(this)];
    while (this.take(separator)) items.push(item(this));
    return items;
  }

  /** "(" item *(SP item) ")" */
  list<T>(item: (s: Scanner) => T): T[] {
    this.expect("(");
    const items = this.nested(() => this.separated(" ", item));
    this.expect(")");
    return items;
  }

  /** "(" [item *(SP item)] ")" */
  listOrEmpty<T>(item: (s: Scanner) => T): T[] {
    return this.take("()") ? [] : this.list(item);
  }

  /** Runs `read` one level deeper; refuses the 101st level. */
  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new LimitFault(`Expected at most ${MAX_DEPTH} nested levels`, this.#position);
    }
    const value = read();
    this.#depth--;
    return value;
  }

  #uint32(least: 0 | 1, wanted: string): number {
    const start = this.#position;
    const end = this.#endOf(DIGIT);
    let value = 0;
    for (let i = start; i < end && value <= MAX_UINT32; i++) {
      value = value * 10 + this.text.charCodeAt(i) - ZERO;
    }
    const zeroFirst = least === 1 && this.text.charCodeAt(start) === ZERO;
    if (end === start || value > MAX_UINT32 || zeroFirst) {
      throw this.fault(`${wanted} from ${least} to ${MAX_UINT32}`);
    }
    this.#position = end;
    return value;
  }

  #onlySpacesLeft(): boolean {
    let end = this.#position;
    while (this.text.charCodeAt(end) === SP) end++;
    return end === this.text.length;
  }

  #atString(): boolean {
    const next = this.peek();
    return next === '"' || next === "{";
  }

  #endOf(charClass: number): number {
    const { text } = this;
    let end = this.#position;
    while (end < text.length && isOf(text.charCodeAt(end), charClass)) end++;
    return end;
  }

  #advance(end: number): string {
    const taken = this.text.slice(this.#position, end);
    this.#position = end;
    return taken;
  }

  #got(offset: number): string {
    if (offset >= this.text.length) return '"the end of the line"';
    const got = this.text.slice(offset, offset + QUOTED_IN_FAULT).replaceAll(/[^ -~]/g, "?");
    return `"${got}"`;
  }
}

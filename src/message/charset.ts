/** Charsets of mail text. Never fails: what no decoder knows is read as UTF-8 or windows-1252. */

import { CHARSET_LABELS } from "./charset_labels.ts";
import { joinBytes } from "./bytes.ts";
import { asciiFromBytes, bytesFromLatin1, isAscii } from "./latin1.ts";

/** Labels seen in mail that the Encoding Standard lacks. */
const ALIASES: Readonly<Record<string, string>> = {
  "cp-1252": "windows-1252",
  "cp932": "shift_jis",
  "cp936": "gbk",
  "cp949": "euc-kr",
  "cp950": "big5",
  "gb_1988-80": "gbk",
  "latin-1": "iso-8859-1",
  "ms-ansi": "windows-1252",
  "utf-8mb4": "utf-8",
  "utf_8": "utf-8",
  "x-utf-8": "utf-8",
};
const UNLABELLED = /^(?:|us-ascii|ascii|unknown-8bit|x-unknown)$/;
const UTF_7 = /^(?:utf-7|unicode-1-1-utf-7)$/;

/** Reads bytes in pieces that may end within a character. */
export interface CharsetReader {
  /** The text of the next bytes; with `last` also of what was held back. */
  read(bytes: Uint8Array, last: boolean): string;
}

/**
 * A reader for a charset label in any case. For none, for US-ASCII and for unknown ones it takes
 * each valid UTF-8 sequence as such and every other byte as windows-1252.
 */
export function charsetReader(label: string): CharsetReader {
  const charset = normalLabel(label);
  if (UNLABELLED.test(charset)) return new LenientReader();
  if (UTF_7.test(charset)) return new Utf7Reader();
  const decoder = decoderFor(charset);
  return decoder === undefined
    ? new LenientReader()
    : { read: (bytes, last) => decoder.decode(bytes, { stream: !last }) };
}

/**
 * Bytes (as a latin1 string) read in that charset, or undefined if it is unknown.
 *
 * @param decoders those that were made before: making one costs more than a short text
 */
export function decodeCharset(
  bytes: string,
  label: string,
  decoders = new Map<string, TextDecoder | undefined>(),
): string | undefined {
  const charset = normalLabel(label);
  if (UNLABELLED.test(charset)) return decodeUnlabelled(bytes);
  if (UTF_7.test(charset)) return decodeUtf7(bytes);
  if (!decoders.has(charset)) decoders.set(charset, decoderFor(charset));
  return decoders.get(charset)?.decode(bytesFromLatin1(bytes));
}

/** 8-bit text of unknown charset (latin1 string): UTF-8 where valid, else windows-1252. @see RFC 6532 §3 */
export function decodeUnlabelled(bytes: string): string {
  return isAscii(bytes) ? bytes : decodeLeniently(bytesFromLatin1(bytes));
}

const WINDOWS_1252 = new TextDecoder("windows-1252").decode(
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
);

/** {@link decodeUnlabelled} of bytes; also what is no text at all takes nanoseconds for each of them. */
function decodeLeniently(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at];
    const length = byte < 0x80 ? 1 : sequenceLength(bytes, at);
    if (byte < 0x80 || length === 1) {
      units[count++] = byte < 0x80 ? byte : WINDOWS_1252.charCodeAt(byte);
    } else count = putSequence(bytes, at, length, units, count);
    at += length;
  }
  return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(units.subarray(0, count));
}

/** How many bytes look like one char of UTF-8; 1 where they do not. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead < 0xc2 || lead > 0xf4) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) !== 0x80) return 1;
  return length;
}

const FIRST_OF_LENGTH = [0, 0, 0x80, 0x800, 0x10000];
const REPLACEMENT = 0xfffd;

/** Puts one char into `units`, or replacements where it is none; the end of what was put. */
function putSequence(
  bytes: Uint8Array,
  at: number,
  length: number,
  units: Uint16Array,
  count: number,
): number {
  let code = bytes[at] & (0x7f >> length);
  for (let i = 1; i < length; i++) code = code << 6 | bytes[at + i] & 0x3f;
  const isSurrogate = code >= 0xd800 && code < 0xe000;
  if (code < FIRST_OF_LENGTH[length] || code > 0x10ffff || isSurrogate) {
    for (let i = 0; i < length; i++) units[count++] = REPLACEMENT;
  } else if (code < 0x10000) units[count++] = code;
  else {
    units[count++] = 0xd7c0 + (code >> 10);
    units[count++] = 0xdc00 | code & 0x3ff;
  }
  return count;
}

function normalLabel(label: string): string {
  // RFC 2231 §5 lets a language follow: =?utf-8*en?Q?…?=
  const charset = label.split("*", 1)[0].trim().toLowerCase();
  return ALIASES[charset] ?? charset;
}

function decoderFor(charset: string): TextDecoder | undefined {
  return CHARSET_LABELS.has(charset) ? new TextDecoder(charset) : undefined;
}

/** {@link decodeUnlabelled} for a stream: holds back a sequence that is not complete yet. */
class LenientReader implements CharsetReader {
  #held = new Uint8Array();

  read(bytes: Uint8Array, last: boolean): string {
    const all = joinBytes([this.#held, bytes]);
    const cut = last ? all.length : all.length - incompleteTail(all);
    this.#held = all.slice(cut);
    const complete = all.subarray(0, cut);
    return asciiFromBytes(complete) ?? strictUtf8(complete) ?? decodeLeniently(complete);
  }
}

function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** How many last bytes may be the start of a UTF-8 sequence (0 to 3). */
function incompleteTail(bytes: Uint8Array): number {
  const last = bytes.length - 1;
  for (let back = 0; back < 3 && back <= last; back++) {
    const byte = bytes[last - back];
    if (byte >= 0xc2 && byte <= 0xf4) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back + 1 ? back + 1 : 0;
    }
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return 0;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** By char: its value in base64, -1 for all others. */
const DIGITS = Int8Array.from({ length: 256 }, (_, at) => BASE64.indexOf(String.fromCharCode(at)));
const PLUS = 0x2b;
const MINUS = 0x2d;

/** @see RFC 2152 */
class Utf7Reader implements CharsetReader {
  readonly #decoder = new TextDecoder("utf-16le", { ignoreBOM: true });
  #shifted = false;
  /** Nothing came since the "+" that shifted. */
  #fresh = false;
  #bits = 0;
  #count = 0;

  read(bytes: Uint8Array, last: boolean): string {
    // A "+" that shifts nothing comes back with what follows it.
    const units = new Uint16Array(bytes.length + 2);
    let length = 0;
    for (const byte of bytes) {
      if (this.#shifted && DIGITS[byte] >= 0) {
        this.#fresh = false;
        const unit = this.#digit(DIGITS[byte]);
        if (unit >= 0) units[length++] = unit;
      } else if (byte === PLUS) this.#shift();
      else {
        const ends = this.#shifted && byte === MINUS;
        if (this.#fresh) units[length++] = PLUS;
        if (!ends) units[length++] = byte;
        this.#shifted = this.#fresh = false;
      }
    }
    if (last && this.#fresh) units[length++] = PLUS;
    return this.#decoder.decode(units.subarray(0, length), { stream: !last });
  }

  #shift(): void {
    this.#shifted = this.#fresh = true;
    this.#bits = this.#count = 0;
  }

  /** The code unit that is complete with it, or -1. */
  #digit(value: number): number {
    this.#bits = (this.#bits << 6 | value) & 0x3fffff;
    this.#count += 6;
    if (this.#count < 16) return -1;
    this.#count -= 16;
    return this.#bits >> this.#count & 0xffff;
  }
}

function decodeUtf7(text: string): string {
  return new Utf7Reader().read(bytesFromLatin1(text), true);
}

/** Content transfer encodings undone, in pieces. @see RFC 2045 §6 */

import { joinBytes } from "./bytes.ts";
import { latin1FromBytes } from "./latin1.ts";

/** Undoes an encoding. What is not valid in it is passed over or kept; it never fails. */
export interface TransferReader {
  /** The octets of the next piece; with `last` also of what was held back. */
  read(encoded: Uint8Array, last: boolean): Uint8Array;
}

/** A reader for "base64" or "quoted-printable"; any other encoding is the identity. */
export function transferReader(encoding: string | undefined): TransferReader {
  if (encoding === "base64") return new Base64Reader();
  if (encoding === "quoted-printable") return new QuotedPrintableReader();
  return { read: (encoded) => encoded };
}

/** Passes over chars that are not of the alphabet; text may go on after padding. @see RFC 2045 §6.8 */
class Base64Reader implements TransferReader {
  /** Up to three digits of an incomplete group. */
  #held = "";

  read(encoded: Uint8Array, last: boolean): Uint8Array {
    const text = this.#held + latin1FromBytes(encoded);
    if (last && this.#held === "") {
      const clean = decodeClean(text);
      if (clean !== undefined) return clean;
    }
    return this.#readLeniently(text.replace(/[^A-Za-z0-9+/=]+/g, ""), last);
  }

  #readLeniently(digits: string, last: boolean): Uint8Array {
    const groups = digits.split("=");
    const open = groups[groups.length - 1];
    const cut = last ? open.length : open.length - open.length % 4;
    this.#held = open.slice(cut);
    groups[groups.length - 1] = open.slice(0, cut);
    const filled = groups.filter((group) => group !== "");
    return filled.length > MANY_GROUPS ? decodeGroups(filled) : joinBytes(filled.map(decodeDigits));
  }
}

/** Base64 without anything wrong but blanks and line ends. */
function decodeClean(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

/** Each call of a decoder costs microseconds, which is much where groups are short. */
const MANY_GROUPS = 16;

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = Uint8Array.from(
  { length: 128 },
  (_, at) => Math.max(0, BASE64.indexOf(String.fromCharCode(at))),
);

function decodeGroups(groups: readonly string[]): Uint8Array {
  const octets = new Uint8Array(groups.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const group of groups) {
    let bits = 0;
    let count = 0;
    for (let at = 0; at < group.length; at++) {
      bits = (bits << 6 | DIGITS[group.charCodeAt(at)]) & 0xffff;
      count += 6;
      if (count < 8) continue;
      count -= 8;
      octets[to++] = bits >> count & 0xff;
    }
  }
  return octets.subarray(0, to);
}

function decodeDigits(digits: string): Uint8Array {
  // One digit alone has no octet.
  return Uint8Array.fromBase64(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
}

const EQUALS = 0x3d;
const CR = 13;
const LF = 10;
/** Longest run of blanks that may stand between "=" and the line end. */
const MAX_BLANKS = 100;

/** An "=" that begins neither an octet nor a soft line break stays. @see RFC 2045 §6.7 */
class QuotedPrintableReader implements TransferReader {
  #held: Uint8Array = new Uint8Array();

  read(encoded: Uint8Array, last: boolean): Uint8Array {
    const bytes = joinBytes([this.#held, encoded]);
    const octets = new Uint8Array(bytes.length);
    let to = 0;
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte !== EQUALS) {
        octets[to++] = byte;
        at++;
        continue;
      }
      const octet = hexDigit(bytes[at + 1]) << 4 | hexDigit(bytes[at + 2]);
      if (octet >= 0) {
        octets[to++] = octet;
        at += 3;
        continue;
      }
      const next = softBreakEnd(bytes, at, last);
      if (next === undefined) break;
      if (next === at) octets[to++] = bytes[at++];
      else at = next;
    }
    this.#held = bytes.slice(at);
    return octets.subarray(0, to);
  }
}

/**
 * Index behind the soft line break at `at`, or `at` if it is none; undefined if that depends on
 * what follows the piece.
 */
function softBreakEnd(bytes: Uint8Array, at: number, last: boolean): number | undefined {
  let end = at + 1;
  if (!last && end === bytes.length - 1 && hexDigit(bytes[end]) >= 0) return undefined;
  while (end - at <= MAX_BLANKS && (bytes[end] === 0x20 || bytes[end] === 0x09)) end++;
  if (bytes[end] === CR && bytes[end + 1] === LF) return end + 2;
  const open = end >= bytes.length || (bytes[end] === CR && end + 1 === bytes.length);
  if (!open) return at;
  return last ? bytes.length : undefined;
}

/** 0 to 15, or -1. */
function hexDigit(char: number | undefined): number {
  if (char === undefined) return -1;
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

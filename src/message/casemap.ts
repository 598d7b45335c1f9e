/** The order of text by i;unicode-casemap. @see RFC 5051, RFC 5255 §4 */

import { isAscii } from "./latin1.ts";
import { foldCase } from "./search_text.ts";

/**
 * Text in the form that is sorted by: texts that SEARCH takes for the same have the same, and
 * letters come before "[", "\", "]", "^", "_" and "`", as in upper case. To be compared by code
 * points: {@link compareCodePoints}.
 *
 * @see RFC 5051 §2
 */
export function casemap(text: string): string {
  if (isAscii(text)) return text.toUpperCase();
  let mapped = "";
  for (const char of foldCase(text)) mapped += titlecase(char);
  return mapped;
}

/** Modern Georgian: its capitals are no title case. */
const MKHEDRULI = /[\u10d0-\u10ff]/;

/** The title case of one char in lower case, where that is one char too. */
function titlecase(char: string): string {
  if (MKHEDRULI.test(char)) return char;
  const upper = char.toUpperCase();
  return upper.length === char.length ? upper : char;
}

/** The order of the octets of UTF-8, unlike that of `<`, which puts U+1F600 before U+FF01. */
export function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  const [first, second] = [a.charCodeAt(at), b.charCodeAt(at)];
  const bothHigh = first >= 0xd800 && second >= 0xd800;
  if (bothHigh && isSurrogate(first) !== isSurrogate(second)) return isSurrogate(first) ? 1 : -1;
  return first - second;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

/** Structured MIME header fields: a value with parameters. Never fails, linear time. */

import { unfold } from "./header.ts";

/** Name as written; value without quotes, RFC 2231 and RFC 2047 encodings left as they lie. */
export type Parameter = readonly [name: string, value: string];

export interface ParameterizedValue {
  readonly value: string;
  readonly parameters: readonly Parameter[];
}

/**
 * Reads `value *(";" name "=" value)` without comments.
 *
 * @param raw the field's value as a latin1 string, still folded
 * @see RFC 2045 §5.1
 */
export function parseParameterized(raw: string): ParameterizedValue {
  const text = unfold(raw);
  const parameters: Parameter[] = [];
  let { value, next } = readValue(text, 0);
  const first = value;
  while (next < text.length) {
    const nameEnd = endOfName(text, next + 1);
    const name = withoutComments(text.slice(next + 1, nameEnd));
    if (text[nameEnd] !== "=") {
      next = nameEnd;
      continue;
    }
    ({ value, next } = readValue(text, nameEnd + 1));
    if (name !== "") parameters.push([name, value]);
  }
  return { value: first, parameters };
}

/** The comma-separated words of a field such as Content-Language. @see RFC 3282 §2 */
export function parseWordList(raw: string): readonly string[] {
  return withoutComments(unfold(raw)).split(",").map((word) => word.trim())
    .filter((word) => word !== "");
}

/** Removes comments, which may be nested, and the blanks around what remains. @see RFC 5322 §3.2.2 */
export function withoutComments(text: string): string {
  if (!text.includes("(")) return trimBlanks(text);
  let kept = "";
  let from = 0;
  for (;;) {
    const open = text.indexOf("(", from);
    if (open < 0) return trimBlanks(kept + text.slice(from));
    kept += text.slice(from, open);
    from = endOfComment(text, open);
  }
}

/** Index behind the comment that starts at `open`; the text's end if it is not closed. */
export function endOfComment(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x5c) at++;
    else if (char === 0x28) depth++;
    else if (char === 0x29 && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Index behind the quoted string that starts at `open`, or -1 if it is not closed. */
export function endOfQuoted(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x5c) at++;
    else if (char === 0x22) return at + 1;
  }
  return -1;
}

/** Removes the backslashes of quoted pairs. */
export function unescapeQuoted(text: string): string {
  return text.includes("\\") ? text.replace(/\\([^])/g, "$1") : text;
}

/** Removes spaces and tabs at both ends. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

function endOfName(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at];
    if (char === "=" || char === ";") break;
    if (char === "(") at = endOfComment(text, at) - 1;
  }
  return Math.min(at, text.length);
}

/** Reads a quoted or bare value up to ";". A bare one may hold blanks, which many mailers write. */
function readValue(text: string, from: number): { value: string; next: number } {
  const at = skipBlanksAndComments(text, from);
  if (text[at] === '"') {
    const end = endOfQuoted(text, at);
    const inner = text.slice(at + 1, end < 0 ? text.length : end - 1);
    const next = end < 0 ? text.length : endOfBareValue(text, end);
    return { value: unescapeQuoted(inner), next };
  }
  return readBareValue(text, at);
}

/** Inside a value a parenthesis is part of it, as in name=report (1).pdf; at its end it is a comment. */
function readBareValue(text: string, start: number): { value: string; next: number } {
  let at = start;
  // Behind the row of comments that the last one belongs to, which is looked through once.
  let next = start;
  while (at < text.length && text[at] !== ";") {
    if (text[at] !== "(") {
      at++;
      continue;
    }
    const close = endOfComment(text, at);
    if (at >= next) next = skipBlanksAndComments(text, close);
    const ends = next >= text.length || text[next] === ";";
    if (ends && isBlank(text.charCodeAt(at - 1))) {
      return { value: trimBlanks(text.slice(start, at)), next };
    }
    at = close;
  }
  return { value: trimBlanks(text.slice(start, at)), next: Math.min(at, text.length) };
}

function endOfBareValue(text: string, from: number): number {
  const end = text.indexOf(";", from);
  return end < 0 ? text.length : end;
}

function skipBlanksAndComments(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    if (isBlank(text.charCodeAt(at))) at++;
    else if (text[at] === "(") at = endOfComment(text, at);
    else break;
  }
  return at;
}

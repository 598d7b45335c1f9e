/**
 * Header blocks as latin1 strings in wire form: their fields, subsets of them, and the text that
 * a field means.
 *
 * @see RFC 5322 §2.2
 */

import { decodeWords } from "./encoded_word.ts";

/** One field of a header block. */
export interface HeaderField {
  /** As written, without blanks before the colon; "" for a line that is no field. */
  readonly name: string;
  /** All between the colon and the last CRLF, still folded. */
  readonly value: string;
  /** Where the field starts in the block, and where it ends behind its CRLF. */
  readonly start: number;
  readonly end: number;
}

/** A header block, or its fields where they have been cut already. */
export type Header = string | readonly HeaderField[];

/** The fields of a header. */
export function fieldsOf(header: Header): readonly HeaderField[] {
  return typeof header === "string" ? headerFields(header) : header;
}

/** The fields of a block, up to its blank line. A line without a colon is a field without a name. */
export function headerFields(header: string): HeaderField[] {
  const fields: HeaderField[] = [];
  for (let start = 0; !isEnd(header, start);) {
    const end = endOfField(header, start);
    const valueEnd = header.endsWith("\r\n", end) ? end - 2 : end;
    const name = fieldName(header, start, valueEnd);
    const valueStart = name === "" ? start : header.indexOf(":", start) + 1;
    fields.push({ name, value: header.slice(valueStart, valueEnd), start, end });
    start = end;
  }
  return fields;
}

function isEnd(header: string, at: number): boolean {
  return at >= header.length || header.startsWith("\r\n", at);
}

/** The name as written, "" if the line is no field; looks at no more than its first line. */
function fieldName(header: string, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    const char = header.charCodeAt(at);
    if (char === LF) return "";
    if (char !== COLON) continue;
    let nameEnd = at;
    while (nameEnd > start && isBlank(header.charCodeAt(nameEnd - 1))) nameEnd--;
    const name = header.slice(start, nameEnd);
    return /\s/.test(name) ? "" : name;
  }
  return "";
}

const LF = 0x0a, COLON = 0x3a;

function endOfField(header: string, start: number): number {
  for (let at = start;;) {
    const lf = header.indexOf("\n", at);
    if (lf < 0) return header.length;
    const next = header.charCodeAt(lf + 1);
    if (next !== 0x20 && next !== 0x09) return lf + 1;
    at = lf + 1;
  }
}

/**
 * Raw values of all fields of that name, without looking closely at the others: a pattern finds
 * them sooner than going through every field.
 */
export function* fieldValues(header: string, name: string): Generator<string> {
  // Not "^": a CR alone begins no line.
  const start = new RegExp(`(?<![^\\n])${name.replace(/[^A-Za-z0-9]/g, "\\$&")}[ \\t]*:`, "gi");
  const blank = header.startsWith("\r\n") ? 0 : header.indexOf("\r\n\r\n");
  for (let found = start.exec(header); found !== null; found = start.exec(header)) {
    if (blank >= 0 && found.index > blank) return;
    const end = endOfField(header, start.lastIndex);
    yield header.slice(start.lastIndex, header.endsWith("\r\n", end) ? end - 2 : end);
  }
}

/** The raw value of the first field of that name (lower case). */
export function firstField(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => isNamed(field, name))?.value;
}

/** True for a field of that name (lower case). */
export function isNamed(field: HeaderField, name: string): boolean {
  return field.name.length === name.length && field.name.toLowerCase() === name;
}

/** Joins a folded value to one line: the line ends go, the blanks after them stay. @see RFC 5322 §2.2.3 */
export function unfold(raw: string): string {
  return raw.includes("\r\n") ? raw.replaceAll("\r\n", "") : raw;
}

/**
 * Makes the function that gives what BODY[HEADER.FIELDS (…)] (or .NOT) answers of a header block:
 * the fields in the message's order exactly as they lie, and the blank line, which is always
 * there.
 *
 * @param fields names in any case
 * @see RFC 9051 §6.4.5.1
 */
export function headerFilter(
  fields: readonly string[],
  not: boolean,
): (header: string) => string {
  const names = new FieldNames(fields.map((name) => name.toLowerCase()));
  return (header) => wholeLines(selectFields(header, names, !not)) + "\r\n";
}

/**
 * The fields (lower case) that mail clients commonly list; {@link headerFilter} answers a request
 * for any of them from {@link cachedHeader}.
 */
export const CACHED_FIELDS: ReadonlySet<string> = new Set([
  "auto-submitted",
  "bcc",
  "cc",
  "content-class",
  "content-disposition",
  "content-language",
  "content-transfer-encoding",
  "content-type",
  "date",
  "delivered-to",
  "disposition-notification-to",
  "followup-to",
  "from",
  "importance",
  "in-reply-to",
  "list-archive",
  "list-help",
  "list-id",
  "list-owner",
  "list-post",
  "list-subscribe",
  "list-unsubscribe",
  "list-unsubscribe-post",
  "mail-followup-to",
  "mail-reply-to",
  "message-id",
  "mime-version",
  "newsgroups",
  "organization",
  "original-recipient",
  "precedence",
  "priority",
  "references",
  "reply-to",
  "resent-cc",
  "resent-date",
  "resent-from",
  "resent-message-id",
  "resent-sender",
  "resent-to",
  "return-path",
  "return-receipt-to",
  "sender",
  "subject",
  "thread-index",
  "thread-topic",
  "to",
  "user-agent",
  "x-draft-info",
  "x-keywords",
  "x-label",
  "x-mail-created-date",
  "x-mailer",
  "x-mozilla-draft-info",
  "x-mozilla-keys",
  "x-mozilla-status",
  "x-mozilla-status2",
  "x-msmail-priority",
  "x-newsreader",
  "x-original-to",
  "x-priority",
  "x-spam",
  "x-spam-flag",
  "x-spam-level",
  "x-spam-score",
  "x-spam-status",
  "x-uniform-type-identifier",
  "x-universally-unique-identifier",
  "x-virus-status",
]);

/**
 * The fields of {@link CACHED_FIELDS} as they lie, without the blank line.
 *
 * @param fields those of the header
 */
export function cachedHeader(header: string, fields = headerFields(header)): string {
  let selected = "";
  for (const { name, start, end } of fields) {
    if (CACHED_FIELDS.has(name.toLowerCase())) selected += header.slice(start, end);
  }
  return wholeLines(selected);
}

/** Names of fields, made to be looked for in many headers. */
export class FieldNames {
  readonly #names: ReadonlySet<string>;
  /** By length, whether there is a name so long: most fields of a header need no closer look. */
  readonly #lengths: readonly boolean[];

  /** @param names in lower case */
  constructor(names: Iterable<string>) {
    // A line with a blank in front of its colon, but for the end, is no field.
    this.#names = new Set(Array.from(names).filter((name) => !/\s/.test(name)));
    const lengths: boolean[] = [];
    for (const { length } of this.#names) lengths[length] = true;
    this.#lengths = Array.from(lengths, Boolean);
  }

  /** Whether the field at `start` has one of the names. */
  isAt(header: string, start: number, end: number): boolean {
    // Not beyond its own line, of which there may be many without a colon.
    let colon = start;
    while (colon < end && header.charCodeAt(colon) !== COLON) {
      if (header.charCodeAt(colon++) === LF) return false;
    }
    if (colon === end) return false;
    let nameEnd = colon;
    while (nameEnd > start && isBlank(header.charCodeAt(nameEnd - 1))) nameEnd--;
    return this.#lengths[nameEnd - start] === true &&
      this.#names.has(header.slice(start, nameEnd).toLowerCase());
  }
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

/** The fields that have one of the names, or all others, as they lie. */
export function selectFields(header: string, names: FieldNames, having: boolean): string {
  let selected = "";
  // Fields that follow each other are taken at once.
  let from = -1;
  let start = 0;
  while (!isEnd(header, start)) {
    const end = endOfField(header, start);
    if (names.isAt(header, start, end) !== having) {
      if (from >= 0) selected += header.slice(from, start);
      from = -1;
    } else if (from < 0) from = start;
    start = end;
  }
  if (from >= 0) selected += header.slice(from, start);
  return selected;
}

function wholeLines(selected: string): string {
  // Only the last line of a message that ends in its header can lack a line end.
  return selected === "" || selected.endsWith("\r\n") ? selected : selected + "\r\n";
}

/**
 * The text that a raw field value or a whole header block means: each fold one space, encoded
 * words decoded, 8-bit as UTF-8 where it is valid and else as windows-1252. Invalid encoded words
 * stay as they are.
 *
 * @see RFC 5322 §2.2.3, RFC 2047 §6.2, RFC 6532 §3
 */
export function decodeHeader(raw: string): string {
  return decodeWords(raw.includes("\r\n") ? raw.replace(/\r\n[ \t]+/g, " ") : raw);
}

/** What a server says, spelled as it goes over the wire: latin1 strings, one char per byte. */

import { latin1, utf8Bytes } from "./bytes.ts";
import { encodeMailboxName } from "./mailbox_name.ts";
import { formatNumberSet, formatRanges, type NumberRange } from "./number_set.ts";

/** Response codes that stand alone. @see RFC 5530, RFC 9051 §7.1 */
export type PlainCode =
  | "ALREADYEXISTS"
  | "AUTHENTICATIONFAILED"
  | "AUTHORIZATIONFAILED"
  | "BADCHARSET"
  | "CANNOT"
  | "CLIENTBUG"
  | "CLOSED"
  | "COMPRESSIONACTIVE"
  | "CORRUPTION"
  | "EXPIRED"
  | "EXPUNGEISSUED"
  | "INUSE"
  | "LIMIT"
  | "NONEXISTENT"
  | "NOPERM"
  | "NOTIFICATIONOVERFLOW"
  | "OVERQUOTA"
  | "PRIVACYREQUIRED"
  | "READ-ONLY"
  | "READ-WRITE"
  | "SERVERBUG"
  | "TOOBIG"
  | "TOOFEW"
  | "TRYCREATE"
  | "UIDREQUIRED"
  | "UNKNOWN-CTE"
  | "UNAVAILABLE"
  | "HASCHILDREN"
  | "NOMODSEQ"
  | "PARSE"
  | "USEATTR";

/** The inside of `[…]` in a status response. */
export type ResponseCode = PlainCode | { readonly text: string };

export function capabilityCode(capabilities: readonly string[]): ResponseCode {
  return { text: `CAPABILITY ${capabilities.join(" ")}` };
}

export function numberCode(
  name: "UIDNEXT" | "UIDVALIDITY" | "UNSEEN" | "HIGHESTMODSEQ",
  value: number,
): ResponseCode {
  return { text: `${name} ${value}` };
}

/** @see RFC 8474 §4.1 */
export function mailboxIdCode(mailboxId: string): ResponseCode {
  return { text: `MAILBOXID (${mailboxId})` };
}

export function permanentFlagsCode(flags: readonly string[]): ResponseCode {
  return { text: `PERMANENTFLAGS (${flags.join(" ")})` };
}

export function badCharsetCode(charsets: readonly string[]): ResponseCode {
  return { text: `BADCHARSET (${charsets.join(" ")})` };
}

/** @see RFC 4315 §3 */
export function appendUidCode(uidValidity: number, uids: readonly number[]): ResponseCode {
  return { text: `APPENDUID ${uidValidity} ${formatNumberSet(uids)}` };
}

/** The two sets list the pairs in the same order. @see RFC 4315 §3 */
export function copyUidCode(
  uidValidity: number,
  source: readonly number[],
  destination: readonly number[],
): ResponseCode {
  return {
    text: `COPYUID ${uidValidity} ${formatNumberSet(source)} ${formatNumberSet(destination)}`,
  };
}

/**
 * Of a command that has more messages than one may process.
 *
 * @param lowest the lowest UID that was processed, or that could have been
 * @see RFC 9738 §3.1
 */
export function messageLimitCode(limit: number, lowest?: number): ResponseCode {
  return { text: `MESSAGELIMIT ${limit}${lowest === undefined ? "" : ` ${lowest}`}` };
}

/**
 * How far the command of a tag is; unknown without `progress`.
 *
 * inprogress-tag = quoted, then number / nil and nz-number / nil @see RFC 9585 §4
 */
export function inProgressCode(
  tag: string,
  progress: { readonly done: number; readonly total: number } | undefined,
): ResponseCode {
  const numbers = progress && progress.total > 0
    ? `${Math.min(progress.done, progress.total)} ${progress.total}`
    : "NIL NIL";
  return { text: `INPROGRESS ("${tag}" ${numbers})` };
}

/** A URL, a byte string, of which nothing can be had. @see RFC 4469 §5 */
export function badUrlCode(url: string): ResponseCode {
  const text = url.replace(
    /[^!-Z^-~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return { text: `BADURL ${text}` };
}

/** Numbers whose conditional STORE failed. @see RFC 7162 §3.1.3 */
export function modifiedCode(numbers: readonly number[]): ResponseCode {
  return { text: `MODIFIED ${formatNumberSet(numbers)}` };
}

/** Why SETMETADATA failed, or what GETMETADATA left out. @see RFC 5464 §5 */
export function metadataCode(
  reason: `MAXSIZE ${number}` | "TOOMANY" | `LONGENTRIES ${number}`,
): ResponseCode {
  return { text: `METADATA ${reason}` };
}

/** Ranges in one VANISHED response: clients read line by line. */
const VANISHED_RANGES = 1000;

/**
 * `* VANISHED 3,7:9` with its CRLF; nothing if there are none, several lines if there are many.
 *
 * @param earlier the client learns of them by what it asked for, and still has to be told of those
 *   that it counts
 * @see RFC 7162 §3.2.10
 */
export function vanished(ranges: readonly NumberRange[], earlier: boolean): string {
  const start = earlier ? "* VANISHED (EARLIER) " : "* VANISHED ";
  let text = "";
  for (let at = 0; at < ranges.length; at += VANISHED_RANGES) {
    text += `${start}${formatRanges(ranges.slice(at, at + VANISHED_RANGES))}\r\n`;
  }
  return text;
}

/** What a command comes to; dispatch puts the tag before it. */
export interface Completion {
  readonly status: "OK" | "NO" | "BAD";
  readonly code?: ResponseCode;
  readonly text: string;
}

export function ok(text: string, code?: ResponseCode): Completion {
  return { status: "OK", code, text };
}

export function no(text: string, code?: ResponseCode): Completion {
  return { status: "NO", code, text };
}

export function bad(text: string, code?: ResponseCode): Completion {
  return { status: "BAD", code, text };
}

/** `tag OK [CODE] text` with its CRLF; `tag` is "*" for untagged ones. */
export function statusLine(
  tag: string,
  status: "OK" | "NO" | "BAD" | "BYE" | "PREAUTH",
  text: string,
  code?: ResponseCode,
): string {
  const inside = code === undefined ? "" : `[${typeof code === "string" ? code : code.text}] `;
  return `${tag} ${status} ${inside}${plainText(text)}\r\n`;
}

/** `resp-text` is one line of ASCII: whatever else came in is shown as "?". */
function plainText(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\uffff]/g, "?");
}

/** `+ text`, the request for the rest of a command. */
export function continuation(text: string): string {
  return `+ ${text}\r\n`;
}

const ATOM = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~[]+$/;

/** A byte string as an atom where it can be one, else quoted, else a literal. */
export function astring(bytes: string): string {
  if (ATOM.test(bytes) && bytes.toUpperCase() !== "NIL") return bytes;
  return string(bytes);
}

/** A byte string quoted where that is allowed, else as a literal. @see RFC 9051 §9 `string` */
export function string(bytes: string): string {
  // deno-lint-ignore no-control-regex
  if (bytes.length > 1000 || /[\x00\r\n\x7f-\xff]/.test(bytes)) {
    const clean = bytes.replaceAll("\0", "");
    return `{${clean.length}}\r\n${clean}`;
  }
  return `"${bytes.replace(/["\\]/g, "\\$&")}"`;
}

/** Any bytes as a string, as a literal8 if they have a NUL; NIL for undefined. @see RFC 5464 §5 `value` */
export function metadataValue(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "NIL";
  const text = latin1(bytes);
  return text.includes("\0") ? `~{${text.length}}\r\n${text}` : string(text);
}

/**
 * A mailbox name in modified UTF-7, or in UTF-8 for who enabled that.
 *
 * @see RFC 3501 §5.1.3, RFC 6855 §3, RFC 9051 §5.1
 */
export function mailbox(name: string, utf8: boolean): string {
  return utf8 ? utf8String(name) : astring(encodeMailboxName(name));
}

/** A text in UTF-8: as an atom where it can be one, else quoted, else a literal. */
function utf8String(text: string): string {
  if (ATOM.test(text)) return astring(text);
  // No mailbox is made with such a name, but who knows what an index holds.
  if (/[\0\r\n]/.test(text)) return string(utf8Bytes(text));
  return `"${utf8Bytes(text).replace(/["\\]/g, "\\$&")}"`;
}

/** The five flags in the order of their bits in {@link FlagSet}s. */
const SYSTEM_FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"] as const;

const FLAG_TEXTS: readonly string[] = Array.from(
  { length: 64 },
  (_, bits) =>
    [...SYSTEM_FLAGS.filter((_, bit) => bits & (1 << bit)), ...(bits & 32 ? ["\\Recent"] : [])]
      .join(" "),
);

/** `\Seen \Recent keyword`, without parentheses; `system` in bits, 32 being `\Recent`. */
export function flagNames(system: number, recent: boolean, keywords: readonly string[]): string {
  const text = FLAG_TEXTS[system | (recent ? 32 : 0)];
  if (keywords.length === 0) return text;
  return text === "" ? keywords.join(" ") : `${text} ${keywords.join(" ")}`;
}

/** The system flags that a client may store. */
export function systemFlagNames(): readonly string[] {
  return SYSTEM_FLAGS;
}

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

const DAY = 86_400;

/** `"17-Jul-1996 02:44:25 -0700"` with its quotes. @see RFC 9051 §9 `date-time` */
export function dateTime(seconds: number, zone: number): string {
  const local = seconds + zone * 60;
  const days = Math.floor(local / DAY);
  const time = local - days * DAY;
  const date = new Date(days * DAY * 1000);
  const offset = Math.abs(zone);
  return `"${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()]}-${
    String(date.getUTCFullYear()).padStart(4, "0")
  } ${two(Math.floor(time / 3600))}:${two(Math.floor(time / 60) % 60)}:${two(time % 60)} ${
    zone < 0 ? "-" : "+"
  }${two(Math.floor(offset / 60))}${two(offset % 60)}"`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

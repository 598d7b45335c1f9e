/** ABNF productions that several commands share. @see RFC 9051 §9 */

import { latin1Bytes } from "./bytes.ts";
import { LIST, TAG } from "./char_class.ts";
import { type NumberRange, type NumberSet, STAR } from "./number_set.ts";
import { decodeUtf8, LimitFault, type Scanner } from "./scanner.ts";

/** Flags as a client gives them: `system` in the bits of {@link SYSTEM_FLAGS}. */
export interface FlagSet {
  readonly system: number;
  /** As the client spelled them; each once, whatever its case. */
  readonly keywords: readonly string[];
}

/** The bit of each system flag, by its name in upper case. @see RFC 9051 §2.3.2 */
const SYSTEM_FLAGS: ReadonlyMap<string, number> = new Map([
  ["SEEN", 1],
  ["ANSWERED", 2],
  ["FLAGGED", 4],
  ["DELETED", 8],
  ["DRAFT", 16],
  // Only the server sets \Recent; a client that gives it back means no harm (RFC 3501 §2.3.2).
  ["RECENT", 0],
]);

/** tag = 1*<any ASTRING-CHAR except "+"> */
export function tag(s: Scanner): string {
  return s.run(TAG, "a tag");
}

/**
 * The name of a command in upper case. `UID` and the word after it are one name: "UID FETCH".
 *
 * command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
 */
export function commandName(s: Scanner): string {
  const name = s.atom("the name of a command").toUpperCase();
  if (name !== "UID" || !s.take(" ")) return name;
  return `UID ${s.atom("the name of a UID command").toUpperCase()}`;
}

/**
 * mailbox = "INBOX" / astring
 *
 * @returns the name as the client spelled it (in modified UTF-7, mostly), but INBOX in capitals
 */
export function mailbox(s: Scanner): string {
  const name = s.astring("a mailbox name");
  return name.toUpperCase() === "INBOX" ? "INBOX" : name;
}

/** list-mailbox = 1*list-char / string */
export function listMailbox(s: Scanner): string {
  const next = s.peek();
  const wanted = "a mailbox pattern";
  return next === '"' || next === "{" ? s.string(wanted) : s.run(LIST, wanted);
}

/** Reads a byte string as UTF-8, or as Latin-1 where it is not valid UTF-8. */
export function lenientText(bytes: string): string {
  return decodeUtf8(bytes) ?? bytes;
}

/** flag-list = "(" [flag *(SP flag)] ")" */
export function flagList(s: Scanner): FlagSet {
  return flagSet(s.listOrEmpty(flag));
}

/** (flag-list / (flag *(SP flag))), the flags of STORE */
export function storeFlags(s: Scanner): FlagSet {
  return s.peek() === "(" ? flagList(s) : flagSet(s.separated(" ", flag));
}

/**
 * flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
 *
 * @returns the bit of a system flag, or a keyword
 */
function flag(s: Scanner): number | string {
  const start = s.position;
  if (!s.take("\\")) return keyword(s);
  const bit = SYSTEM_FLAGS.get(s.atom("a flag").toUpperCase());
  if (bit === undefined) throw s.fault("a system flag", start);
  return bit;
}

/** Octets of a keyword: each message may have a thousand of them. */
const LONGEST_KEYWORD = 255;

/** flag-keyword = "$MDNSent" / "$Forwarded" / "$Junk" / "$NotJunk" / "$Phishing" / atom */
function keyword(s: Scanner): string {
  const start = s.position;
  const word = s.atom("a flag");
  if (word.length <= LONGEST_KEYWORD) return word;
  throw new LimitFault(`Expected flags of at most ${LONGEST_KEYWORD} octets`, start);
}

function flagSet(flags: readonly (number | string)[]): FlagSet {
  let system = 0;
  const keywords = new Map<string, string>();
  for (const flag of flags) {
    if (typeof flag === "number") system |= flag;
    else if (!keywords.has(flag.toLowerCase())) keywords.set(flag.toLowerCase(), flag);
  }
  return { system, keywords: [...keywords.values()] };
}

/**
 * sequence-set = (seq-number / seq-range) ["," sequence-set]
 *
 * sequence-set =/ seq-last-command
 *
 * seq-last-command = "$"
 *
 * @see RFC 9051 §9
 */
export function sequenceSet(s: Scanner): NumberSet {
  return s.take("$") ? { ranges: [], saved: true } : numberSet(s);
}

/** sequence-set where "$" has no meaning */
export function numberSet(s: Scanner): NumberSet {
  return { ranges: s.separated(",", seqRange) };
}

/** seq-range = seq-number ":" seq-number; "4:2" and "2:4" are the same */
function seqRange(s: Scanner): NumberRange {
  const first = seqNumber(s);
  const last = s.take(":") ? seqNumber(s) : first;
  return first <= last ? [first, last] : [last, first];
}

/** seq-number = nz-number / "*" */
export function seqNumber(s: Scanner): number {
  return s.take("*") ? STAR : s.nzNumber("a message number");
}

/**
 * base64 = *(4base64-char) [base64-terminator]
 *
 * @returns undefined if `text` is anything else @see RFC 9051 §9
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    return latin1Bytes(atob(text));
  } catch {
    return undefined;
  }
}

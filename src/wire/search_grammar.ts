/** SEARCH programs. @see RFC 9051 §6.4.4, §9 `search-key` */

import { latin1Bytes } from "./bytes.ts";
import { ATOM, DIGIT, isOf } from "./char_class.ts";
import { date, type Day } from "./date_grammar.ts";
import { lenientText, numberSet, sequenceSet } from "./grammar.ts";
import type { NumberSet } from "./number_set.ts";
import { type ReturnOption, returnOptions } from "./return_options.ts";
import { LimitFault, type Scanner, SyntaxFault } from "./scanner.ts";

export type { Day };

export type SystemFlag = "seen" | "answered" | "flagged" | "deleted" | "draft";

export type SearchKey =
  | { readonly name: "ALL" }
  | { readonly name: "AND"; readonly keys: readonly SearchKey[] }
  | { readonly name: "OR"; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly name: "NOT"; readonly key: SearchKey }
  /** @see RFC 6203 §3 */
  | { readonly name: "FUZZY"; readonly key: SearchKey }
  /** SEEN, UNSEEN, ANSWERED, …: `set` false for the UN… forms. */
  | { readonly name: "FLAG"; readonly flag: SystemFlag; readonly set: boolean }
  /** KEYWORD, UNKEYWORD. */
  | { readonly name: "KEYWORD"; readonly keyword: string; readonly set: boolean }
  /** RECENT, OLD (`set` false); NEW is AND of RECENT and UNSEEN. */
  | { readonly name: "RECENT"; readonly set: boolean }
  | { readonly name: "SEQUENCE"; readonly set: NumberSet }
  | { readonly name: "UID"; readonly set: NumberSet }
  /** HEADER, and FROM, TO, CC, BCC, SUBJECT; an empty `value` matches any such field. */
  | { readonly name: "HEADER"; readonly field: string; readonly value: string }
  | { readonly name: "BODY" | "TEXT"; readonly value: string }
  | { readonly name: "LARGER" | "SMALLER"; readonly size: number }
  | {
    readonly name: "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE";
    readonly day: Day;
  }
  /** @see RFC 8474 §6 */
  | { readonly name: "EMAILID" | "THREADID"; readonly objectId: string }
  /** @see RFC 8514 §4.3 */
  | { readonly name: "SAVEDBEFORE" | "SAVEDON" | "SAVEDSINCE"; readonly day: Day }
  | { readonly name: "SAVEDATESUPPORTED" }
  /** Seconds. @see RFC 5032 */
  | { readonly name: "OLDER" | "YOUNGER"; readonly seconds: number }
  /** @see RFC 7162 §3.1.5; the entry name and type are taken and have no meaning here. */
  | { readonly name: "MODSEQ"; readonly modseq: number }
  /** A named search, as the client spelled its name. @see RFC 5466 §3.1 */
  | { readonly name: "FILTER"; readonly filter: string };

export interface SearchArgs {
  /** Absent: the old `* SEARCH` answer. */
  readonly returns?: readonly ReturnOption[];
  /** The client named the charset of its strings. */
  readonly namesCharset: boolean;
  readonly key: SearchKey;
}

/** A CHARSET that cannot be read here: NO [BADCHARSET]. `message` is fit for the client. */
export class UnknownCharset extends Error {
  constructor(readonly charset: string, readonly returns: readonly ReturnOption[] = []) {
    super(`Expected a known charset: got "${charset.slice(0, 40).replaceAll(/[^ -~]/g, "?")}"`);
    this.name = "UnknownCharset";
  }
}

/** A program beyond a bound: NO [LIMIT]. */
export class ProgramTooLong extends LimitFault {
  /** @param returns those of the command, as far as it was read */
  constructor({ message, offset }: LimitFault, readonly returns: readonly ReturnOption[] = []) {
    super(message, offset);
  }
}

/** A charset that a program may not have here: BAD [BADCHARSET]. */
export class WrongCharset extends SyntaxFault {
  override readonly code = "BADCHARSET";
}

const MAX_KEYS = 1000;

/**
 * Octets of a string to search for. More than a line of a header has would say nothing more, and
 * looking for a string takes the product of its length and the text's where they are made for it.
 */
const LONGEST_STRING = 1000;

/** Of the strings in a program. */
interface Charset {
  /** Bytes as text; undefined if they are not valid in it. */
  readonly decode: (bytes: string) => string | undefined;
  readonly isUnicode: boolean;
}

const LENIENT: Charset = { decode: lenientText, isUnicode: true };

/** What reading one program needs. */
interface Program {
  readonly s: Scanner;
  readonly charset: Charset;
  keys: number;
}

/**
 * search = "SEARCH" [SP search-return-opts] SP search-program
 *
 * search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
 *
 * @throws {UnknownCharset}
 * @see RFC 9051 §6.4.4, RFC 4466 §2.6
 */
export function searchArgs(s: Scanner): SearchArgs {
  s.space();
  return searchArgsHere(s);
}

/**
 * [search-return-opts SP] search-program
 *
 * @throws {UnknownCharset}
 */
export function searchArgsHere(s: Scanner): SearchArgs {
  const returns = returnOptions(s);
  const namesCharset = s.takeKeyword("CHARSET");
  const key = blamedOn(returns, () => program(s, namesCharset));
  return { returns, namesCharset, key };
}

/** Lets what is answered with NO tell what was to be returned. */
function blamedOn(returns: readonly ReturnOption[] | undefined, read: () => SearchKey): SearchKey {
  try {
    return read();
  } catch (error) {
    if (error instanceof LimitFault) throw new ProgramTooLong(error, returns);
    if (!(error instanceof UnknownCharset)) throw error;
    throw new UnknownCharset(error.charset, returns);
  }
}

/**
 * SP search-criteria, the end of SORT and THREAD
 *
 * search-criteria = charset 1*(SP search-key)
 *
 * @throws {UnknownCharset}
 * @see RFC 5256 §5
 */
export function searchCriteria(s: Scanner, returns?: readonly ReturnOption[]): SearchKey {
  return blamedOn(returns, () => programIn(charset(s), s));
}

/**
 * search-program alone, as UTF-8
 *
 * @throws {UnknownCharset}
 */
export function searchProgram(s: Scanner): SearchKey {
  return program(s, s.takeKeyword("CHARSET"));
}

function program(s: Scanner, namesCharset: boolean): SearchKey {
  return programIn(namesCharset ? charset(s) : LENIENT, s);
}

/** search-criteria = search-key *(SP search-key), the value of a filter @see RFC 5466 §4 */
export function filterCriteria(s: Scanner): SearchKey {
  return programIn(LENIENT, s);
}

function programIn(charset: Charset, s: Scanner): SearchKey {
  const key = searchKeys({ s, charset, keys: 0 });
  s.end();
  return key;
}

/** SP charset SP; charset = atom / quoted */
function charset(s: Scanner): Charset {
  s.space();
  const name = s.astring("a charset");
  s.space();
  // To TextDecoder, US-ASCII is a name of windows-1252; those who say it often send UTF-8.
  if (name.toUpperCase() === "US-ASCII") return LENIENT;
  const decoder = decoderOf(name);
  return { decode: (bytes) => decoded(bytes, decoder), isUnicode: decoder.encoding === "utf-8" };
}

function decoded(bytes: string, decoder: TextDecoder): string | undefined {
  try {
    return decoder.decode(latin1Bytes(bytes));
  } catch {
    return undefined;
  }
}

function decoderOf(name: string): TextDecoder {
  try {
    return new TextDecoder(name, { fatal: true });
  } catch {
    throw new UnknownCharset(name);
  }
}

/** search-key *(SP search-key): all of them */
function searchKeys(program: Program): SearchKey {
  const keys = program.s.separated(" ", () => searchKey(program));
  return keys.length === 1 ? keys[0] : { name: "AND", keys };
}

/**
 * search-key = sequence-set / "(" search-key *(SP search-key) ")" / any key of {@link KEYS}
 *
 * @see RFC 9051 §9
 */
function searchKey(program: Program): SearchKey {
  const { s } = program;
  if (++program.keys > MAX_KEYS) {
    throw new LimitFault(`Expected at most ${MAX_KEYS} search keys`, s.position);
  }
  const start = s.position;
  if (s.take("(")) {
    const key = s.nested(() => searchKeys(program));
    s.expect(")");
    return key;
  }
  const next = s.peek();
  // "$" means the same messages either way; only as UIDs it may be used under UIDONLY.
  if (next === "$") return { name: "UID", set: sequenceSet(s) };
  if (next === "*" || isOf(next.charCodeAt(0), DIGIT)) {
    return { name: "SEQUENCE", set: numberSet(s) };
  }
  const rest = KEYS.get(s.keyword("a search key"));
  if (rest === undefined) throw s.fault("a search key", start);
  return rest(program);
}

type KeyParser = (program: Program) => SearchKey;

/** What follows a key's name, by that name. */
const KEYS: ReadonlyMap<string, KeyParser> = new Map(Object.entries(
  {
    "ALL": () => ({ name: "ALL" }),
    "NOT": (program) => ({ name: "NOT", key: operand(program) }),
    "FUZZY": (program) => ({ name: "FUZZY", key: operand(program) }),
    "OR": (program) => ({ name: "OR", left: operand(program), right: operand(program) }),

    "ANSWERED": flagKey("answered", true),
    "UNANSWERED": flagKey("answered", false),
    "DELETED": flagKey("deleted", true),
    "UNDELETED": flagKey("deleted", false),
    "DRAFT": flagKey("draft", true),
    "UNDRAFT": flagKey("draft", false),
    "FLAGGED": flagKey("flagged", true),
    "UNFLAGGED": flagKey("flagged", false),
    "SEEN": flagKey("seen", true),
    "UNSEEN": flagKey("seen", false),
    "KEYWORD": keywordKey(true),
    "UNKEYWORD": keywordKey(false),
    "RECENT": () => ({ name: "RECENT", set: true }),
    "OLD": () => ({ name: "RECENT", set: false }),
    "NEW": () => ({
      name: "AND",
      keys: [{ name: "RECENT", set: true }, { name: "FLAG", flag: "seen", set: false }],
    }),

    "BCC": fieldKey("Bcc"),
    "CC": fieldKey("Cc"),
    "FROM": fieldKey("From"),
    "SUBJECT": fieldKey("Subject"),
    "TO": fieldKey("To"),
    "HEADER": (program) => ({ name: "HEADER", field: argument(program), value: argument(program) }),
    "BODY": (program) => ({ name: "BODY", value: argument(program) }),
    "TEXT": (program) => ({ name: "TEXT", value: argument(program) }),

    "BEFORE": dayKey("BEFORE"),
    "ON": dayKey("ON"),
    "SINCE": dayKey("SINCE"),
    "SENTBEFORE": dayKey("SENTBEFORE"),
    "SENTON": dayKey("SENTON"),
    "SENTSINCE": dayKey("SENTSINCE"),
    "SAVEDBEFORE": dayKey("SAVEDBEFORE"),
    "SAVEDON": dayKey("SAVEDON"),
    "SAVEDSINCE": dayKey("SAVEDSINCE"),
    "SAVEDATESUPPORTED": () => ({ name: "SAVEDATESUPPORTED" }),
    "OLDER": ageKey("OLDER"),
    "YOUNGER": ageKey("YOUNGER"),

    "LARGER": sizeKey("LARGER"),
    "SMALLER": sizeKey("SMALLER"),
    "UID": ({ s }) => {
      s.space();
      return { name: "UID", set: sequenceSet(s) };
    },
    "UIDAFTER": ({ s }) => ({ name: "UID", set: uidsAbove(uniqueId(s)) }),
    "UIDBEFORE": ({ s }) => ({ name: "UID", set: uidsBelow(uniqueId(s)) }),
    "EMAILID": objectIdKey("EMAILID"),
    "THREADID": objectIdKey("THREADID"),
    "MODSEQ": ({ s }) => modseqKey(s),
    "FILTER": filterKey,
  } satisfies Record<string, KeyParser>,
));

/** SP uniqueid */
function uniqueId(s: Scanner): number {
  s.space();
  return s.nzNumber("a UID");
}

const LAST_UID = 4294967295;

/** "UIDAFTER" SP uniqueid @see RFC 9738 §3.2 */
function uidsAbove(uid: number): NumberSet {
  return { ranges: uid < LAST_UID ? [[uid + 1, LAST_UID]] : [] };
}

/** "UIDBEFORE" SP uniqueid @see RFC 9738 §3.2 */
function uidsBelow(uid: number): NumberSet {
  return { ranges: uid > 1 ? [[1, uid - 1]] : [] };
}

/** SP search-key, one level deeper */
function operand(program: Program): SearchKey {
  program.s.space();
  return program.s.nested(() => searchKey(program));
}

/** SP astring, in the program's charset */
function argument({ s, charset }: Program): string {
  s.space();
  const start = s.position;
  const octets = s.astring("a string to search for");
  if (octets.length > LONGEST_STRING) {
    throw new LimitFault(`Expected a string of at most ${LONGEST_STRING} octets`, start);
  }
  const text = charset.decode(octets);
  if (text === undefined) throw s.fault("a string valid in its charset", start);
  return text;
}

function flagKey(flag: SystemFlag, set: boolean): KeyParser {
  return () => ({ name: "FLAG", flag, set });
}

/** SP flag-keyword */
function keywordKey(set: boolean): KeyParser {
  return ({ s }) => {
    s.space();
    return { name: "KEYWORD", keyword: s.atom("a keyword"), set };
  };
}

function fieldKey(field: string): KeyParser {
  return (program) => ({ name: "HEADER", field, value: argument(program) });
}

/** SP date */
function dayKey(
  name:
    | "BEFORE"
    | "ON"
    | "SINCE"
    | "SENTBEFORE"
    | "SENTON"
    | "SENTSINCE"
    | "SAVEDBEFORE"
    | "SAVEDON"
    | "SAVEDSINCE",
): KeyParser {
  return ({ s }) => {
    s.space();
    return { name, day: date(s) };
  };
}

/** SP nz-number @see RFC 5032 §3 */
function ageKey(name: "OLDER" | "YOUNGER"): KeyParser {
  return ({ s }) => {
    s.space();
    return { name, seconds: s.nzNumber("a number of seconds") };
  };
}

/**
 * SP objectid
 *
 * objectid = 1*255(ALPHA / DIGIT / "_" / "-")
 *
 * @see RFC 8474 §7
 */
function objectIdKey(name: "EMAILID" | "THREADID"): KeyParser {
  return ({ s }) => {
    s.space();
    const start = s.position;
    const objectId = s.astring("an object identifier");
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(objectId)) throw s.fault("an object identifier", start);
    return { name, objectId };
  };
}

/** SP number64 */
function sizeKey(name: "LARGER" | "SMALLER"): KeyParser {
  return ({ s }) => {
    s.space();
    return { name, size: s.number64("a number of octets") };
  };
}

/**
 * search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer
 *
 * search-modseq-ext = SP entry-name SP entry-type-req
 *
 * @see RFC 7162 §7
 */
function modseqKey(s: Scanner): SearchKey {
  s.space();
  if (s.peek() === '"') {
    s.quoted();
    s.space();
    const start = s.position;
    if (!["ALL", "PRIV", "SHARED"].includes(s.keyword("an entry type"))) {
      throw s.fault("all, priv or shared", start);
    }
    s.space();
  }
  return { name: "MODSEQ", modseq: s.number64("a mod-sequence") };
}

const FILTER_NAME = "the name of a filter";

/**
 * "FILTER" SP filter-name
 *
 * filter-name = 1*<any ATOM-CHAR except "/">
 *
 * @see RFC 5466 §3.1, §4
 */
function filterKey({ s, charset }: Program): SearchKey {
  s.space();
  const start = s.position;
  const filter = s.atom(FILTER_NAME);
  if (filter.includes("/")) throw s.fault(`${FILTER_NAME} without "/"`, start);
  if (!charset.isUnicode) throw new WrongCharset("Expected CHARSET UTF-8 with FILTER", start);
  return { name: "FILTER", filter };
}

/** True if a filter may be called so. */
export function isFilterName(name: string): boolean {
  return name !== "" && [...name].every((char) => char !== "/" && isOf(char.charCodeAt(0), ATOM));
}

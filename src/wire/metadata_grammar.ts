/** GETMETADATA and SETMETADATA. @see RFC 5464 §5 */

import { latin1Bytes } from "./bytes.ts";
import { mailbox } from "./grammar.ts";
import { isStreamed, type Scanner } from "./scanner.ts";

/** How far below the named entries GETMETADATA looks. @see RFC 5464 §4.2.2 */
export type MetadataDepth = 0 | 1 | "infinity";

/** GETMETADATA @see RFC 5464 §4.2 */
export interface GetMetadataArgs {
  /** "" for the server. */
  readonly mailbox: string;
  /** Octets. */
  readonly maxSize?: number;
  readonly depth: MetadataDepth;
  /** As the client spelled them. */
  readonly entries: readonly string[];
}

/** SETMETADATA @see RFC 5464 §4.3 */
export interface SetMetadataArgs {
  /** "" for the server. */
  readonly mailbox: string;
  /** The last value of each entry, by its name as the client spelled it; undefined for NIL. */
  readonly values: ReadonlyMap<string, Uint8Array | undefined>;
}

type MetadataOption = Pick<GetMetadataArgs, "maxSize"> | Pick<GetMetadataArgs, "depth">;

/**
 * getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
 *
 * Clients made after the examples of RFC 5464 have the options behind the mailbox, or several
 * entries without parentheses.
 *
 * @see RFC 5464 §4.2, §5
 */
export function getMetadataArgs(s: Scanner): GetMetadataArgs {
  s.space();
  const before = optionsHere(s) ? spacedOptions(s) : [];
  const name = mailbox(s);
  s.space();
  const behind = before.length === 0 && optionsHere(s) ? spacedOptions(s) : [];
  const entries = s.peek() === "("
    ? s.list(metadataEntryPath)
    : s.separated(" ", metadataEntryPath);
  s.end();
  const options: Partial<GetMetadataArgs> = Object.assign({}, ...before, ...behind);
  return { mailbox: name, depth: 0, ...options, entries };
}

/** getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")" */
function spacedOptions(s: Scanner): MetadataOption[] {
  const options = s.list(metadataOption);
  s.space();
  return options;
}

/** Names of entries begin with a slash, those of options with a letter. */
function optionsHere(s: Scanner): boolean {
  return /^\([A-Za-z)]/.test(s.text.slice(s.position, s.position + 2));
}

/**
 * maxsize-opt = "MAXSIZE" SP number
 *
 * scope-opt = "DEPTH" SP ("0" / "1" / "infinity")
 */
function metadataOption(s: Scanner): MetadataOption {
  const start = s.position;
  if (s.takeKeyword("MAXSIZE")) {
    s.space();
    return { maxSize: s.number("a number of octets") };
  }
  if (!s.takeKeyword("DEPTH")) throw s.fault("MAXSIZE or DEPTH", start);
  s.space();
  if (s.takeKeyword("0")) return { depth: 0 };
  if (s.takeKeyword("1")) return { depth: 1 };
  if (s.takeKeyword("INFINITY")) return { depth: "infinity" };
  throw s.fault('"0", "1" or "infinity"');
}

/**
 * setmetadata = "SETMETADATA" SP mailbox SP entry-values
 *
 * entry-values = "(" entry-value *(SP entry-value) ")"
 *
 * @see RFC 5464 §4.3, §5
 */
export function setMetadataArgs(s: Scanner): SetMetadataArgs {
  s.space();
  const name = mailbox(s);
  s.space();
  const byName = new Map<string, readonly [string, Uint8Array | undefined]>();
  for (const value of s.list(entryValue)) byName.set(value[0].toLowerCase(), value);
  s.end();
  return { mailbox: name, values: new Map(byName.values()) };
}

/** entry-value = entry SP value */
function entryValue(s: Scanner): readonly [entry: string, value: Uint8Array | undefined] {
  const entry = metadataEntry(s);
  s.space();
  return [entry, metadataValue(s)];
}

/** value = nstring / literal8 */
function metadataValue(s: Scanner): Uint8Array | undefined {
  const start = s.position;
  if (s.take("~")) {
    const literal = s.literal();
    if (isStreamed(literal)) throw s.fault("a value", start);
    return literal;
  }
  const value = s.nstring("a value or NIL");
  return value === undefined ? undefined : latin1Bytes(value);
}

/** Octets of a name. */
const LONGEST_ENTRY = 1000;

/**
 * entry = astring
 *
 * A name that a value can have: "/private" or "/shared" with at least one component more, below
 * "vendor" with at least two.
 *
 * @see RFC 5464 §3.2
 */
export function metadataEntry(s: Scanner): string {
  const start = s.position;
  const entry = metadataEntryPath(s);
  const [, , first, ...others] = entry.split("/");
  const least = first?.toLowerCase() === "vendor" ? 2 : 0;
  if (first === undefined || others.length < least) {
    throw s.fault("the full name of an entry", start);
  }
  return entry;
}

/** entry = astring; also one that only has entries below it */
function metadataEntryPath(s: Scanner): string {
  const wanted = "an entry such as /private/comment";
  const start = s.position;
  const entry = s.astring(wanted);
  const isPath = /^\/(private|shared)(\/[ -.0-~]+)*$/i.test(entry);
  if (!isPath || /[*%]/.test(entry)) throw s.fault(wanted, start);
  if (entry.length > LONGEST_ENTRY) {
    throw s.fault(`an entry of at most ${LONGEST_ENTRY} octets`, start);
  }
  return entry;
}

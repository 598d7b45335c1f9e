/** Where sections of a message lie, and their octets. @see RFC 9051 §6.4.5.1 */

import { headerFilter } from "../message/header.ts";
import { HeaderSelection } from "../message/header_selection.ts";
import { locateSection, parseOffsets, type PartOffsets } from "../message/mime.ts";
import { type StoredMessage, StoreError } from "../store/store.ts";
import { latin1, latin1Bytes } from "../wire/bytes.ts";
import type { PartialRange, Section } from "../wire/fetch_grammar.ts";

/** Octets of a message in wire form; the end is not included. */
export type OctetRange = readonly [start: number, end: number];

/** True for a section that is made of the header that it lies in. */
export function isFiltered({ text }: Section): boolean {
  return text === "HEADER.FIELDS" || text === "HEADER.FIELDS.NOT";
}

/** A message that is read in sections. */
export class OpenedMessage {
  readonly #json: string | undefined;
  #parts: PartOffsets | undefined;

  /** @param parts `CachedItems.parts`; not needed for the whole message */
  constructor(readonly stored: StoredMessage, parts: string | undefined) {
    this.#json = parts;
  }

  /**
   * Read once for all sections: either may be thousands.
   *
   * @throws {StoreError} `unreadable`
   */
  get parts(): PartOffsets {
    return this.#parts ??= partsOf(this.#json, this.stored.size);
  }
}

/** Where a section lies, or the header that it is made of; undefined if there is none. */
export function sectionRange(section: Section, message: OpenedMessage): OctetRange | undefined {
  const { part, text } = section;
  if (part.length === 0 && text === "") return [0, message.stored.size];
  return locateSection(message.parts, part, isFiltered(section) ? "HEADER" : mainText(text));
}

function mainText(text: Section["text"]): "" | "HEADER" | "TEXT" | "MIME" {
  return text === "" || text === "TEXT" || text === "MIME" ? text : "HEADER";
}

/**
 * `CachedItems.parts` read.
 *
 * @param size of the message, where octets are announced before they are read
 * @throws {StoreError} `unreadable`
 */
export function partsOf(parts = "", size = Infinity): PartOffsets {
  const offsets = parseOffsets(parts);
  if (offsets !== undefined && offsets.at[2] <= size) return offsets;
  throw new StoreError("unreadable", "The index has the parts of the message damaged");
}

/** What of a range a partial fetch asks for. */
export function clip([start, end]: OctetRange, partial: PartialRange | undefined): OctetRange {
  if (partial === undefined) return [start, end];
  const from = Math.min(end, start + partial.offset);
  return [from, Math.min(end, from + partial.count)];
}

/** What of a byte string a partial fetch asks for. */
export function cut(bytes: string, partial: PartialRange | undefined): string {
  return partial === undefined
    ? bytes
    : bytes.slice(partial.offset, partial.offset + partial.count);
}

/** A range of the message as latin1. */
export async function readText(stored: StoredMessage, [start, end]: OctetRange): Promise<string> {
  if (stored.whole !== undefined) return latin1(stored.whole.subarray(start, end));
  let text = "";
  for await (const piece of stored.read(start, end)) text += latin1(piece);
  return text;
}

/** Octets of a header that is filtered at once; a longer one is in pieces. */
const BRIEF_HEADER = 256 * 1024;

/** True for a header that is filtered in pieces. */
export function isLongHeader([start, end]: OctetRange): boolean {
  return end - start > BRIEF_HEADER;
}

/** The fields of a header that a section names. */
export async function filteredHeader(
  stored: StoredMessage,
  range: OctetRange,
  section: Section,
): Promise<string> {
  const select = headerFilter(section.fields, section.text === "HEADER.FIELDS.NOT");
  return select(await readText(stored, range));
}

/** The octets of a section in pieces; undefined if there is no such section. */
export function sectionOctets(
  stored: StoredMessage,
  section: Section,
  parts: string | undefined,
  partial: PartialRange | undefined,
): AsyncIterable<Uint8Array> | undefined {
  const range = sectionRange(section, new OpenedMessage(stored, parts));
  if (range === undefined) return undefined;
  return isFiltered(section)
    ? filteredOctets(stored, range, section, partial)
    : stored.read(...clip(range, partial));
}

/** The fields of a header that a section names, in pieces. */
export async function* filteredOctets(
  stored: StoredMessage,
  [start, end]: OctetRange,
  section: Section,
  partial: PartialRange | undefined,
): AsyncIterable<Uint8Array> {
  const selection = new HeaderSelection(section.fields, section.text === "HEADER.FIELDS.NOT");
  let skip = partial?.offset ?? 0;
  let left = partial?.count ?? Infinity;
  const taken = (text: string) => {
    const part = text.slice(skip, skip + left);
    skip = Math.max(0, skip - text.length);
    left -= part.length;
    return latin1Bytes(part);
  };
  for await (const piece of stored.read(start, end)) {
    // Also nothing at all, so that who reads may let others have their turn.
    yield taken(selection.push(latin1(piece)));
  }
  yield taken(selection.end());
}

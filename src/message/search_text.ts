/**
 * SEARCH in text: exact, a substring without regard to case. BODY looks into the text of the
 * message's parts, TEXT also into all headers; attachments without text are passed over, HTML is
 * searched as it is written.
 *
 * @see RFC 9051 §6.4.4
 */

import { normalForm } from "../normal_form.ts";
import { TextDecoding } from "./decoded_text.ts";
import { decodeHeader, fieldsOf, fieldValues, type Header, isNamed } from "./header.ts";
import { isAscii } from "./latin1.ts";
import type { PartOffsets } from "./mime.ts";
import { toWireForm } from "./wire_form.ts";

/**
 * Text in the form in which it is compared: compatibility decomposition and lower case. Accents
 * become chars of their own, so "cafe" is found in "Café" but "é" not in "e". What is the same by
 * i;unicode-casemap is the same here.
 *
 * @see RFC 5051 §2
 */
export function foldCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  // The second pass decomposes what lower case composed.
  return normalForm(normalForm(text, "NFKD").toLowerCase(), "NFKD")
    .replace(SECOND_LOWER, lowerOfUpper);
}

/** Chars in lower case whose capital has another lower case: final sigma, dotless i and so on. */
const SECOND_LOWER = /[ςı\u0345\u1c80-\u1c88]/g;

function lowerOfUpper(char: string): string {
  return char.toUpperCase().toLowerCase();
}

/**
 * Does a field of that name hold the needle? An empty needle asks for the field alone.
 *
 * @param header raw header block, latin1
 * @param field name in any case
 * @param foldedNeedle from {@link foldCase}
 */
export function headerContains(header: string, field: string, foldedNeedle: string): boolean {
  for (const value of fieldValues(header, field.toLowerCase())) {
    if (foldedNeedle === "" || foldCase(decodeHeader(value)).includes(foldedNeedle)) return true;
  }
  return false;
}

/** The fields that SEARCH has keys of their own for. */
export const SEARCHED_FIELDS = ["from", "to", "cc", "bcc", "subject"] as const;
export type SearchedField = typeof SEARCHED_FIELDS[number];

/** True for the name (lower case) of a {@link SEARCHED_FIELDS}. */
export function isSearchedField(field: string): field is SearchedField {
  return SEARCHED_FIELDS.some((each) => each === field);
}

/**
 * What {@link headerContains} looks for needles in: the folded values of all fields of that name,
 * one a line; null where there is none.
 *
 * @param header as for {@link headerContains}
 */
export function searchedText(header: Header, field: SearchedField): string | null {
  const named = fieldsOf(header).filter((each) => isNamed(each, field));
  if (named.length === 0) return null;
  return named.map(({ value }) => foldCase(decodeHeader(value))).join("\n");
}

/** {@link searchedText} of each of {@link SEARCHED_FIELDS}. */
export function searchedTexts(header: Header): readonly (string | null)[] {
  const fields = fieldsOf(header);
  return SEARCHED_FIELDS.map((field) => searchedText(fields, field));
}

/** {@link foldCase} of texts that come in pieces, one after the other. */
export class Folding {
  /** Text that can only be folded with what follows. */
  #held = "";

  /** Folds up to the last place where folding piece by piece is folding the whole; with `last` all. */
  fold(text: string, last: boolean): string {
    if (this.#held === "" && last) return foldCase(text);
    const all = this.#held + text;
    const cut = last ? all.length : foldingCut(all);
    this.#held = all.slice(cut);
    return foldCase(all.slice(0, cut));
  }
}

/** Looks for one needle in a message that streams by. */
export class TextSearch {
  readonly #decoding: TextDecoding;
  readonly #needle: string;
  readonly #folding = new Folding();
  /** Folded end of what was seen, one char short of the needle. */
  #tail = "";
  #found: boolean;

  /** @param options `headers`: also look into all headers, as TEXT does */
  constructor(
    foldedNeedle: string,
    options: { readonly headers: boolean },
    parts: PartOffsets,
  ) {
    this.#needle = foldedNeedle;
    this.#found = foldedNeedle === "";
    this.#decoding = new TextDecoding(parts, options, (text, last) => this.#look(text, last));
  }

  /** True as soon as the needle was seen. */
  get found(): boolean {
    return this.#found;
  }

  /** True when what is still to come can't change the answer. */
  get done(): boolean {
    return this.#found || this.#decoding.done;
  }

  /** Takes the next octets in wire form. */
  push(wireBytes: Uint8Array): void {
    if (!this.done) this.#decoding.push(wireBytes);
  }

  /** The answer. The search is done with. */
  end(): boolean {
    if (!this.done) this.#decoding.end();
    return this.#found;
  }

  #look(text: string, last: boolean): void {
    if (this.#found) return;
    const folded = this.#tail + this.#folding.fold(text, last);
    this.#found = folded.includes(this.#needle);
    this.#tail = last || this.#needle.length < 2 ? "" : folded.slice(1 - this.#needle.length);
  }
}

/** Longer text than this without any ASCII char is folded in arbitrary pieces. */
const MAX_HELD = 1 << 16;

/** Before an ASCII char, with which nothing before it can combine. */
function foldingCut(text: string): number {
  for (let at = text.length - 1; at > 0; at--) {
    if (text.charCodeAt(at) < 0x80) return at;
  }
  if (text.length <= MAX_HELD) return 0;
  // Not between the two halves of a char
  return /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
}

/**
 * {@link TextSearch} through a whole message.
 *
 * @param message in wire form or as it lies in the file
 * @param headers as TEXT does
 */
export function messageContains(
  message: Uint8Array,
  parts: PartOffsets,
  foldedNeedle: string,
  headers: boolean,
): boolean {
  if (foldedNeedle === "") return true;
  const search = new TextSearch(foldedNeedle, { headers }, parts);
  search.push(message.length === parts.at[2] ? message : toWireForm(message));
  return search.end();
}

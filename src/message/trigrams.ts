/**
 * What an index knows of a text: which three chars stand beside each other anywhere in it. A text
 * without one of those of a needle cannot hold the needle; one that has all of them may.
 */

import { type FuzzyNeedle, piecesOf, withoutAccents } from "./fuzzy_text.ts";
import { TextDecoding } from "./decoded_text.ts";
import { isAscii } from "./latin1.ts";
import type { PartOffsets } from "./mime.ts";
import { Folding } from "./search_text.ts";

/**
 * What a text must have to be looked at: one alternative of each element, and of an alternative
 * every token. Two chars stand for all trigrams that begin with them.
 */
export type TokenQuery = readonly (readonly (readonly string[])[])[];

/** Chars behind the end of a text: what is not ASCII shares numbers, which only finds more. */
const END = 0;

function symbolOf(code: number): number {
  return code < 0x80 ? code : 0x80 | code & 0x7f;
}

/** Digits and small letters stand for themselves, the rest for chars that no tokenizer cuts at. */
function charOf(symbol: number): number {
  const isWord = symbol >= 0x61 && symbol <= 0x7a || symbol >= 0x30 && symbol <= 0x39;
  return isWord ? symbol : 0x100 + symbol;
}

function tokenOf(symbols: readonly number[]): string {
  return String.fromCharCode(...symbols.map(charOf));
}

/** The distinct trigrams of one text after the other; made once, since it is 2 MB. */
export class Trigrams {
  /** One bit for each trigram that is in {@link #list}. */
  readonly #seen = new Uint32Array(1 << 19);
  #list = new Uint32Array(1 << 12);
  #count = 0;
  #before = -1;
  #last = -1;

  /** Adds the next piece of a folded text; `end`: with it the text ends. */
  add(folded: string, end: boolean): void {
    const text = isAscii(folded) ? folded : withoutAccents(folded);
    this.#reserve(text.length + 1);
    let [before, last] = [this.#before, this.#last];
    for (let at = 0; at < text.length; at++) {
      const symbol = symbolOf(text.charCodeAt(at));
      if (before >= 0) this.#put(before << 16 | last << 8 | symbol);
      before = last;
      last = symbol;
    }
    if (end && before >= 0) this.#put(before << 16 | last << 8 | END);
    this.#before = end ? -1 : before;
    this.#last = end ? -1 : last;
  }

  #reserve(more: number): void {
    if (this.#count + more <= this.#list.length) return;
    const list = new Uint32Array(Math.max(this.#count + more, this.#list.length * 2));
    list.set(this.#list.subarray(0, this.#count));
    this.#list = list;
  }

  #put(trigram: number): void {
    const bit = 1 << (trigram & 31);
    if ((this.#seen[trigram >> 5] & bit) !== 0) return;
    this.#seen[trigram >> 5] |= bit;
    this.#list[this.#count++] = trigram;
  }

  /** All tokens with a blank after each; it is empty again then. */
  take(): string {
    const octets = new Uint8Array(this.#count * 7);
    let length = 0;
    for (let at = 0; at < this.#count; at++) {
      const trigram = this.#list[at];
      this.#seen[trigram >> 5] = 0;
      for (let shift = 16; shift >= 0; shift -= 8) {
        const char = charOf(trigram >> shift & 0xff);
        if (char >= 0x80) octets[length++] = 0xc0 | char >> 6;
        octets[length++] = char < 0x80 ? char : 0x80 | char & 0x3f;
      }
      octets[length++] = 0x20;
    }
    this.#count = 0;
    this.#before = this.#last = -1;
    if (this.#list.length > LARGE_LIST) this.#list = new Uint32Array(1 << 12);
    return new TextDecoder().decode(octets.subarray(0, length));
  }
}

/** A list that long is not kept for the next text. */
const LARGE_LIST = 1 << 18;

/** Adds all texts that SEARCH TEXT looks into of a message that streams by to `trigrams`. */
export function trigramDecoding(parts: PartOffsets, trigrams: Trigrams): TextDecoding {
  const folding = new Folding();
  return new TextDecoding(
    parts,
    { headers: true },
    (text, last) => trigrams.add(folding.fold(text, last), last),
  );
}

/** More tokens than this of one needle would narrow no further. */
const MAX_TOKENS = 64;

/** The tokens of what a text must hold; undefined if it is too short for any. */
function tokensOf(folded: string): readonly string[] | undefined {
  const plain = withoutAccents(folded);
  const symbols = Array.from(
    { length: Math.min(plain.length, MAX_TOKENS) },
    (_, at) => symbolOf(plain.charCodeAt(at)),
  );
  if (symbols.length < 2) return undefined;
  if (symbols.length === 2) return [tokenOf(symbols)];
  return [...new Set(symbols.slice(2).map((_, at) => tokenOf(symbols.slice(at, at + 3))))];
}

/** What a text must have to hold the needle; undefined if that may be any. */
export function substringQuery(foldedNeedle: string): TokenQuery | undefined {
  const tokens = tokensOf(foldedNeedle);
  return tokens && [[tokens]];
}

/** What a text must have to hold all words of the needle; undefined if that may be any. */
export function fuzzyQuery({ words }: FuzzyNeedle): TokenQuery | undefined {
  const query = words.flatMap((word) => {
    const alternatives = piecesOf(word).map(tokensOf);
    return alternatives.every((tokens) => tokens !== undefined) ? [alternatives] : [];
  });
  return query.length > 0 ? query : undefined;
}

/** What the headers of a message must have if there is a field of that name; undefined if that may be any. */
export function fieldQuery(name: string): TokenQuery | undefined {
  return /^[a-z0-9-]+$/i.test(name) ? substringQuery(name.toLowerCase()) : undefined;
}

/**
 * Search that forgives: all words of the needle must be there, in any order, each as a whole word, as
 * the beginning of one, with one letter wrong, or inside of one. Accents and case do not count.
 *
 * @see RFC 6203 §3
 */

import { normalForm } from "../normal_form.ts";
import { TextDecoding } from "./decoded_text.ts";
import type { PartOffsets } from "./mime.ts";
import { foldCase } from "./search_text.ts";
import { toWireForm } from "./wire_form.ts";

/** How well a word fits, of 100. */
const WHOLE = 100, BEGINNING = 70, ONE_WRONG = 65, INSIDE = 50;

/** A shorter needle is no beginning, an even shorter one stands inside of nothing. */
const LEAST_BEGINNING = 2, LEAST_INSIDE = 3;
/** In longer words than this one letter may be wrong. */
const SURE_LENGTH = 4;
/** More words of a needle have no say. */
const MAX_WORDS = 16;
/** What is behind so many letters of a word has no say. */
const MAX_LENGTH = 64;

const WORD = /[\p{L}\p{N}]+/gu;
const MARK = /\p{M}/gu;
/** Letters whose plain form no decomposition gives. */
const LETTERS = /[ßæœøłđðþ]/g;
const PLAIN: Readonly<Record<string, string>> = {
  "ß": "ss",
  "æ": "ae",
  "œ": "oe",
  "ø": "o",
  "ł": "l",
  "đ": "d",
  "ð": "d",
  "þ": "th",
};

/** What `foldCase` made of a text, with plain letters only. */
export function withoutAccents(folded: string): string {
  return folded.replace(MARK, "").replace(LETTERS, (letter) => PLAIN[letter]);
}

/** Words without case and accents, clipped. */
function wordsOf(text: string): readonly string[] {
  return (withoutAccents(foldCase(text)).match(WORD) ?? []).map((word) =>
    word.slice(0, MAX_LENGTH)
  );
}

/** What is looked for, made once for many texts. */
export class FuzzyNeedle {
  /** Each once. */
  readonly words: readonly string[];

  constructor(text: string) {
    this.words = [...new Set(wordsOf(text))].slice(0, MAX_WORDS);
  }
}

/** Looks for the words of a needle in one text after the other. */
export class FuzzyMatch {
  readonly #words: readonly string[];
  readonly #best: number[];

  constructor({ words }: FuzzyNeedle) {
    this.#words = words;
    this.#best = words.map(() => 0);
  }

  look(text: string): void {
    for (const word of wordsOf(text)) {
      for (const [at, wanted] of this.#words.entries()) {
        if (this.#best[at] < WHOLE) this.#best[at] = Math.max(this.#best[at], fit(wanted, word));
      }
    }
  }

  /** From 1 to 100; 0 if a word is missing. A needle without words is in every text. */
  get score(): number {
    if (this.#best.includes(0)) return 0;
    if (this.#best.length === 0) return WHOLE;
    const sum = this.#best.reduce((total, score) => total + score, 0);
    return Math.max(1, Math.round(sum / this.#best.length));
  }

  /** Nothing that is still to come can change the score. */
  get done(): boolean {
    return this.#best.every((score) => score === WHOLE);
  }
}

/**
 * Parts of a wanted word, one of which stands in every word that {@link fit}s it: one wrong letter, or
 * two that changed places, cannot be in both halves.
 */
export function piecesOf(wanted: string): readonly string[] {
  if (wanted.length <= SURE_LENGTH) return [wanted];
  const half = Math.floor((wanted.length - 1) / 2);
  return [wanted.slice(0, half), wanted.slice(-half)];
}

/** How well a word fits the wanted one; 0 if it does not. */
function fit(wanted: string, word: string): number {
  if (wanted === word) return WHOLE;
  if (word.startsWith(wanted) && wanted.length >= LEAST_BEGINNING) {
    return BEGINNING + Math.floor((WHOLE - BEGINNING) * wanted.length / word.length);
  }
  if (wanted.length > SURE_LENGTH && isOneWrong(wanted, word)) return ONE_WRONG;
  return isLongEnough(wanted) && word.includes(wanted) ? INSIDE : 0;
}

/** Scripts that put no blanks between words have words of one char. */
function isLongEnough(wanted: string): boolean {
  return wanted.length >= LEAST_INSIDE || wanted.charCodeAt(0) >= 0x2e80;
}

/** One letter is another, too much, missing, or has changed places with the next. */
function isOneWrong(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const rest = (text: string, from: number) => text.slice(at + from);
  if (a.length > b.length) return rest(a, 1) === rest(b, 0);
  if (a.length < b.length) return rest(a, 0) === rest(b, 1);
  return rest(a, 1) === rest(b, 1) ||
    (a[at] === b[at + 1] && a[at + 1] === b[at] && rest(a, 2) === rest(b, 2));
}

/** A {@link FuzzyMatch} in a message that streams by; BODY and TEXT as in `TextSearch`. */
export class FuzzyTextSearch {
  readonly #decoding: TextDecoding;
  readonly #match: FuzzyMatch;
  /** The last word that came, which may go on. */
  #held = "";
  /** What comes next goes on with a word that was too long to be held. */
  #within = false;

  constructor(
    needle: FuzzyNeedle,
    options: { readonly headers: boolean },
    parts: PartOffsets,
  ) {
    this.#match = new FuzzyMatch(needle);
    this.#decoding = new TextDecoding(parts, options, (text, last) => this.#look(text, last));
  }

  /** True when what is still to come can't change the answer. */
  get done(): boolean {
    return this.#match.done || this.#decoding.done;
  }

  /** Takes the next octets in wire form. */
  push(wireBytes: Uint8Array): void {
    if (!this.done) this.#decoding.push(wireBytes);
  }

  /** The score, 0 for no match. The search is done with. */
  end(): number {
    if (!this.done) this.#decoding.end();
    return this.#match.score;
  }

  #look(text: string, last: boolean): void {
    if (this.#match.done) return;
    const rest = this.#within ? text.slice(wordEnd(text)) : text;
    if (rest !== "" || last) this.#within = false;
    const all = this.#held + rest;
    const boundary = last ? all.length : wordStart(all);
    const cut = all.length - boundary > LONGEST_HELD ? all.length : boundary;
    if (cut > boundary) this.#within = true;
    this.#held = all.slice(cut);
    this.#match.look(all.slice(0, cut));
  }
}

/** A word of so many chars is taken for what has come of it. */
const LONGEST_HELD = 64 * MAX_LENGTH;

/** Whether a char is in no word, whatever stands beside it; some are letters only once folded. */
function isBetweenWords(char: string): boolean {
  const code = char.charCodeAt(0);
  if (code < 0x80) return !/[A-Za-z0-9]/.test(char);
  return !/[\p{L}\p{N}\p{M}\p{Cs}]/u.test(normalForm(char, "NFKD"));
}

/** Where the word at the end begins. */
function wordStart(text: string): number {
  for (let at = text.length; at > 0;) {
    const isPair = /[\udc00-\udfff]/.test(text[at - 1]) &&
      /[\ud800-\udbff]/.test(text[at - 2] ?? "");
    const start = isPair ? at - 2 : at - 1;
    if (isBetweenWords(text.slice(start, at))) return at;
    at = start;
  }
  return 0;
}

/** Where the word ends whose rest stands at the start. */
function wordEnd(text: string): number {
  let end = 0;
  for (const char of text) {
    if (isBetweenWords(char)) break;
    end += char.length;
  }
  return end;
}

/**
 * {@link FuzzyTextSearch} through a whole message.
 *
 * @param message in wire form or as it lies in the file
 */
export function fuzzyScore(
  message: Uint8Array,
  parts: PartOffsets,
  needle: FuzzyNeedle,
  headers: boolean,
): number {
  const search = new FuzzyTextSearch(needle, { headers }, parts);
  search.push(message.length === parts.at[2] ? message : toWireForm(message));
  return search.end();
}

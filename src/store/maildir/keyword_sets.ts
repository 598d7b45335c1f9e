/** Keywords of an account: each word and each set of words has a number. */

import type { MailboxRows } from "./mailbox_rows.ts";

const NONE: readonly never[] = [];

/**
 * Sets of keywords by number, so that a message's keywords are one integer. A word is matched
 * whatever its case and keeps the spelling of its first use. @see RFC 9051 §2.3.2
 */
export class KeywordSets {
  readonly #rows: MailboxRows;
  #words: string[] = [];
  #wordNumbers = new Map<string, number>();
  /** Number of a set → its words' numbers, ascending. */
  #sets: (readonly number[])[] = [NONE];
  #setNumbers = new Map<string, number>([["", 0]]);
  #spelled: (readonly string[])[] = [];

  constructor(rows: MailboxRows) {
    this.#rows = rows;
    this.reload();
  }

  /** Reads all from the index, also after a failed commit. */
  reload(): void {
    this.#words = [];
    this.#wordNumbers = new Map();
    this.#sets = [NONE];
    this.#setNumbers = new Map([["", 0]]);
    this.#spelled = [];
    for (const { id, word } of this.#rows.keywordWords()) this.#addWord(id, word);
    for (const { id, words } of this.#rows.keywordSets()) {
      this.#sets[id] = words.split(",").map(Number);
      this.#setNumbers.set(words, id);
    }
  }

  /** The words of a set. */
  words(set: number): readonly string[] {
    return this.#spelled[set] ??= (this.#sets[set] ?? NONE).map((word) => this.word(word));
  }

  /** The words' numbers in a set, ascending. */
  numbers(set: number): readonly number[] {
    return this.#sets[set] ?? NONE;
  }

  /** The word with that number. */
  word(number: number): string {
    return this.#words[number] ?? "";
  }

  /** The number of a word, if anybody used it yet. */
  find(word: string): number | undefined {
    return this.#wordNumbers.get(word.toLowerCase());
  }

  /** Numbers of words, ascending; new ones are written to the index, so call it in a transaction. */
  intern(words: readonly string[]): number[] {
    const numbers = new Set<number>();
    for (const word of words) {
      let number = this.find(word);
      if (number === undefined) {
        number = this.#words.length;
        this.#rows.insertKeyword(number, word);
        this.#addWord(number, word);
      }
      numbers.add(number);
    }
    return [...numbers].sort((a, b) => a - b);
  }

  /** The set of these words (ascending numbers); call it in a transaction. */
  set(numbers: readonly number[]): number {
    const key = numbers.join(",");
    let set = this.#setNumbers.get(key);
    if (set === undefined) {
      set = this.#sets.length;
      this.#rows.insertKeywordSet(set, key);
      this.#sets[set] = numbers;
      this.#setNumbers.set(key, set);
    }
    return set;
  }

  #addWord(number: number, word: string): void {
    this.#words[number] = word;
    this.#wordNumbers.set(word.toLowerCase(), number);
  }
}

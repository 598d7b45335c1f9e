/** What must hold between keywords, sets of them and mailboxes, and what is done where it does not. */

import type { DatabaseSync } from "node:sqlite";

/** What is wrong with an account's keywords. */
export interface KeywordFaults {
  /** Numbers of words that no client can be told. */
  readonly words: readonly number[];
  /** Sets with numbers that no word has, and what is left of them. */
  readonly sets: readonly { readonly id: number; readonly left: readonly number[] }[];
  /** Mailboxes whose list of keywords lacks some, or has some that there are not; and a right one. */
  readonly lists: readonly { readonly mailbox: number; readonly keywords: string }[];
}

/** Looks at all keywords; quick, since there are few. */
export function keywordFaults(database: DatabaseSync): KeywordFaults {
  const words = new Map<number, string>();
  for (const { id, word } of database.prepare("SELECT id, word FROM keywords").all()) {
    words.set(Number(id), String(word));
  }
  const sets = new Map<number, readonly number[]>();
  const badSets: { id: number; left: number[] }[] = [];
  for (const { id, words: numbers } of database.prepare("SELECT * FROM keyword_sets").all()) {
    const known = numbersIn(String(numbers)).filter((number) => words.has(number));
    sets.set(Number(id), known);
    if (known.join() !== numbers) badSets.push({ id: Number(id), left: known });
    else if (known.length === 0) badSets.push({ id: Number(id), left: [] });
  }
  return {
    words: [...words].filter(([, word]) => !isKeyword(word)).map(([id]) => id),
    sets: badSets,
    lists: [...badLists(database, words, sets)],
  };
}

function* badLists(
  database: DatabaseSync,
  words: ReadonlyMap<number, string>,
  sets: ReadonlyMap<number, readonly number[]>,
): Generator<KeywordFaults["lists"][number]> {
  const used = database.prepare("SELECT DISTINCT keywords FROM messages WHERE mailbox = ?");
  for (const { id, keywords } of database.prepare("SELECT id, keywords FROM mailboxes").all()) {
    const known = numbersIn(String(keywords)).filter((number) => words.has(number));
    const all = new Set(known);
    for (const { keywords: set } of used.all(Number(id))) {
      for (const number of sets.get(Number(set)) ?? []) all.add(number);
    }
    const right = [...all].join();
    if (right !== keywords) yield { mailbox: Number(id), keywords: right };
  }
}

function numbersIn(list: string): number[] {
  return list.split(",").filter((each) => /^\d{1,9}$/.test(each)).map(Number);
}

/** A flag-keyword is an atom. @see RFC 9051 §9 */
function isKeyword(word: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[^\x00-\x20(){%*"\\\]\x7f-\uffff]+$/.test(word);
}

/**
 * Mends them in a transaction of the caller's.
 *
 * @param modseq of each mailbox, higher than all before
 */
export function mendKeywords(
  database: DatabaseSync,
  faults: KeywordFaults,
  modseq: (mailbox: number) => number,
): void {
  const has = database.prepare("SELECT 1 FROM keywords WHERE lower(word) = ?");
  for (const id of faults.words) {
    let word = `keyword${id}`;
    // With two numbers, a search for it would find the messages of one only.
    while (has.get(word) !== undefined) word += "-";
    database.prepare("UPDATE keywords SET word = ? WHERE id = ?").run(word, id);
  }
  const using = database.prepare("SELECT DISTINCT mailbox FROM messages WHERE keywords = ?");
  const change = database.prepare(
    "UPDATE messages SET keywords = ?, modseq = ? WHERE mailbox = ? AND keywords = ?",
  );
  for (const { id, left } of faults.sets) {
    if (left.length > 0) {
      database.prepare("UPDATE keyword_sets SET words = ? WHERE id = ?").run(left.join(), id);
    } else database.prepare("DELETE FROM keyword_sets WHERE id = ?").run(id);
    for (const { mailbox } of using.all(id)) {
      change.run(left.length > 0 ? id : 0, modseq(Number(mailbox)), Number(mailbox), id);
    }
  }
  for (const { mailbox, keywords } of faults.lists) {
    database.prepare("UPDATE mailboxes SET keywords = ? WHERE id = ?").run(keywords, mailbox);
  }
}

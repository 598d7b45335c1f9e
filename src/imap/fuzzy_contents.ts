/** SEARCH keys under FUZZY that look at text. @see RFC 6203 §3 */

import { FuzzyMatch, FuzzyNeedle, fuzzyScore, FuzzyTextSearch } from "../message/fuzzy_text.ts";
import { CACHED_FIELDS, decodeHeader, fieldValues } from "../message/header.ts";
import { locateSection } from "../message/mime.ts";
import { fuzzyQuery } from "../message/trigrams.ts";
import { readText } from "./sections.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";
import { AT_ONCE, filterKept, filterTexts, lookThrough, narrowed } from "./search_contents.ts";

/** Lets pass those of `seqs` with all words of `text` in one field of that name (lower case). */
export function filterFuzzyHeader(
  field: string,
  text: string,
  seqs: Seqs,
  scope: SearchScope,
): Promise<Seqs> {
  const needle = new FuzzyNeedle(text);
  const scoreOf = (header: string) => {
    let best = 0;
    for (const value of fieldValues(header, field)) {
      const match = new FuzzyMatch(needle);
      match.look(decodeHeader(value));
      best = Math.max(best, match.score);
    }
    return best;
  };
  if (CACHED_FIELDS.has(field)) {
    return filterKept(
      ["header"],
      seqs,
      scope,
      ({ header }, seq) => passes(scope, seq, scoreOf(header)),
    );
  }
  return filterTexts(seqs, scope, async (uid, parts, seq) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      const range = locateSection(parts, [], "HEADER");
      return range !== undefined && passes(scope, seq, scoreOf(await readText(stored, range)));
    } finally {
      stored.close();
    }
  });
}

/** Lets pass those of `seqs` with all words of `text` in their text, with `headers` also in headers. */
export async function filterFuzzyText(
  text: string,
  headers: boolean,
  seqs: Seqs,
  scope: SearchScope,
): Promise<Seqs> {
  const needle = new FuzzyNeedle(text);
  const some = await narrowed(fuzzyQuery(needle), seqs, scope);
  return await filterTexts(some, scope, async (uid, parts, seq) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      if (stored.whole !== undefined && stored.size <= AT_ONCE) {
        return passes(scope, seq, fuzzyScore(stored.whole, parts, needle, headers));
      }
      const search = new FuzzyTextSearch(needle, { headers }, parts);
      await lookThrough(stored, search, scope);
      return passes(scope, seq, search.end());
    } finally {
      stored.close();
    }
  });
}

function passes({ relevancy }: SearchScope, seq: number, score: number): boolean {
  if (score > 0) relevancy.note(seq, score);
  return score > 0;
}

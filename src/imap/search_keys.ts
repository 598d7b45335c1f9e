/** The table of SEARCH keys: what each costs, and which messages it lets through. */

import { CACHED_FIELDS } from "../message/header.ts";
import { FuzzyNeedle } from "../message/fuzzy_text.ts";
import { foldCase, isSearchedField } from "../message/search_text.ts";
import { fieldQuery, fuzzyQuery, substringQuery, type TokenQuery } from "../message/trigrams.ts";
import { FLAG } from "../store/store.ts";
import { contains, resolveRanges } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import {
  type FlagTest,
  passingColumns,
  passingFlags,
  type SearchScope,
  type Seqs,
  type Test,
} from "./search_columns.ts";
import { withoutFilters } from "./filters.ts";
import { hasKey, someKey } from "./search_program.ts";
import { UidRequired } from "./uid_required.ts";
import type { View } from "./view.ts";
import { filterFuzzyHeader, filterFuzzyText } from "./fuzzy_contents.ts";
import {
  filterHeader,
  filterHeaderText,
  filterKept,
  filterObjectId,
  filterText,
  narrowed,
} from "./search_contents.ts";

/** What one message costs: columns in memory, kept items, or reading its text. */
type Cost = 0 | 1 | 2;

interface SearchRow<Key> {
  readonly rfc: string;
  readonly capability?: string | readonly string[];
  readonly cost: (key: Key) => Cost;
  /** Needs sizes. */
  readonly prepared?: (key: Key) => boolean;
  /** What messages must have that it lets through; undefined: nothing that the store knows of. */
  readonly tokens?: (key: Key, scope: SearchScope) => TokenQuery | undefined;
  /** For keys of cost 0. */
  readonly test?: (key: Key, scope: SearchScope) => Test;
  /** For keys of higher cost. */
  readonly filter?: (key: Key, seqs: Seqs, scope: SearchScope) => Promise<Seqs>;
}

type KeyNamed<Name> = Extract<SearchKey, { readonly name: Name }>;
type SearchTable = { readonly [Name in SearchKey["name"]]: SearchRow<KeyNamed<Name>> };

const BASE = "RFC 9051 §6.4.4";

/** A key that the columns answer. */
function column<Key>(
  test: (key: Key, scope: SearchScope) => Test,
  more: Partial<SearchRow<Key>> = {},
): SearchRow<Key> {
  return { rfc: BASE, ...more, cost: () => 0, test };
}

/** INTERNALDATE as the day that FETCH shows. */
function internalDay(
  test: (day: number, wanted: number) => boolean,
): SearchRow<{ readonly day: number }> {
  return column((key, { view }) => (index) => {
    const { dates, zones } = view.mailbox.messages;
    return test(Math.floor((dates[index] + zones[index] * 60) / 86_400), key.day);
  });
}

/** The Date field's day; a message without a valid one matches nothing. */
function sentDay(
  test: (day: number, wanted: number) => boolean,
): SearchRow<{ readonly day: number }> {
  return {
    rfc: BASE,
    cost: () => 1,
    filter: (key, seqs, scope) =>
      filterKept(
        ["sentDay"],
        seqs,
        scope,
        ({ sentDay }) => sentDay !== null && test(sentDay, key.day),
      ),
  };
}

/** SAVEDATE as the day that FETCH shows. */
function savedDay(
  test: (day: number, wanted: number) => boolean,
): SearchRow<{ readonly day: number }> {
  return {
    rfc: "RFC 8514 §4.3",
    capability: "SAVEDATE",
    cost: () => 1,
    filter: (key, seqs, scope) =>
      filterKept(
        ["saved"],
        seqs,
        scope,
        ({ saved }) => test(Math.floor(saved / 86_400), key.day),
      ),
  };
}

function objectId(kind: "emailId" | "threadId"): SearchRow<{ readonly objectId: string }> {
  return {
    rfc: "RFC 8474 §6",
    capability: "OBJECTID",
    cost: () => 1,
    filter: (key, seqs, scope) => filterObjectId(kind, key.objectId, seqs, scope),
  };
}

function size(
  test: (size: number, wanted: number) => boolean,
): SearchRow<{ readonly size: number }> {
  return column(
    (key, { view }) => (index) => test(view.mailbox.messages.sizes[index], key.size),
    { prepared: () => true },
  );
}

function age(
  test: (seconds: number, wanted: number) => boolean,
): SearchRow<{ readonly seconds: number }> {
  return column(
    (key, { view, now }) => (index) => test(now - view.mailbox.messages.dates[index], key.seconds),
    { rfc: "RFC 5032 §3", capability: "WITHIN" },
  );
}

/** "$": only messages that are there are tested. @see RFC 5182 §2.1 */
function isSaved(view: View): Test {
  return (_, seq) => view.wasSaved(view.uidOf(seq));
}

function text(headers: boolean): SearchRow<{ readonly value: string }> {
  return {
    rfc: BASE,
    cost: () => 2,
    tokens: ({ value }, scope) => tokensOfText(value, scope),
    filter: (key, seqs, scope) =>
      scope.fuzzy
        ? filterFuzzyText(key.value, headers, seqs, scope)
        : filterText(foldCase(key.value), headers, seqs, scope),
  };
}

function tokensOfText(value: string, { fuzzy }: SearchScope): TokenQuery | undefined {
  return fuzzy ? fuzzyQuery(new FuzzyNeedle(value)) : substringQuery(foldCase(value));
}

/** @see RFC 9051 §6.4.4 */
export const SEARCH_KEYS: SearchTable = {
  ALL: column(() => () => true),
  AND: {
    rfc: BASE,
    cost: ({ keys }) => keys.reduce<Cost>((most, key) => max(most, costOf(key)), 0),
    prepared: ({ keys }) => keys.some(isPrepared),
    test: ({ keys }, scope) => {
      const tests = keys.map((key) => testOf(key, scope));
      if (tests.length === 1) return tests[0];
      return (index, seq) => tests.every((test) => test(index, seq));
    },
    tokens: ({ keys }, scope) => joined(keys.map((key) => tokensOf(key, scope))),
    filter: async ({ keys }, seqs, scope) => {
      // Cheap keys first, so that dear ones see few messages.
      const cheap = keys.filter((key) => costOf(key) === 0);
      if (cheap.length > 0) seqs = await filter({ name: "AND", keys: cheap }, seqs, scope);
      const dear = keys.filter((key) => costOf(key) > 0);
      // Together, since the first would read what only another one leaves out.
      const together = dear.length > 1 && dear.some((key) => costOf(key) === 2);
      if (together) {
        seqs = await narrowed(joined(dear.map((key) => tokensOf(key, scope))), seqs, scope);
      }
      for (const key of dear.sort((a, b) => costOf(a) - costOf(b))) {
        if (seqs.length === 0) break;
        const isNarrowed = (scope.narrowed || together) && tokensOf(key, scope) !== undefined;
        seqs = await filter(key, seqs, { ...scope, narrowed: isNarrowed });
      }
      return seqs;
    },
  },
  OR: {
    rfc: BASE,
    cost: ({ left, right }) => max(costOf(left), costOf(right)),
    prepared: ({ left, right }) => isPrepared(left) || isPrepared(right),
    test: ({ left, right }, scope) => {
      const [first, second] = [testOf(left, scope), testOf(right, scope)];
      return (index, seq) => first(index, seq) || second(index, seq);
    },
    filter: async ({ left, right }, seqs, scope) => {
      const [first, second] = costOf(left) <= costOf(right) ? [left, right] : [right, left];
      const found = new Set(await filter(first, seqs, scope));
      const more = await filter(second, seqs.filter((seq) => !found.has(seq)), scope);
      for (const seq of more) found.add(seq);
      return seqs.filter((seq) => found.has(seq));
    },
  },
  NOT: {
    rfc: BASE,
    cost: ({ key }) => costOf(key),
    prepared: ({ key }) => isPrepared(key),
    test: ({ key }, scope) => {
      const test = testOf(key, scope);
      return (index, seq) => !test(index, seq);
    },
    filter: async ({ key }, seqs, scope) => {
      const found = new Set(await filter(key, seqs, scope));
      // A message expunged meanwhile matches nothing, not even NOT.
      const present = await filter({ name: "ALL" }, seqs, scope);
      return present.filter((seq) => !found.has(seq));
    },
  },
  FUZZY: {
    rfc: "RFC 6203 §3",
    capability: "SEARCH=FUZZY",
    cost: ({ key }) => costOf(key),
    prepared: ({ key }) => isPrepared(key),
    tokens: ({ key }, scope) => tokensOf(key, { ...scope, fuzzy: true }),
    test: ({ key }, scope) => testOf(key, scope),
    filter: ({ key }, seqs, scope) => filter(key, seqs, { ...scope, fuzzy: true }),
  },
  FLAG: column(({ flag, set }, { view }) => {
    const { mailbox } = view;
    const bit = FLAG[flag];
    const wanted = set ? bit : 0;
    return (index) => (mailbox.messages.flags[index] & bit) === wanted;
  }),
  KEYWORD: column((key, { view }) => {
    const wanted = key.keyword.toLowerCase();
    const known = new Map<number, boolean>();
    return (index) => {
      const set = view.mailbox.messages.keywordSets[index];
      let has = known.get(set);
      if (has === undefined) {
        has = view.mailbox.keywordSet(set).some((keyword) => keyword.toLowerCase() === wanted);
        known.set(set, has);
      }
      return has === key.set;
    };
  }),
  RECENT: column((key, { view }) => (_, seq) => view.isRecent(view.uidOf(seq)) === key.set),
  SEQUENCE: column(({ set }, { view }) => {
    const ranges = resolveRanges(set, view.count);
    return (_, seq) => contains(ranges, seq);
  }),
  UID: column(({ set }, { view }) => {
    if (set.saved) return isSaved(view);
    // "*" is the last message of the mailbox, whatever other keys let through.
    const ranges = resolveRanges(set, view.count === 0 ? 0 : view.uidOf(view.count));
    return (_, seq) => contains(ranges, view.uidOf(seq));
  }),
  HEADER: {
    rfc: BASE,
    cost: ({ field }) => CACHED_FIELDS.has(field.toLowerCase()) ? 1 : 2,
    tokens: ({ field, value }, scope) => joined([fieldQuery(field), tokensOfText(value, scope)]),
    filter: async (key, seqs, scope) => {
      const field = key.field.toLowerCase();
      const needle = foldCase(key.value);
      if (!scope.fuzzy && isSearchedField(field)) {
        return await filterHeaderText(field, needle, seqs, scope);
      }
      const some = await narrowed(tokensOf(key, scope), seqs, scope);
      return scope.fuzzy
        ? await filterFuzzyHeader(field, key.value, some, scope)
        : await filterHeader(field, needle, some, scope);
    },
  },
  BODY: text(false),
  TEXT: text(true),
  LARGER: size((size, wanted) => size > wanted),
  SMALLER: size((size, wanted) => size < wanted),
  BEFORE: internalDay((day, wanted) => day < wanted),
  ON: internalDay((day, wanted) => day === wanted),
  SINCE: internalDay((day, wanted) => day >= wanted),
  SENTBEFORE: sentDay((day, wanted) => day < wanted),
  SENTON: sentDay((day, wanted) => day === wanted),
  SENTSINCE: sentDay((day, wanted) => day >= wanted),
  SAVEDBEFORE: savedDay((day, wanted) => day < wanted),
  SAVEDON: savedDay((day, wanted) => day === wanted),
  SAVEDSINCE: savedDay((day, wanted) => day >= wanted),
  // Every mailbox has save dates.
  SAVEDATESUPPORTED: column(() => () => true, { rfc: "RFC 8514 §4.3", capability: "SAVEDATE" }),
  EMAILID: objectId("emailId"),
  THREADID: objectId("threadId"),
  OLDER: age((seconds, wanted) => seconds >= wanted),
  YOUNGER: age((seconds, wanted) => seconds <= wanted),
  MODSEQ: column(
    (key, { view }) => (index) => view.mailbox.messages.modseqs[index] >= key.modseq,
    { rfc: "RFC 7162 §3.1.5", capability: "CONDSTORE" },
  ),
  FILTER: {
    rfc: "RFC 5466 §3.1",
    capability: "FILTERS",
    cost: () => {
      throw new Error("A filter was not replaced by what it stands for");
    },
  },
};

function max(a: Cost, b: Cost): Cost {
  return a > b ? a : b;
}

function rowOf(key: SearchKey): SearchRow<SearchKey> {
  // The row of a key's name takes keys of that name; TypeScript cannot see the pairing.
  return SEARCH_KEYS[key.name] as SearchRow<SearchKey>;
}

function costOf(key: SearchKey): Cost {
  return rowOf(key).cost(key);
}

function isPrepared(key: SearchKey): boolean {
  return rowOf(key).prepared?.(key) ?? false;
}

function testOf(key: SearchKey, scope: SearchScope): Test {
  const { test } = rowOf(key);
  if (test === undefined) throw new Error(`The key ${key.name} is not answered by columns`);
  return test(key, scope);
}

function tokensOf(key: SearchKey, scope: SearchScope): TokenQuery | undefined {
  return rowOf(key).tokens?.(key, scope);
}

/** What is asked for by all of them. */
function joined(queries: readonly (TokenQuery | undefined)[]): TokenQuery | undefined {
  const all = queries.flatMap((query) => query ?? []);
  return all.length > 0 ? all : undefined;
}

/** The key as a test of system flags alone, if it is one. */
function flagTestOf(key: SearchKey): FlagTest | undefined {
  if (key.name === "FLAG") {
    const mask = FLAG[key.flag];
    return { mask, wanted: key.set ? mask : 0 };
  }
  if (key.name !== "AND") return undefined;
  let both: FlagTest = { mask: 0, wanted: 0 };
  for (const each of key.keys) {
    const test = flagTestOf(each);
    if (test === undefined) return undefined;
    // Contradictions are left to the keys themselves.
    if ((both.mask & test.mask & (both.wanted ^ test.wanted)) !== 0) return undefined;
    both = { mask: both.mask | test.mask, wanted: both.wanted | test.wanted };
  }
  return both;
}

/**
 * The sequence numbers of the messages that a program lets through, ascending.
 *
 * @param seqs the messages that are asked about, ascending; all if absent
 */
export async function evaluate(
  program: SearchKey,
  scope: SearchScope,
  seqs?: Seqs,
): Promise<Seqs> {
  const key = await withoutFilters(program, scope.annotation);
  if (scope.view.reader.uidOnly && someKey(key, namesNumbers)) throw new UidRequired();
  return await filter(key, seqs, scope);
}

/** "$" names what was found, not numbers. @see RFC 9586 §3.5, RFC 5182 §2.1 */
function namesNumbers(key: SearchKey): boolean {
  return key.name === "SEQUENCE" && !key.set.saved;
}

/** @param seqs ascending; undefined for all messages */
async function filter(
  key: SearchKey,
  seqs: Seqs | undefined,
  scope: SearchScope,
): Promise<Seqs> {
  const flags = seqs === undefined && !scope.view.diverged ? flagTestOf(key) : undefined;
  if (flags !== undefined) return passingFlags(flags, scope.view);
  const row = rowOf(key);
  if (row.cost(key) === 0 || row.filter === undefined) {
    if (isPrepared(key)) await scope.view.prepare(seqs);
    return await passingColumns(testOf(key, scope), seqs, scope);
  }
  return await row.filter(key, seqs ?? scope.view.seqs(), scope);
}

/** True if the program asks for mod-sequences. @see RFC 7162 §3.1.5 */
export function usesModseq(key: SearchKey): boolean {
  return hasKey(key, "MODSEQ");
}

/** The table of SEARCH keys: what each costs, and which messages it lets through. */

import type { PartOffsets } from "../message/mime.ts";
import { foldCase, headerContains, messageContains, TextSearch } from "../message/search_text.ts";
import { CACHED_FIELDS } from "../message/header.ts";
import { locateSection } from "../message/mime.ts";
import type { Pace } from "../pace.ts";
import { type CachedItems, FLAG, StoreError } from "../store/store.ts";
import { numbersIn } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import { readText } from "./fetch_items.ts";
import type { View } from "./view.ts";

/** UIDs, ascending. */
export type Uids = readonly number[];

/** What evaluating a program needs to know. */
export interface SearchScope {
  readonly view: View;
  /** Seconds since 1970, for OLDER and YOUNGER. */
  readonly now: number;
  readonly pace: Pace;
  readonly warn: (uid: number, error: string) => void;
}

/** What one message costs: columns in memory, kept items, or reading its text. */
type Cost = 0 | 1 | 2;

interface SearchRow<Key> {
  readonly rfc: string;
  readonly capability?: string;
  readonly cost: (key: Key) => Cost;
  readonly filter: (key: Key, uids: Uids, scope: SearchScope) => Promise<Uids> | Uids;
}

type KeyNamed<Name> = Extract<SearchKey, { readonly name: Name }>;
type SearchTable = { readonly [Name in SearchKey["name"]]: SearchRow<KeyNamed<Name>> };

const BASE = "RFC 9051 §6.4.4";

/** A key that the columns answer: `test` is given the column index and the UID. */
function column<Key>(
  test: (key: Key, scope: SearchScope) => (index: number, uid: number) => boolean,
  more: { readonly rfc?: string; readonly capability?: string } = {},
): SearchRow<Key> {
  return {
    rfc: BASE,
    ...more,
    cost: () => 0,
    filter: (key, uids, scope) => {
      const passes = test(key, scope);
      const { view } = scope;
      const filter = (some: Uids) => {
        const found: number[] = [];
        // All messages, and none expunged: the place in the list is the place in the columns.
        const inPlace = some.length === view.count && !view.diverged;
        for (let i = 0; i < some.length; i++) {
          const uid = some[i];
          const index = inPlace ? i : view.indexOf(uid, view.seqOf(uid));
          if (index >= 0 && passes(index, uid)) found.push(uid);
        }
        return found;
      };
      return uids.length <= COLUMN_STEP ? filter(uids) : inSteps(uids, scope.pace, filter);
    },
  };
}

/** Messages that a key on columns looks at between two turns of others. */
const COLUMN_STEP = 20_000;

async function inSteps(uids: Uids, pace: Pace, filter: (some: Uids) => Uids): Promise<Uids> {
  const found: number[] = [];
  for (let start = 0; start < uids.length; start += COLUMN_STEP) {
    for (const uid of filter(uids.slice(start, start + COLUMN_STEP))) found.push(uid);
    if (pace.due()) await pace.turn();
  }
  return found;
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
    filter: (key, uids, scope) =>
      filterKept(
        ["sentDay"],
        uids,
        scope,
        ({ sentDay }) => sentDay !== null && test(sentDay, key.day),
      ),
  };
}

function size(
  test: (size: number, wanted: number) => boolean,
): SearchRow<{ readonly size: number }> {
  const row = column<{ readonly size: number }>((key, { view }) => (index) =>
    test(view.mailbox.messages.sizes[index], key.size)
  );
  return {
    ...row,
    filter: async (key, uids, scope) => {
      await scope.view.mailbox.prepare(uids);
      return row.filter(key, uids, scope);
    },
  };
}

function age(
  test: (seconds: number, wanted: number) => boolean,
): SearchRow<{ readonly seconds: number }> {
  return column(
    (key, { view, now }) => (index) => test(now - view.mailbox.messages.dates[index], key.seconds),
    { rfc: "RFC 5032 §3", capability: "WITHIN" },
  );
}

function text(headers: boolean): SearchRow<{ readonly value: string }> {
  return {
    rfc: BASE,
    cost: () => 2,
    filter: (key, uids, scope) => filterText(key.value, headers, uids, scope),
  };
}

/** @see RFC 9051 §6.4.4 */
export const SEARCH_KEYS: SearchTable = {
  ALL: column(() => () => true),
  AND: {
    rfc: BASE,
    cost: ({ keys }) => keys.reduce<Cost>((most, key) => max(most, costOf(key)), 0),
    filter: async ({ keys }, uids, scope) => {
      // Cheap keys first, so that dear ones see few messages.
      for (const key of [...keys].sort((a, b) => costOf(a) - costOf(b))) {
        if (uids.length === 0) break;
        uids = await evaluate(key, uids, scope);
        if (scope.pace.due()) await scope.pace.turn();
      }
      return uids;
    },
  },
  OR: {
    rfc: BASE,
    cost: ({ left, right }) => max(costOf(left), costOf(right)),
    filter: async ({ left, right }, uids, scope) => {
      const [first, second] = costOf(left) <= costOf(right) ? [left, right] : [right, left];
      const found = new Set(await evaluate(first, uids, scope));
      const more = await evaluate(second, uids.filter((uid) => !found.has(uid)), scope);
      for (const uid of more) found.add(uid);
      return uids.filter((uid) => found.has(uid));
    },
  },
  NOT: {
    rfc: BASE,
    cost: ({ key }) => costOf(key),
    filter: async ({ key }, uids, scope) => {
      const found = new Set(await evaluate(key, uids, scope));
      // A message expunged meanwhile matches nothing, not even NOT.
      const present = await evaluate({ name: "ALL" }, uids, scope);
      return present.filter((uid) => !found.has(uid));
    },
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
  RECENT: column((key, { view }) => (_, uid) => view.isRecent(uid) === key.set),
  SEQUENCE: {
    rfc: BASE,
    cost: () => 0,
    filter: ({ set }, uids, { view }) => {
      const named = new Set(numbersIn(set, view.count).map((seq) => view.uidOf(seq)));
      return uids.filter((uid) => named.has(uid));
    },
  },
  UID: {
    rfc: BASE,
    cost: () => 0,
    filter: ({ set }, uids, { view }) => {
      // "*" is the last message of the mailbox, whatever other keys let through.
      const named = new Set(view.resolve(set, true));
      return uids.filter((uid) => named.has(uid));
    },
  },
  HEADER: {
    rfc: BASE,
    cost: ({ field }) => CACHED_FIELDS.has(field.toLowerCase()) ? 1 : 2,
    filter: (key, uids, scope) => {
      const needle = foldCase(key.value);
      if (!CACHED_FIELDS.has(key.field.toLowerCase())) {
        return filterHeader(key.field, needle, uids, scope);
      }
      return filterKept(
        ["header"],
        uids,
        scope,
        ({ header }) => headerContains(header, key.field, needle),
      );
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
  OLDER: age((seconds, wanted) => seconds >= wanted),
  YOUNGER: age((seconds, wanted) => seconds <= wanted),
  MODSEQ: column(
    (key, { view }) => (index) => view.mailbox.messages.modseqs[index] >= key.modseq,
    { rfc: "RFC 7162 §3.1.5", capability: "CONDSTORE" },
  ),
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

/** Those of `uids` that `key` lets through, in the same order. */
export async function evaluate(key: SearchKey, uids: Uids, scope: SearchScope): Promise<Uids> {
  return await rowOf(key).filter(key, uids, scope);
}

/** True if the program asks for mod-sequences. @see RFC 7162 §3.1.5 */
export function usesModseq(key: SearchKey): boolean {
  switch (key.name) {
    case "MODSEQ":
      return true;
    case "AND":
      return key.keys.some(usesModseq);
    case "OR":
      return usesModseq(key.left) || usesModseq(key.right);
    case "NOT":
      return usesModseq(key.key);
    default:
      return false;
  }
}

/** How many messages' kept items are read at once. */
const BATCH = 500;

async function filterKept<K extends keyof CachedItems>(
  items: readonly K[],
  uids: Uids,
  { view, pace }: SearchScope,
  test: (kept: Pick<CachedItems, K>) => boolean,
): Promise<Uids> {
  const found: number[] = [];
  for (let start = 0; start < uids.length; start += BATCH) {
    const batch = uids.slice(start, start + BATCH);
    await view.mailbox.prepare(batch);
    const rows = await view.mailbox.cached(items, batch[0], batch[batch.length - 1]);
    let next = 0;
    for (const [i, row] of rows.entries()) {
      while (next < batch.length && batch[next] < row.uid) next++;
      if (batch[next] === row.uid && test(row)) found.push(row.uid);
      // Reading the clock costs as much as a short test.
      if (i % 32 === 31 && pace.due()) await pace.turn();
    }
  }
  return found;
}

/** Reads the part trees and texts of messages; one that cannot be read does not match. */
async function filterTexts(
  uids: Uids,
  scope: SearchScope,
  test: (uid: number, parts: PartOffsets) => Promise<boolean>,
): Promise<Uids> {
  const found: number[] = [];
  const { view, pace } = scope;
  for (let start = 0; start < uids.length; start += BATCH) {
    const batch = new Set(uids.slice(start, start + BATCH));
    await view.mailbox.prepare([...batch]);
    const last = uids[Math.min(start + BATCH, uids.length) - 1];
    for (const { uid, parts } of await view.mailbox.cached(["parts"], uids[start], last)) {
      if (!batch.has(uid)) continue;
      try {
        if (await test(uid, JSON.parse(parts))) found.push(uid);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        scope.warn(uid, error.message);
      }
      if (pace.due()) await pace.turn();
    }
  }
  return found;
}

function filterText(
  value: string,
  headers: boolean,
  uids: Uids,
  scope: SearchScope,
): Promise<Uids> {
  const needle = foldCase(value);
  return filterTexts(uids, scope, async (uid, parts) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      if (stored.whole !== undefined) return messageContains(stored.whole, parts, needle, headers);
      const search = new TextSearch(needle, { headers }, parts);
      for await (const piece of stored.read(0, stored.size)) {
        search.push(piece);
        if (search.found) return true;
        if (scope.pace.due()) await scope.pace.turn();
      }
      return search.end();
    } finally {
      stored.close();
    }
  });
}

/** A field that is not kept: looked for in the message's own header. */
function filterHeader(
  field: string,
  needle: string,
  uids: Uids,
  scope: SearchScope,
): Promise<Uids> {
  return filterTexts(uids, scope, async (uid, parts) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      const range = locateSection(parts, [], "HEADER");
      return range !== undefined && headerContains(await readText(stored, range), field, needle);
    } finally {
      stored.close();
    }
  });
}

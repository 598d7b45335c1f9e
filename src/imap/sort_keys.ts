/** The table of SORT keys, and putting messages in order by them. @see RFC 5256 §3 */

import { sortInTurns } from "../pace.ts";
import type { Mailbox } from "../store/store.ts";
import type { SortCriterion, SortKeyName } from "../wire/sort_grammar.ts";
import { placesByRank, type Ranks, ranksOfTexts } from "./ranks.ts";
import { dateLoader, eachSortKey, pickNumbers } from "./key_loaders.ts";
import type { KeyLoader, KeyMemory } from "./key_memory.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";

interface SortRow {
  readonly rfc: string;
  readonly capability: string;
  readonly ranks: (seqs: Seqs, scope: SearchScope, memory: KeyMemory) => Promise<Ranks> | Ranks;
}

const BASE = { rfc: "RFC 5256 §3", capability: "SORT" };
const DISPLAY = { rfc: "RFC 5957 §4", capability: "SORT=DISPLAY" };

/** By name, what RFC 5256 §3 and others define. */
export const SORT_KEYS: Readonly<Record<SortKeyName, SortRow>> = {
  ARRIVAL: { ...BASE, ranks: columnOf((messages) => messages.dates) },
  CC: { ...BASE, ranks: textOf("cc") },
  DATE: { ...BASE, ranks: (seqs, scope, memory) => memory.keysOf(dateLoader, seqs, scope) },
  DISPLAYFROM: { ...DISPLAY, ranks: textOf("displayFrom") },
  DISPLAYTO: { ...DISPLAY, ranks: textOf("displayTo") },
  FROM: { ...BASE, ranks: textOf("from") },
  RELEVANCY: {
    rfc: "RFC 6203 §6",
    capability: "SEARCH=FUZZY",
    ranks: (seqs, { relevancy }) => seqs.map((seq) => -relevancy.of(seq)),
  },
  SIZE: {
    ...BASE,
    ranks: async (seqs, scope) => {
      await scope.view.prepare(seqs);
      return columnOf((messages) => messages.sizes)(seqs, scope);
    },
  },
  SUBJECT: { ...BASE, ranks: textOf("subject") },
  TO: { ...BASE, ranks: textOf("to") },
};

function columnOf(column: (messages: Mailbox["messages"]) => Float64Array) {
  return (seqs: Seqs, { view }: SearchScope): Ranks => {
    const values = column(view.mailbox.messages);
    return Float64Array.from(seqs, (seq) => {
      const at = view.indexOf(view.uidOf(seq), seq);
      return at < 0 ? 0 : values[at];
    });
  };
}

type TextKey = "cc" | "displayFrom" | "displayTo" | "from" | "subject" | "to";

function textOf(key: TextKey): SortRow["ranks"] {
  const loader: KeyLoader<Float64Array> = {
    name: key,
    load: async (mailbox, uids, pace) => {
      const texts = new Array<string>(uids.length).fill("");
      await eachSortKey(mailbox, [key], uids, pace, (at, keys) => texts[at] = keys[key]);
      return await ranksOfTexts(texts, pace);
    },
    pick: pickNumbers,
  };
  return (seqs, scope, memory) => memory.keysOf(loader, seqs, scope);
}

/** Messages with equal keys stay in the order of the mailbox. @see RFC 5256 §3 */
export async function sortMessages(
  seqs: Seqs,
  criteria: readonly SortCriterion[],
  scope: SearchScope,
  memory: KeyMemory,
): Promise<Seqs> {
  if (seqs.length < 2) return seqs;
  const levels: { readonly ranks: Ranks; readonly sign: 1 | -1 }[] = [];
  for (const { key, reverse } of criteria) {
    const ranks = await SORT_KEYS[key].ranks(seqs, scope, memory);
    levels.push({ ranks, sign: reverse ? -1 : 1 });
  }
  const places = levels.length === 1 ? placesByRank(levels[0].ranks, levels[0].sign) : undefined;
  if (places !== undefined) return places.map((place) => seqs[place]);
  const sorted = await sortInTurns(seqs.map((_, at) => at), (a, b) => {
    for (const { ranks, sign } of levels) {
      const difference = sign * (ranks[a] - ranks[b]);
      if (difference !== 0) return difference;
    }
    return a - b;
  }, scope.pace);
  return sorted.map((place) => seqs[place]);
}

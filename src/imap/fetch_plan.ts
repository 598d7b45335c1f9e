/** What a FETCH command will do for each message. */

import type { CachedItems } from "../store/store.ts";
import type { FetchItem } from "../wire/fetch_grammar.ts";
import { planItem } from "./fetch_items.ts";
import type { LastingItem } from "./lasting_texts.ts";
import type { BriefItem, PlannedItem } from "./planned_item.ts";

/** The items of a FETCH, and what all of them together need. */
export interface FetchPlan {
  readonly items: readonly PlannedItem[];
  /** What is read of messages that are opened, or whose texts are not in memory. */
  readonly cached: readonly (keyof CachedItems)[];
  /** What is read where the texts of `kept` are in memory. */
  readonly cachedBeside: readonly (keyof CachedItems)[];
  /** Those of `cached` that have to be known before anything is sent. */
  readonly awaited: readonly (keyof CachedItems)[];
  readonly prepared: boolean;
  readonly opened: boolean;
  /** Items that are answered from memory, where nothing has to be written in pieces. */
  readonly kept: readonly (LastingItem | BriefItem)[];
  /** All of `kept`, if no message has to be opened. */
  readonly lasting: readonly LastingItem[];
  /** Fetching sets \Seen. */
  readonly marksSeen: boolean;
  readonly tellsFlags: boolean;
  readonly tellsModseq: boolean;
}

/** @param readOnly nothing sets \Seen */
export function planFetch(items: readonly FetchItem[], readOnly: boolean): FetchPlan {
  const planned = items.map(planItem);
  const opened = planned.some((item) => item.opened);
  const kept = planned.some((item) => "write" in item || "ready" in item)
    ? []
    : planned.flatMap((item) => keptOf(item) ?? []);
  const beside = planned.filter((item) => keptOf(item) === undefined);
  return {
    items: planned,
    cached: cachedOf(planned),
    cachedBeside: cachedOf(beside),
    awaited: cachedOf(planned.filter((item) => item.prepared)),
    prepared: planned.some((item) => item.prepared),
    opened,
    kept,
    lasting: planned.flatMap((item) => "lasting" in item && !opened ? [item.lasting] : []),
    marksSeen: !readOnly && planned.some((item) => item.marksSeen),
    tellsFlags: items.some((item) => item.name === "FLAGS"),
    tellsModseq: items.some((item) => item.name === "MODSEQ"),
  };
}

/** What of an item stays in memory. */
export function keptOf(item: PlannedItem): LastingItem | BriefItem | undefined {
  if ("lasting" in item) return item.lasting;
  return "brief" in item ? item.brief : undefined;
}

function cachedOf(items: readonly PlannedItem[]): (keyof CachedItems)[] {
  return [...new Set(items.flatMap((item) => item.cached))];
}

/** SEARCH keys that look at what is kept of messages, or at their text. */

import { CACHED_FIELDS } from "../message/header.ts";
import { locateSection, type PartOffsets } from "../message/mime.ts";
import {
  headerContains,
  messageContains,
  type SearchedField,
  TextSearch,
} from "../message/search_text.ts";
import { substringQuery, type TokenQuery } from "../message/trigrams.ts";
import { type CachedItems, type StoredMessage, StoreError, TooMuchAtOnce } from "../store/store.ts";
import { partsOf, readText } from "./sections.ts";
import { keptRows } from "./kept_rows.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";
import type { View } from "./view.ts";

/** How many messages' kept items are read at once. */
const BATCH = 500;

/** How many messages the store narrows down at once. */
const NARROWED = 100_000;

/** Rows of messages between two others that are read, too: that costs less than another statement. */
const GAP = 8;

/** How many messages the store looks through at once, with those between that are not asked for. */
const HEADER_SPAN = 4000;

/** Lets pass those of `seqs` in whose field the needle stands; the store looks. */
export async function filterHeaderText(
  field: SearchedField,
  foldedNeedle: string,
  seqs: Seqs,
  { view, pace }: SearchScope,
): Promise<Seqs> {
  const found: number[] = [];
  for (const batch of spans(seqs)) {
    await view.prepare(batch);
    const [first, last] = [view.uidOf(batch[0]), view.uidOf(batch[batch.length - 1])];
    const holding = new Set<number>();
    for await (const uids of uidsWithHeader(field, foldedNeedle, first, last, view)) {
      for (const uid of uids) holding.add(uid);
      if (pace.due()) await pace.turn();
    }
    if (holding.size > 0) {
      for (const seq of batch) if (holding.has(view.uidOf(seq))) found.push(seq);
    }
  }
  return found;
}

/** `Mailbox.withHeader`, in one piece where that is not too much, and else in several. */
async function* uidsWithHeader(
  field: SearchedField,
  foldedNeedle: string,
  first: number,
  last: number,
  view: View,
): AsyncGenerator<readonly number[], void> {
  try {
    return yield await view.mailbox.withHeader(field, foldedNeedle, first, last);
  } catch (error) {
    if (!(error instanceof TooMuchAtOnce)) throw error;
  }
  const middle = Math.floor((first + last) / 2);
  yield* uidsWithHeader(field, foldedNeedle, first, middle, view);
  yield* uidsWithHeader(field, foldedNeedle, middle + 1, last, view);
}

/** Lets pass those of `seqs` with that identifier; the store looks. @see RFC 8474 §6 */
export async function filterObjectId(
  kind: "emailId" | "threadId",
  objectId: string,
  seqs: Seqs,
  { view, pace }: SearchScope,
): Promise<Seqs> {
  const found: number[] = [];
  for (const batch of spans(seqs)) {
    const uids = batch.map((seq) => view.uidOf(seq));
    await view.mailbox.prepare(uids, [kind]);
    const [first, last] = [uids[0], uids[uids.length - 1]];
    const matching = new Set(await view.mailbox.withObjectId(kind, objectId, first, last));
    if (matching.size > 0) found.push(...batch.filter((_, i) => matching.has(uids[i])));
    if (pace.due()) await pace.turn();
  }
  return found;
}

/** Cuts ascending numbers into runs that the store looks through at once. */
function* spans(seqs: Seqs): Generator<Seqs> {
  for (let start = 0, end = 0; start < seqs.length; start = end) {
    while (end < seqs.length && seqs[end] - seqs[start] < HEADER_SPAN) end++;
    yield seqs.slice(start, end);
  }
}

/** Cuts ascending numbers into runs whose kept items are read at once, with few between them. */
function* runs(seqs: Seqs): Generator<Seqs> {
  for (let start = 0, end = 1; start < seqs.length; start = end++) {
    while (end < seqs.length && end - start < BATCH && seqs[end] - seqs[end - 1] <= GAP) end++;
    yield seqs.slice(start, end);
  }
}

/** Lets pass those of `seqs` whose kept items pass `test`. */
export async function filterKept<K extends keyof CachedItems>(
  items: readonly K[],
  seqs: Seqs,
  { view, pace }: SearchScope,
  test: (kept: Pick<CachedItems, K>, seq: number) => boolean,
): Promise<Seqs> {
  const found: number[] = [];
  for (const batch of runs(seqs)) {
    await view.mailbox.prepare(batch.map((seq) => view.uidOf(seq)), items);
    const [first, last] = [view.uidOf(batch[0]), view.uidOf(batch[batch.length - 1])];
    let next = 0;
    for await (const rows of keptRows(view.mailbox, items, first, last)) {
      for (const [i, row] of rows.entries()) {
        while (next < batch.length && view.uidOf(batch[next]) < row.uid) next++;
        if (next === batch.length) break;
        const seq = batch[next];
        if (view.uidOf(seq) === row.uid && test(row, seq)) found.push(seq);
        // Reading the clock costs as much as a short test.
        if (i % 32 === 31 && pace.due()) await pace.turn();
      }
    }
  }
  return found;
}

/** Reads the part trees and texts of messages; one that cannot be read does not match. */
export async function filterTexts(
  seqs: Seqs,
  scope: SearchScope,
  test: (uid: number, parts: PartOffsets, seq: number) => Promise<boolean>,
): Promise<Seqs> {
  const found: number[] = [];
  const { view, pace } = scope;
  for (const some of runs(seqs)) {
    const batch = new Map(some.map((seq) => [view.uidOf(seq), seq]));
    await view.prepare(some);
    const [first, last] = [view.uidOf(some[0]), view.uidOf(some[some.length - 1])];
    for await (const rows of keptRows(view.mailbox, ["parts"], first, last)) {
      for (const { uid, parts } of rows) {
        const seq = batch.get(uid);
        if (seq === undefined) continue;
        try {
          if (await test(uid, partsOf(parts), seq)) found.push(seq);
        } catch (error) {
          // What cannot be read now may well match: an answer without it would be wrong.
          if (!(error instanceof StoreError) || error.code === "unavailable") throw error;
          scope.warn(uid, error.message);
        }
        if (pace.due()) await pace.turn();
      }
    }
  }
  return found;
}

/** Leaves out messages of which the store knows that they have not what is asked for. */
export async function narrowed(
  query: TokenQuery | undefined,
  seqs: Seqs,
  { view, pace, narrowed }: SearchScope,
): Promise<Seqs> {
  if (narrowed || query === undefined || seqs.length === 0) return seqs;
  const found: number[] = [];
  for (let start = 0; start < seqs.length; start += NARROWED) {
    const some = seqs.slice(start, start + NARROWED);
    const uids = some.map((seq) => view.uidOf(seq));
    const left = await view.mailbox.narrow(uids, query);
    let at = 0;
    for (const [i, uid] of uids.entries()) {
      if (uid !== left[at]) continue;
      found.push(some[i]);
      at++;
    }
    if (pace.due()) await pace.turn();
  }
  return found;
}

/** Octets of a text that are looked through in one go: folding may make them eighteen times as long. */
export const AT_ONCE = 32 * 1024;

/** Has `search` look through a message; others have their turns meanwhile. */
export async function lookThrough(
  stored: StoredMessage,
  search: { readonly done: boolean; push(octets: Uint8Array): void },
  { pace }: SearchScope,
): Promise<void> {
  for await (const piece of stored.read(0, stored.size)) {
    for (let at = 0; at < piece.length; at += AT_ONCE) {
      search.push(piece.subarray(at, at + AT_ONCE));
      if (search.done) return;
      if (pace.due()) await pace.turn();
    }
  }
}

/** Lets pass those of `seqs` whose text, with `headers` also any header, holds the needle. */
export async function filterText(
  foldedNeedle: string,
  headers: boolean,
  seqs: Seqs,
  scope: SearchScope,
): Promise<Seqs> {
  const some = await narrowed(substringQuery(foldedNeedle), seqs, scope);
  return await filterTexts(some, scope, async (uid, parts) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      if (stored.whole !== undefined && stored.size <= AT_ONCE) {
        return messageContains(stored.whole, parts, foldedNeedle, headers);
      }
      const search = new TextSearch(foldedNeedle, { headers }, parts);
      await lookThrough(stored, search, scope);
      return search.end();
    } finally {
      stored.close();
    }
  });
}

/** Lets pass those of `seqs` with the needle in any field of that name (lower case). */
export function filterHeader(
  field: string,
  foldedNeedle: string,
  seqs: Seqs,
  scope: SearchScope,
): Promise<Seqs> {
  if (CACHED_FIELDS.has(field)) {
    return filterKept(
      ["header"],
      seqs,
      scope,
      ({ header }) => headerContains(header, field, foldedNeedle),
    );
  }
  return filterTexts(seqs, scope, async (uid, parts) => {
    const stored = await scope.view.mailbox.read(uid);
    try {
      const range = locateSection(parts, [], "HEADER");
      return range !== undefined &&
        headerContains(await readText(stored, range), field, foldedNeedle);
    } finally {
      stored.close();
    }
  });
}

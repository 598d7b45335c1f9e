/** What SORT and THREAD need of messages: read once, and kept as long as a mailbox's columns are. */

import type { Pace } from "../pace.ts";
import type { Mailbox, MessageColumns } from "../store/store.ts";
import { lowerBound } from "../wire/number_set.ts";
import type { Seqs } from "./search_columns.ts";
import type { View } from "./view.ts";

/** Something about each message, in the order of UIDs. */
export interface KeyLoader<T> {
  /** Under this name it is kept. */
  readonly name: string;
  /** Reads it; what is gone meanwhile counts as empty. */
  load(mailbox: Mailbox, uids: Uint32Array, pace: Pace): Promise<T>;
  /** That of the messages at these places alone. */
  pick(all: T, places: Int32Array): T;
  /** Puts what was read of later messages behind it; absent where all must be read anew. */
  concat?(earlier: T, later: T): T;
}

interface Held {
  /** The UIDs that it was read for: the first `count` of these. */
  readonly uids: Uint32Array;
  readonly count: number;
  readonly value: unknown;
}

/** Fewer messages than this part of a mailbox are read by themselves, where nothing is kept yet. */
const SMALL_PART = 4;

/** Keys of whole mailboxes, for all sessions. */
export class KeyMemory {
  readonly #mailboxes = new WeakMap<MessageColumns, Map<string, Held>>();

  /** What `loader` reads of these messages, which are ascending. */
  async keysOf<T>(
    loader: KeyLoader<T>,
    seqs: Seqs,
    { view, pace }: { readonly view: View; readonly pace: Pace },
  ): Promise<T> {
    const { mailbox } = view;
    const current = this.#current(mailbox.messages, loader);
    if (current === undefined && seqs.length * SMALL_PART < view.count) {
      return await loader.load(mailbox, Uint32Array.from(seqs, (seq) => view.uidOf(seq)), pace);
    }
    const held = current ?? await this.#load(loader, mailbox, pace);
    // Only what this loader made is kept under its name.
    const all = held.value as T;
    const places = placesOf(seqs, view, held);
    return places === undefined ? all : loader.pick(all, places);
  }

  #current<T>(messages: MessageColumns, { name }: KeyLoader<T>): Held | undefined {
    const held = this.#mailboxes.get(messages)?.get(name);
    return held?.uids === messages.uids && held.count === messages.count ? held : undefined;
  }

  async #load<T>(loader: KeyLoader<T>, mailbox: Mailbox, pace: Pace): Promise<Held> {
    const { messages } = mailbox;
    const { uids, count } = messages;
    const known = this.#mailboxes.get(messages) ?? new Map<string, Held>();
    const current = uids.subarray(0, count);
    const value = await renewed(loader, known.get(loader.name), current, mailbox, pace) ??
      await loader.load(mailbox, current, pace);
    const held = { uids, count, value };
    known.set(loader.name, held);
    this.#mailboxes.set(messages, known);
    return held;
  }
}

/** What is held without what is gone, and with what arrived; undefined if it is of no use. */
async function renewed<T>(
  loader: KeyLoader<T>,
  held: Held | undefined,
  uids: Uint32Array,
  mailbox: Mailbox,
  pace: Pace,
): Promise<T | undefined> {
  if (held === undefined || held.count === 0) return undefined;
  const old = lowerBound(uids, uids.length, held.uids[held.count - 1] + 1);
  if (old < uids.length && loader.concat === undefined) return undefined;
  const places = new Int32Array(old);
  for (let at = 0, place = 0; at < old; at++) {
    while (place < held.count && held.uids[place] < uids[at]) place++;
    places[at] = held.uids[place] === uids[at] ? place : -1;
  }
  // Only what this loader made is kept under its name.
  const earlier = loader.pick(held.value as T, places);
  if (old === uids.length || loader.concat === undefined) return earlier;
  return loader.concat(earlier, await loader.load(mailbox, uids.subarray(old), pace));
}

/** Where messages stand in what is held; -1 for none; undefined if they are exactly that. */
function placesOf(seqs: Seqs, view: View, { uids, count }: Held): Int32Array | undefined {
  const places = new Int32Array(seqs.length);
  let whole = seqs.length === count;
  for (let at = 0; at < seqs.length; at++) {
    const uid = view.uidOf(seqs[at]);
    const guess = seqs[at] - 1;
    let place = guess;
    if (guess >= count || uids[guess] !== uid) {
      place = lowerBound(uids, count, uid);
      if (place === count || uids[place] !== uid) place = -1;
    }
    places[at] = place;
    whole &&= place === at;
  }
  return whole ? undefined : places;
}

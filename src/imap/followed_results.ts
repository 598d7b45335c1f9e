/** The results of one searching command, as they change. @see RFC 5267 §4.3 */

import type { FetchItem } from "../wire/fetch_grammar.ts";
import { formatNumberSet } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";
import { evaluate } from "./search_keys.ts";
import { agesIn, withUidsOnly } from "./search_program.ts";
import type { View } from "./view.ts";

/** A searching command whose results are followed. */
export interface Followed {
  readonly key: SearchKey;
  /** Brings results into the requested order; absent: it is that of the mailbox. */
  readonly order?: (found: Seqs, scope: SearchScope) => Promise<Seqs>;
  /** The client is told UIDs, not sequence numbers. */
  readonly byUid: boolean;
  /** What a FETCH response tells of new messages among the results. @see RFC 5465 §7 */
  readonly items?: readonly FetchItem[];
}

/** Up to when changes of the mailbox have been looked at. */
interface Horizon {
  readonly modseq: number;
  /** The last message; "*" meant it. */
  readonly uid: number;
  /** Seconds since 1970. */
  readonly now: number;
}

/** What to look at from now on. */
export function horizon({ view, now }: SearchScope): Horizon {
  const uid = view.count === 0 ? 0 : view.uidOf(view.count);
  return { modseq: view.mailbox.highestModseq, uid, now };
}

export class FollowedResults {
  readonly #key: SearchKey;
  readonly #ages: readonly number[];
  /** UIDs as the client has them, in the requested order. */
  #list: Uint32Array;
  #seen: Horizon;
  #arrived: readonly number[] = [];

  /**
   * @param found sequence numbers in the requested order
   * @param before the evaluation that gave them
   */
  constructor(readonly followed: Followed, view: View, found: Seqs, before: Horizon) {
    this.#key = withUidsOnly(followed.key, view);
    this.#ages = agesIn(this.#key);
    this.#list = uidsOf(found, view);
    this.#seen = before;
  }

  /** UIDs of new messages, ascending, that the last {@link update} found among the results. */
  get arrived(): readonly number[] {
    return this.#arrived;
  }

  /** Looks at what changed since the last time. @returns return data, "" if the results did not */
  async update(scope: SearchScope): Promise<string> {
    const { view } = scope;
    const next = horizon(scope);
    const seen = this.#seen;
    this.#arrived = [];
    const isSame = next.modseq === seen.modseq && next.uid === seen.uid &&
      (this.#ages.length === 0 || next.now === seen.now);
    if (isSame) return "";
    const changed = changedSince(seen, next, this.#ages, view);
    this.#seen = next;
    if (changed.length === 0) return "";
    const passing = uidsOf(await evaluate(this.#key, scope, changed), view);
    this.#arrived = [...passing].filter((uid) => uid > seen.uid).sort((a, b) => a - b);
    return await this.#replace(uidsOf(changed, view), passing, scope);
  }

  /** Of the messages that were looked at, those that pass are results now, and the others are not. */
  async #replace(looked: Uint32Array, passing: Uint32Array, scope: SearchScope): Promise<string> {
    const among = new Set(looked);
    const had = new Set(this.#list.filter((uid) => among.has(uid)));
    const passes = new Set(passing);
    const lost = new Set(looked.filter((uid) => had.has(uid) && !passes.has(uid)));
    const fresh = passing.filter((uid) => !had.has(uid));
    const removed = this.remove(lost, scope.view);
    if (fresh.length === 0) return removed;
    if (this.followed.order === undefined) {
      this.#list = merged(this.#list, fresh);
      return `${removed} ADDTO (0 ${this.#spell(fresh, scope.view)})`;
    }
    return removed + await this.#arrange(fresh, this.followed.order, scope);
  }

  /** Puts new results where the requested order wants them. */
  async #arrange(
    fresh: Uint32Array,
    order: NonNullable<Followed["order"]>,
    scope: SearchScope,
  ): Promise<string> {
    const { view } = scope;
    const all = seqsOf(merged(this.#list, fresh), view);
    const wanted = uidsOf(await order(all, scope), view);
    const stays = inOrder(this.#list, wanted);
    const removed = this.remove(new Set(this.#list.filter((uid) => !stays.has(uid))), view);
    const pairs = runs(wanted, (uid) => !stays.has(uid)).map(([start, end]) =>
      `${start + 1} ${this.#spell(wanted.subarray(start, end), view)}`
    );
    this.#list = wanted;
    return pairs.length === 0 ? removed : `${removed} ADDTO (${pairs.join(" ")})`;
  }

  /** Takes results out, and tells from where; the client must still count them. @returns return data */
  remove(lost: ReadonlySet<number>, view: View): string {
    if (lost.size === 0) return "";
    const list = this.#list;
    const found = runs(list, (uid) => lost.has(uid));
    if (found.length === 0) return "";
    this.#list = list.filter((uid) => !lost.has(uid));
    if (this.followed.order === undefined) {
      return ` REMOVEFROM (0 ${this.#spell(list.filter((uid) => lost.has(uid)), view)})`;
    }
    let before = 0;
    const pairs = found.map(([start, end]) => {
      const position = start + 1 - before;
      before += end - start;
      return `${position} ${this.#spell(list.subarray(start, end), view)}`;
    });
    return ` REMOVEFROM (${pairs.join(" ")})`;
  }

  #spell(uids: Uint32Array, view: View): string {
    return formatNumberSet(this.followed.byUid ? [...uids] : seqsOf(uids, view));
  }
}

/**
 * The messages whose membership may have changed: those with other flags, new ones, those that
 * became older or younger than an age, and those that "*" stood and stands for.
 */
function changedSince(
  seen: Horizon,
  next: Horizon,
  ages: readonly number[],
  view: View,
): number[] {
  const { modseqs, dates } = view.mailbox.messages;
  const changed: number[] = [];
  for (let seq = 1; seq <= view.count; seq++) {
    const uid = view.uidOf(seq);
    const index = view.indexOf(uid, seq);
    if (
      uid >= seen.uid || seq === view.count || index < 0 || modseqs[index] > seen.modseq ||
      ages.some((age) => dates[index] >= seen.now - age && dates[index] <= next.now - age)
    ) changed.push(seq);
  }
  return changed;
}

function uidsOf(seqs: Seqs, view: View): Uint32Array {
  return Uint32Array.from(seqs, (seq) => view.uidOf(seq));
}

function seqsOf(uids: Uint32Array, view: View): number[] {
  return Array.from(uids, (uid) => view.seqOf(uid)).filter((seq) => seq !== 0);
}

/** Both, ascending. */
function merged(list: Uint32Array, fresh: Uint32Array): Uint32Array {
  const all = new Uint32Array(list.length + fresh.length);
  all.set(list);
  all.set(fresh, list.length);
  return all.sort();
}

/** Where elements that pass stand together: [start, end). */
function runs(list: Uint32Array, passes: (uid: number) => boolean): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < list.length; at++) {
    if (!passes(list[at])) continue;
    const last = found.at(-1);
    if (last !== undefined && last[1] === at) last[1]++;
    else found.push([at, at + 1]);
  }
  return found;
}

/** Those of `list` that follow each other in `wanted` too: the others must move or go. */
function inOrder(list: Uint32Array, wanted: Uint32Array): ReadonlySet<number> {
  const places = new Map(Array.from(list, (uid, place) => [uid, place]));
  const stays = new Set<number>();
  let last = -1;
  for (const uid of wanted) {
    const place = places.get(uid);
    if (place === undefined || place < last) continue;
    stays.add(uid);
    last = place;
  }
  return stays;
}

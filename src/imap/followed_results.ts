/** The results of one searching command, as they change. @see RFC 5267 §4.3 */

import type { FetchItem } from "../wire/fetch_grammar.ts";
import { formatNumberSet } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import { insertions, intersection, merged, type Run, without } from "./result_list.ts";
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
    const { view, pace } = scope;
    const had = intersection(this.#list, new Set(looked));
    if (pace.due()) await pace.turn();
    const fresh = passing.filter((uid) => !had.has(uid));
    const lost = new Set(had);
    for (const uid of passing) lost.delete(uid);
    if (pace.due()) await pace.turn();
    const removed = this.remove(lost, view);
    if (fresh.length === 0) return removed;
    if (this.followed.order !== undefined) {
      return removed + await this.#arrange(fresh, this.followed.order, scope);
    }
    this.#list = merged(this.#list, fresh);
    return `${removed} ADDTO (0 ${this.#spell([...fresh], view)})`;
  }

  /** Puts new results where the requested order wants them. */
  async #arrange(
    fresh: Uint32Array,
    order: NonNullable<Followed["order"]>,
    scope: SearchScope,
  ): Promise<string> {
    const { view, pace } = scope;
    const wanted = uidsOf(await order(seqsOf(merged(this.#list, fresh), view), scope), view);
    if (pace.due()) await pace.turn();
    const incoming = new Set(fresh);
    const runs = insertions(this.#list, wanted, incoming);
    if (runs !== undefined) {
      this.#list = wanted;
      return this.#item("ADDTO", runs, view);
    }
    // A message went meanwhile, or the order itself changed: all of it is told anew.
    const removed = this.remove(new Set(this.#list), view);
    this.#list = wanted;
    return removed + this.#item("ADDTO", [{ position: 1, uids: [...wanted] }], view);
  }

  /** Takes results out, and tells from where; the client must still count them. @returns return data */
  remove(lost: ReadonlySet<number>, view: View): string {
    if (lost.size === 0) return "";
    const { kept, runs } = without(this.#list, lost);
    this.#list = kept;
    if (this.followed.order !== undefined) return this.#item("REMOVEFROM", runs, view);
    const uids = runs.flatMap((run) => run.uids);
    return uids.length === 0 ? "" : ` REMOVEFROM (0 ${this.#spell(uids, view)})`;
  }

  #item(name: "ADDTO" | "REMOVEFROM", runs: readonly Run[], view: View): string {
    const pairs = runs.filter(({ uids }) => uids.length > 0)
      .map(({ position, uids }) => `${position} ${this.#spell(uids, view)}`);
    return pairs.length === 0 ? "" : ` ${name} (${pairs.join(" ")})`;
  }

  #spell(uids: readonly number[], view: View): string {
    return formatNumberSet(this.followed.byUid ? uids : seqsOf(uids, view));
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

function seqsOf(uids: Iterable<number>, view: View): number[] {
  return Array.from(uids, (uid) => view.seqOf(uid)).filter((seq) => seq !== 0);
}

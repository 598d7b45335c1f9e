/** The results of one searching command, as they change. @see RFC 5267 §4.3 */

import type { FetchItem } from "../wire/fetch_grammar.ts";
import { formatNumberSet } from "../wire/number_set.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import { insertions, type Run, without } from "./result_list.ts";
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

/** Marks of messages: among the results, looked at again, and found by that. */
const LISTED = 1;
const LOOKED = 2;
const PASSES = 4;

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
    const passing = await evaluate(this.#key, scope, changed);
    this.#arrived = [...uidsOf(passing, view)].filter((uid) => uid > seen.uid)
      .sort((a, b) => a - b);
    if (scope.pace.due()) await scope.pace.turn();
    return await this.#replace(changed, passing, scope);
  }

  /** Of the messages that were looked at, those that pass are results now, and the others are not. */
  async #replace(looked: Seqs, passing: Seqs, scope: SearchScope): Promise<string> {
    const { view, pace } = scope;
    const marks = this.#marks(looked, passing, view);
    if (pace.due()) await pace.turn();
    const markOf = (uid: number) => marks[view.seqOf(uid)];
    const removed = this.remove((uid) => (markOf(uid) & (LOOKED | PASSES)) === LOOKED, view);
    if (pace.due()) await pace.turn();
    const fresh = Array.from(passing).filter((seq) => (marks[seq] & LISTED) === 0);
    if (fresh.length === 0) return removed;
    const results = resultsOf(marks);
    if (pace.due()) await pace.turn();
    const { order } = this.followed;
    if (order !== undefined) {
      const isFresh = (uid: number) => (markOf(uid) & LISTED) === 0;
      return removed + await this.#arrange(results, isFresh, order, scope);
    }
    this.#list = uidsOf(results, view);
    if (pace.due()) await pace.turn();
    return `${removed} ADDTO (0 ${this.#spell([...uidsOf(fresh, view)], view)})`;
  }

  /** By sequence number: what is known of each message. */
  #marks(looked: Seqs, passing: Seqs, view: View): Uint8Array {
    const marks = new Uint8Array(view.count + 1);
    for (const uid of this.#list) marks[view.seqOf(uid)] |= LISTED;
    for (let at = 0; at < looked.length; at++) marks[looked[at]] |= LOOKED;
    for (let at = 0; at < passing.length; at++) marks[passing[at]] |= PASSES;
    // Where no message is: 0 is the number of those that are gone.
    marks[0] = 0;
    return marks;
  }

  /** Puts new results where the requested order wants them. @param results ascending */
  async #arrange(
    results: Seqs,
    isFresh: (uid: number) => boolean,
    order: NonNullable<Followed["order"]>,
    scope: SearchScope,
  ): Promise<string> {
    const { view, pace } = scope;
    const wanted = uidsOf(await order(results, scope), view);
    if (pace.due()) await pace.turn();
    const runs = insertions(this.#list, wanted, isFresh);
    if (pace.due()) await pace.turn();
    if (runs !== undefined) {
      this.#list = wanted;
      return this.#item("ADDTO", runs, view);
    }
    // A message went meanwhile, or the order itself changed: all of it is told anew.
    const removed = this.remove(() => true, view);
    this.#list = wanted;
    if (pace.due()) await pace.turn();
    return removed + this.#item("ADDTO", [{ position: 1, uids: [...wanted] }], view);
  }

  /** Takes results out, and tells from where; the client must still count them. @returns return data */
  remove(isLost: (uid: number) => boolean, view: View): string {
    const { kept, runs } = without(this.#list, isLost);
    if (runs.length === 0) return "";
    this.#list = kept;
    if (this.followed.order !== undefined) return this.#item("REMOVEFROM", runs, view);
    return ` REMOVEFROM (0 ${this.#spell(runs.flatMap((run) => run.uids), view)})`;
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

/** Numbers of the messages that are results now, ascending. */
function resultsOf(marks: Uint8Array): number[] {
  const results: number[] = [];
  for (let seq = 1; seq < marks.length; seq++) {
    if ((marks[seq] & PASSES) !== 0 || marks[seq] === LISTED) results.push(seq);
  }
  return results;
}

function uidsOf(seqs: Seqs, view: View): Uint32Array {
  return Uint32Array.from(seqs, (seq) => view.uidOf(seq));
}

function seqsOf(uids: Iterable<number>, view: View): number[] {
  return Array.from(uids, (uid) => view.seqOf(uid)).filter((seq) => seq !== 0);
}

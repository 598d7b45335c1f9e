/** STORE: changes of flags and keywords. */

import { Pace } from "../../pace.ts";
import { FLAG, type FlagChange, type StoredFlags } from "../store.ts";
import {
  type AccountContext,
  keywordNumbers,
  keywordsWith,
  saveKeywords,
  saveProgress,
} from "./account_context.ts";
import { type Columns, type Flags, runsOf } from "./columns.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { UidRange } from "./message_rows.ts";

/** Up to this many messages are changed in a transaction shared with others. */
const SMALL = 1000;
const ROWS_PER_STATEMENT = 1000;

/** See `Mailbox.store`. */
export interface StoreOptions {
  readonly unchangedSince?: number;
  readonly told?: number;
}

/** A change worked out: what becomes of which messages. */
interface Plan {
  readonly modseq: number;
  readonly modified: readonly number[];
  readonly overtaken: readonly number[];
  /** Positions of the messages that change, and what they become. */
  readonly indexes: readonly number[];
  readonly results: readonly Flags[];
  /** UIDs among which system flags change. */
  readonly renamed: UidRange | undefined;
  readonly keywords: readonly number[] | undefined;
}

/** Changes flags of messages of an open mailbox: see `Mailbox.store`. */
export function storeFlags(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
  change: FlagChange,
  options: StoreOptions,
): Promise<StoredFlags> {
  const { writer } = account;
  // Whoever wants to make room marks messages first.
  const makesRoom = (change.system & FLAG.deleted) !== 0;
  const plan = () => planning(account, state, uids, change, options);
  if (uids.length <= SMALL) {
    return writer.run(() => {
      const made = finish(plan());
      for (const write of statements(account, state, change, made)) write();
      return { result: resultOf(made), apply: () => apply(account, state, made) };
    }, { makesRoom });
  }
  return writer.alone(async () => {
    const made = await writer.transaction(async () => {
      const pace = new Pace();
      const steps = plan();
      let step = steps.next();
      for (; !step.done; step = steps.next()) if (pace.due()) await pace.turn();
      for (const write of statements(account, state, change, step.value)) {
        write();
        if (pace.due()) await pace.turn();
      }
      return step.value;
    }, { messages: uids.length, makesRoom });
    apply(account, state, made);
    return resultOf(made);
  });
}

function finish<T>(steps: Iterator<void, T>): T {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

function resultOf({ indexes, modseq, modified, overtaken }: Plan): StoredFlags {
  return { modseq: indexes.length > 0 ? modseq : 0, modified, overtaken };
}

/** Works out a change; yields now and then, as with 100,000 messages that takes a while. */
function* planning(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
  change: FlagChange,
  { unchangedSince = Infinity, told = Infinity }: StoreOptions,
): Generator<void, Plan> {
  state.assertThere();
  const columns = state.opened;
  const candidates = columns.indexesOf(uids);
  yield;
  const wanted = candidates.filter((at) => columns.modseqs[at] <= unchangedSince);
  const modified = wanted.length === candidates.length
    ? []
    : candidates.filter((at) => columns.modseqs[at] > unchangedSince).map((at) => columns.uids[at]);
  const more = wanted.length > 0 && change.mode !== "remove"
    ? keywordsWith(account, state, keywordNumbers(account, change.keywords))
    : undefined;
  const keywords = more && [
    ...new Set([
      ...more.filter((number) => number >= 0),
      ...account.keywords.intern(change.keywords),
    ]),
  ];
  const become = keywordChange(account, change);
  const { keep, add } = systemChange(change);
  const indexes: number[] = [];
  const results: Flags[] = [];
  const overtaken: number[] = [];
  let first = 0;
  let last = 0;
  for (const [i, at] of wanted.entries()) {
    if (i % 2000 === 1999) yield;
    const before = columns.flags[at];
    const result = { flags: (before & keep) | add, keywords: become(columns.keywordSets[at]) };
    if (result.flags !== before) {
      first ||= columns.uids[at];
      last = columns.uids[at];
    } else if (result.keywords === columns.keywordSets[at]) continue;
    if (columns.modseqs[at] > told) overtaken.push(columns.uids[at]);
    indexes.push(at);
    results.push(result);
  }
  const renamed = last > 0 ? { first, last } : undefined;
  const modseq = state.highestModseq + 1;
  return { modseq, modified, overtaken, indexes, results, renamed, keywords };
}

function systemChange({ mode, system }: FlagChange): { keep: number; add: number } {
  if (mode === "replace") return { keep: 0, add: system };
  return mode === "add" ? { keep: 0xff, add: system } : { keep: ~system & 0xff, add: 0 };
}

/** What a change makes of a set of keywords. */
function keywordChange(account: AccountContext, change: FlagChange): (set: number) => number {
  const { keywords } = account;
  if (change.keywords.length === 0) return change.mode === "replace" ? () => 0 : (set) => set;
  const results = new Map<number, number>();
  // Words that nobody used yet are made only when a message gets them.
  return (set) => {
    let result = results.get(set);
    if (result === undefined) {
      result = keywords.set(combine(account, change, keywords.numbers(set)));
      results.set(set, result);
    }
    return result;
  };
}

function combine(
  account: AccountContext,
  { mode, keywords }: FlagChange,
  old: readonly number[],
): readonly number[] {
  if (mode === "remove") {
    const gone = new Set(keywords.map((word) => account.keywords.find(word)));
    return old.filter((number) => !gone.has(number));
  }
  const given = account.keywords.intern(keywords);
  if (mode === "replace") return given;
  return [...new Set([...old, ...given])].sort((a, b) => a - b);
}

/** The statements that write a plan, each a short piece of work. */
function* statements(
  account: AccountContext,
  state: MailboxState,
  change: FlagChange,
  made: Plan,
): Iterable<() => void> {
  if (made.indexes.length === 0) return;
  const columns = state.opened;
  const system = systemChange(change);
  for (const { first, last, keywords } of ranges(columns, made)) {
    yield () =>
      account.messages.setFlags(state.id, { first, last }, {
        ...system,
        keywords,
        modseq: made.modseq,
      });
  }
  const { renamed, keywords } = made;
  yield () => {
    if (renamed) account.messages.addWriteBack(state.id, renamed);
    if (keywords) saveKeywords(account, state, keywords);
    saveProgress(account, state, { modseq: made.modseq });
  };
}

/** Neighbours that end with the same keywords are one statement. */
function* ranges(columns: Columns, made: Plan): Iterable<UidRange & { readonly keywords: number }> {
  let position = 0;
  for (const { start, end } of runsOf(made.indexes, ROWS_PER_STATEMENT)) {
    for (let from = start; from < end;) {
      const { keywords } = made.results[position];
      let to = from;
      while (to < end && made.results[position].keywords === keywords) {
        to++;
        position++;
        if (position === made.results.length) break;
      }
      yield { first: columns.uids[from], last: columns.uids[to - 1], keywords };
      from = to;
    }
  }
}

function apply(account: AccountContext, state: MailboxState, made: Plan): void {
  if (made.indexes.length === 0) return;
  const columns = state.opened;
  made.indexes.forEach((at, i) => columns.setFlags(at, made.results[i], made.modseq));
  state.highestModseq = made.modseq;
  if (made.keywords) state.keywords = made.keywords;
  if (made.renamed) account.writeBack.soon(state);
  state.changed("flags");
}

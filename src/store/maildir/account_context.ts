/** What the parts of one open account share, and what they all do with it. */

import type { Log } from "../../log.ts";
import { Pace } from "../../pace.ts";
import type { StoreMeter, StoreOperation } from "../meter.ts";
import { StoreError } from "../store.ts";
import type { Annotations } from "./annotations.ts";
import type { Background } from "./background.ts";
import type { CatchUp } from "./catch_up.ts";
import { Columns } from "./columns.ts";
import type { CommitInDoubt } from "./commit_log.ts";
import type { ContentRows } from "./content_rows.ts";
import type { DirectorySyncs } from "./directory_syncs.ts";
import { readOnlyDisk } from "./disk_error.ts";
import type { ExpungedRows } from "./expunged_rows.ts";
import type { FileNames } from "./file_name.ts";
import type { FolderWatcher } from "./folder_watcher.ts";
import type { KeywordSets } from "./keyword_sets.ts";
import type { LoadedMailboxes } from "./loaded_mailboxes.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { FileName, MessageRows } from "./message_rows.ts";
import type { PathStatuses } from "./path_status.ts";
import type { AccountQuota } from "./quota.ts";
import type { Removals } from "./removals.ts";
import type { Reserve } from "./reserve.ts";
import type { IndexCopies } from "./snapshot.ts";
import type { TextIndex } from "./text_index.ts";
import type { WriteBack } from "./write_back.ts";
import type { Traffic } from "./traffic.ts";
import type { UidValidities } from "./uid_validity.ts";
import type { WriteAheadLog } from "./write_ahead_log.ts";
import type { Writer } from "./writer.ts";

export interface AccountContext {
  readonly name: string;
  /** The account's Maildir. */
  readonly root: string;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly names: FileNames;
  readonly writer: Writer;
  readonly commits: WriteAheadLog;
  readonly reserve: Reserve;
  readonly directorySyncs: DirectorySyncs;
  readonly mailboxes: MailboxRows;
  readonly uidValidities: UidValidities;
  readonly messages: MessageRows;
  readonly expunged: ExpungedRows;
  readonly contents: ContentRows;
  readonly keywords: KeywordSets;
  readonly quota: AccountQuota;
  readonly annotations: Annotations;
  readonly background: Background;
  readonly catchUp: CatchUp;
  /** Absent: texts are not indexed. */
  readonly textIndex?: TextIndex;
  readonly removals: Removals;
  readonly indexCopies: IndexCopies;
  readonly writeBack: WriteBack;
  readonly loaded: LoadedMailboxes;
  readonly traffic: Traffic;
  readonly watcher: FolderWatcher;
  readonly statuses: PathStatuses;
  readonly meter: StoreMeter;
  /** No message is shown as `\Recent`. */
  readonly hidesRecent: boolean;
  /** The disk is read-only: what is in a copy of the index is shown, and the Maildir left alone. */
  readonly readOnly: boolean;
  /**
   * False once another program removed the Maildir, or its disk is no longer read-only; then the
   * account is given up.
   */
  isInPlace(): boolean;
  /** What a failure of SQLite while reading means to the client; a damaged index is given up. */
  refusalOf(error: unknown): StoreError;
  /** What is in memory may not match the index: the account is closed, and opened anew when used. */
  giveUp(error: CommitInDoubt): void;
}

/** Distinct keywords in one mailbox. */
const MAX_KEYWORDS = 1000;

/** Tells the meter what was done to a mailbox, unless it was nothing. */
export function tell(
  { meter, name }: AccountContext,
  operation: StoreOperation,
  { name: mailbox }: MailboxState,
  messages: number,
): void {
  if (messages > 0) meter.did(operation, messages, { account: name, mailbox });
}

/** @throws {StoreError} `unavailable` while the disk is read-only */
export function assertWritable({ readOnly }: AccountContext): void {
  if (readOnly) throw readOnlyDisk();
}

/** The folder of a mailbox. */
export function folderPath(account: AccountContext, state: MailboxState): string {
  return state.folder === "" ? account.root : `${account.root}/${state.folder}`;
}

/**
 * The path of a message file.
 *
 * @throws {StoreError} `unavailable`: whoever may write to the Maildir could have the index say a
 * name that leads out of it
 */
export function filePath(account: AccountContext, state: MailboxState, file: FileName): string {
  if (file.base.includes("/") || file.info.includes("/")) {
    throw new StoreError("unavailable", "The index names a file outside of the mailbox");
  }
  const directory = file.inNew ? "new" : "cur";
  return `${folderPath(account, state)}/${directory}/${file.base}${file.info}`;
}

/** Writes the counters of a mailbox to its row; part of every transaction that raises one. */
export function saveProgress(
  account: AccountContext,
  state: MailboxState,
  to: { readonly uidNext?: number; readonly modseq?: number; readonly firstRecent?: number },
): void {
  account.mailboxes.setProgress(
    state.id,
    to.uidNext ?? state.uidNext,
    to.modseq ?? state.highestModseq,
    to.firstRecent ?? state.firstRecent,
    account.commits.numbers.note(),
  );
}

const LOAD_ROWS = 4000;

/** Reads the columns of a mailbox, unless they are in memory. */
export function loadColumns(account: AccountContext, state: MailboxState): Promise<Columns> {
  if (state.columns) return Promise.resolve(state.columns);
  // In the queue, so that no slice sees a change that another one does not.
  state.loading ??= account.writer.alone(async () => {
    const columns = new Columns();
    const pace = new Pace();
    for (let after = 0;;) {
      const rows = account.messages.load(state.id, after, LOAD_ROWS);
      columns.pushRows(rows);
      if (rows.length < LOAD_ROWS) break;
      after = rows[rows.length - 1][0];
      if (pace.due()) await pace.turn();
    }
    state.columns = columns;
    account.loaded.put(state);
    return columns;
  }).finally(() => state.loading = undefined);
  return state.loading;
}

/** Reads the columns again, all at once: after a transaction failed. */
export function reloadColumns(account: AccountContext, state: MailboxState): void {
  const columns = new Columns();
  columns.generation = (state.columns?.generation ?? 0) + 1;
  for (let after = 0;;) {
    const rows = account.messages.load(state.id, after, LOAD_ROWS);
    columns.pushRows(rows);
    if (rows.length < LOAD_ROWS) break;
    after = rows[rows.length - 1][0];
  }
  state.columns = columns;
}

/**
 * The keywords in use in a mailbox once `added` (numbers of words, -1 for a word nobody used yet)
 * are in it, or undefined when they are already.
 *
 * @throws {StoreError} `too-many`
 */
export function keywordsWith(
  account: AccountContext,
  state: MailboxState,
  added: readonly number[],
): readonly number[] | undefined {
  const known = new Set(state.keywords);
  const more = added.filter((number) => number < 0 || !known.has(number));
  if (more.length === 0) return undefined;
  if (known.size + more.length <= MAX_KEYWORDS) return [...state.keywords, ...more];
  const used = usedKeywords(account, state);
  const kept = state.keywords.filter((number) => used.has(number));
  const still = more.filter((number) => number < 0 || !used.has(number));
  if (kept.length + still.length > MAX_KEYWORDS) {
    throw new StoreError("too-many", `A mailbox can have at most ${MAX_KEYWORDS} keywords`);
  }
  return [...kept, ...still];
}

function usedKeywords(account: AccountContext, state: MailboxState): Set<number> {
  const columns = state.columns;
  if (!columns) return new Set(state.keywords);
  const sets = new Set(columns.keywordSets.subarray(0, columns.count));
  return new Set([...sets].flatMap((set) => account.keywords.numbers(set)));
}

/** Numbers of words as {@link keywordsWith} wants them. */
export function keywordNumbers(account: AccountContext, words: readonly string[]): number[] {
  const distinct = new Map(words.map((word) => [word.toLowerCase(), word]));
  return [...distinct.values()].map((word) => account.keywords.find(word) ?? -1);
}

/** Writes the list of keywords in use; call it in a transaction. */
export function saveKeywords(
  account: AccountContext,
  state: MailboxState,
  keywords: readonly number[],
): void {
  account.mailboxes.setKeywords(state.id, keywords.join(","));
}

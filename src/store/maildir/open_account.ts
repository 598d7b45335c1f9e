/** Puts the parts of an account together, and takes them apart again. */

import { dirname } from "node:path";
import type { Log } from "../../log.ts";
import { yieldNow } from "../../pace.ts";
import type { StoreMeter } from "../meter.ts";
import type { SpecialUse } from "../store.ts";
import { StoreError } from "../store.ts";
import { MaildirAccount } from "./account.ts";
import { type AccountContext, reloadColumns } from "./account_context.ts";
import { syncAbove } from "./account_folder.ts";
import { Annotations } from "./annotations.ts";
import { Background } from "./background.ts";
import { CatchUp, type CatchUpTurns } from "./catch_up.ts";
import { CommitNumbers } from "./commit_numbers.ts";
import { ContentRows } from "./content_rows.ts";
import { Documents } from "./documents.ts";
import { DirectorySyncs } from "./directory_syncs.ts";
import { storeErrorOf } from "./disk_error.ts";
import { ExpungedRows } from "./expunged_rows.ts";
import type { FileNames } from "./file_name.ts";
import { folderOf, isFolderName } from "./folder_name.ts";
import type { FolderWatcher } from "./folder_watcher.ts";
import { Folders, makeFolder } from "./folders.ts";
import { syncDirectory } from "./incoming_file.ts";
import { KeywordSets } from "./keyword_sets.ts";
import type { LoadedMailboxes } from "./loaded_mailboxes.ts";
import { linkIn } from "./links.ts";
import { lstat } from "./locating.ts";
import { MailboxList } from "./mailbox_list.ts";
import { MailboxRows } from "./mailbox_rows.ts";
import { MailboxState } from "./mailbox_state.ts";
import { MessageRows } from "./message_rows.ts";
import type { PathStatuses } from "./path_status.ts";
import { AccountQuota, type QuotaSource } from "./quota.ts";
import { Removals } from "./removals.ts";
import type { SearchService } from "./search_service.ts";
import { Reserve } from "./reserve.ts";
import { settleRestored } from "./restored.ts";
import { INDEX_FILE, type OpenedIndex, openIndex } from "./schema.ts";
import { inheritedSubscriptions, inherits } from "./inheritance.ts";
import { isDamage, isSqliteError, sqliteRefusal } from "./sqlite_error.ts";
import type { ExaminedIndex } from "./index_examination.ts";
import { mendOpen } from "./open_repairs.ts";
import type { Finding } from "./problem.ts";
import { IndexCopies } from "./snapshot.ts";
import { removeStaleFiles } from "./stale_files.ts";
import { TextIndex } from "./text_index.ts";
import type { Traffic } from "./traffic.ts";
import { UidValidities } from "./uid_validity.ts";
import { WriteBack } from "./write_back.ts";
import { putLogBack, WriteAheadLog } from "./write_ahead_log.ts";
import { type Recovery, Writer } from "./writer.ts";

const GIVEN_UP = {
  damaged: "the index is damaged; it is made anew when next used",
  removed: "the Maildir or its index was removed or replaced; it is opened anew when next used",
  "in doubt": "the account may have changed on the disk or not; it is opened anew when next used",
} as const;

/** Milliseconds that the renaming of files may take when an account closes. */
const CLOSING = 1000;

/** What an account gets from its store. */
export interface AccountSettings {
  readonly name: string;
  /** Its Maildir. */
  readonly root: string;
  readonly specialFolders: readonly { readonly name: string; readonly use: SpecialUse }[];
  readonly log: Log;
  readonly clock: () => number;
  readonly names: FileNames;
  readonly loaded: LoadedMailboxes;
  readonly traffic: Traffic;
  readonly watcher: FolderWatcher;
  readonly statuses: PathStatuses;
  readonly catchUpTurns: CatchUpTurns;
  readonly writeBackDelay: number;
  /** By what texts are indexed, and how many octets a message may have; absent: they are not. */
  readonly search?: { readonly service: SearchService; readonly limit: number };
  /** Show no message as `\Recent`. */
  readonly hidesRecent: boolean;
  readonly meter: StoreMeter;
  /** What it may hold, if it has no limits of its own. */
  readonly quota: QuotaSource;
  /** Look through the whole index for damage first. */
  readonly check: boolean;
  /** Called once if the index turns out to be damaged, or the Maildir to be removed. */
  broken(why: "damaged" | "removed" | "in doubt"): void;
}

/** An account, and the means to close it. */
export interface OpenAccount {
  readonly account: MaildirAccount;
  /** The index, to be read only. */
  readonly index: ExaminedIndex;
  /** A mailbox is open, or work in the background goes on. */
  readonly busy: boolean;
  /** Mailboxes that somebody has open. */
  readonly mailboxes: number;
  /** Messages in memory that have not been read yet. */
  readonly unprepared: number;
  /** Messages whose texts are to be indexed. */
  readonly unindexed: number;
  /** See {@link mendOpen}. */
  mend(findings: readonly Finding[]): Promise<void>;
  /** Takes all mailboxes from whoever has them open; the account must be closed then. */
  letGo(): void;
  /** Calls `broken` if the index is no longer where it was opened. */
  assertInPlace(): void;
  /**
   * Moves the Maildir away for good, and lets go of all mailboxes. The account must be closed then.
   *
   * @param moved called in the same turn
   * @throws {StoreError} `unavailable`
   */
  moveTo(path: string, moved: () => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an account, makes it if it is not there, and finishes what a crash left undone.
 *
 * @throws {StoreError} `unavailable`, `over-quota`
 */
export async function openAccount(settings: AccountSettings): Promise<OpenAccount> {
  const { root, name, log } = settings;
  try {
    refuseForeignLink(root);
    makeFolder(root);
    await syncDirectory(root);
    // Once there is an index, this has been done.
    if (!lstat(`${root}/${INDEX_FILE}`)) await syncAbove(root);
  } catch (error) {
    throw storeErrorOf(error, "opening the account");
  }
  const index = await openIndexSoon(settings);
  let numbers: CommitNumbers | undefined;
  let commits: WriteAheadLog | undefined;
  let parts: AccountContext | undefined;
  let inDoubt = index.interrupted;
  try {
    numbers = new CommitNumbers(root, index, log);
    commits = openLog(settings, index, numbers);
    settleRestored(index.database, numbers, log);
    const list = new MailboxList();
    const context = contextOf(settings, index, list, commits);
    parts = context;
    // A sync of it may have failed before, and what follows it now counts on it.
    if (index.interrupted) await commits.mend();
    inDoubt = false;
    context.reserve.fill();
    const folders = new Folders(context, list);
    await folders.recover(index.database);
    for (const row of context.mailboxes.all()) {
      if (!isFolderName(row.folder)) throw outside();
      list.add(new MailboxState(row));
    }
    for (const subscribed of context.mailboxes.subscriptions()) list.subscribe(subscribed);
    const account = new MaildirAccount(name, context, list, folders);
    await account.scan();
    if (context.mailboxes.meta("furnished") === 0) await furnish(settings, context, account, list);
    resume(context, list);
    context.catchUp.start(() => list.states());
    context.textIndex?.start();
    context.background.run("removing stale files", () => removeStaleFiles(context, list.states()));
    return {
      account,
      index: {
        database: index.database,
        alone: (look) => context.writer.alone(() => Promise.resolve().then(look)),
        copyTo: (path) => context.writer.alone(() => context.indexCopies.copy(path)),
      },
      mend: (findings) => mendOpen(context, account, list, findings),
      letGo() {
        for (const state of [...list.states()]) state.vanish();
      },
      get busy() {
        return list.watch.active || context.background.busy ||
          [...list.states()].some(({ handles }) => handles > 0);
      },
      get mailboxes() {
        return [...list.states()].filter(({ handles }) => handles > 0).length;
      },
      get unindexed() {
        return context.textIndex?.waiting ?? 0;
      },
      get unprepared() {
        return [...list.states()].reduce(
          (sum, { columns }) => sum + (columns?.unread.size ?? 0),
          0,
        );
      },
      assertInPlace: () => void context.isInPlace(),
      moveTo: (path, moved) => moveTo(context, list, path, moved),
      close: () => closeAccount(context, account, list, index),
    };
  } catch (error) {
    await parts?.background.stop();
    await parts?.writer.close();
    if (inDoubt || parts?.writer.inDoubt) commits?.keep();
    index.database.close();
    (commits ?? numbers)?.close();
    log.error("cannot open an account", {
      problem: messageOf(error),
    });
    throw isSqliteError(error) ? sqliteRefusal(error) : storeErrorOf(error, "opening the account");
  }
}

/** Whoever may write to the Maildir could have its index say anything. */
function outside(): StoreError {
  return new StoreError("unavailable", "The index names a folder outside of the Maildir");
}

/** In folders that users own, one could lead to the mail of another user. */
function refuseForeignLink(root: string): void {
  const link = lstat(root);
  if (!link?.isSymlink || link.uid === 0) return;
  if (Deno.statSync(root).uid === link.uid) return;
  throw new StoreError("unavailable", "The account's folder is a link to a folder of another user");
}

/** A process that is just ending may hold the index for a moment. */
async function openIndexSoon(settings: AccountSettings): Promise<OpenedIndex> {
  const { root, log, clock, check } = settings;
  const end = performance.now() + 3000;
  const reserve = new Reserve(root, log);
  for (;;) {
    try {
      putLogBack(`${root}/${INDEX_FILE}`);
      return openIndex(root, log, clock, check);
    } catch (error) {
      // Its log takes room, if only a name.
      if (isSqliteError(error) && reserve.isFull()) {
        if (reserve.remove()) continue;
        throw new StoreError("over-quota", "The disk is full", { cause: error });
      }
      if (isSqliteError(error)) throw sqliteRefusal(error);
      if (!(error instanceof StoreError)) throw storeErrorOf(error, "opening the account");
      if (!/another process/.test(error.message) || performance.now() > end) throw error;
    }
    const retry = performance.now() + 50;
    while (performance.now() < retry) await yieldNow();
  }
}

function openLog(
  { root, meter, log }: AccountSettings,
  { database }: OpenedIndex,
  numbers: CommitNumbers,
): WriteAheadLog {
  const synced = (seconds: number) => meter.synced("index", seconds);
  return new WriteAheadLog(`${root}/${INDEX_FILE}`, database, numbers, synced, log);
}

function contextOf(
  settings: AccountSettings,
  { database }: OpenedIndex,
  list: MailboxList,
  commits: WriteAheadLog,
): AccountContext {
  const { name, root, log, clock, names, loaded, watcher, statuses, meter, search } = settings;
  const mailboxes = new MailboxRows(database);
  const messages = new MessageRows(database);
  const keywords = new KeywordSets(mailboxes);
  const background = new Background(log);
  let broken = false;
  const giveUp = (why: keyof typeof GIVEN_UP, problem: string) => {
    if (broken) return;
    broken = true;
    log.error(GIVEN_UP[why], { root, problem });
    for (const state of [...list.states()]) state.vanish();
    settings.broken(why);
  };
  const path = `${root}/${INDEX_FILE}`;
  const inode = statuses.at(path)?.ino;
  const recovery: Recovery = {
    reload() {
      if (broken) return;
      keywords.reload();
      const rows = new Map(mailboxes.all().map((row) => [row.id, row]));
      for (const state of list.states()) {
        const row = rows.get(state.id);
        if (row) state.restore(row);
        if (state.columns) reloadColumns(context, state);
      }
    },
    damaged: (error) => giveUp("damaged", messageOf(error)),
    inDoubt(error) {
      log.error("changes cannot be made durable; no more are taken until they are", {
        root,
        problem: messageOf(error),
      });
    },
    isFull: () => reserve.isFull(),
    makeRoom: () => reserve.release(),
  };
  const reserve = new Reserve(root, log);
  const writer = new Writer(database, recovery, commits, settings.traffic);
  const context: AccountContext = {
    name,
    root,
    log,
    clock,
    names,
    loaded,
    traffic: settings.traffic,
    watcher,
    statuses,
    meter,
    hidesRecent: settings.hidesRecent,
    isInPlace() {
      if (statuses.at(path)?.ino === inode) return true;
      if (!background.stopped) giveUp("removed", "the index is not there any more");
      return false;
    },
    refusalOf(error) {
      if (error instanceof StoreError) return error;
      if (isDamage(error)) recovery.damaged(error);
      return sqliteRefusal(error);
    },
    giveUp: (error) => giveUp("in doubt", error.message),
    writer,
    commits,
    reserve,
    directorySyncs: new DirectorySyncs(
      settings.traffic,
      (seconds) => meter.synced("folder", seconds),
    ),
    mailboxes,
    uidValidities: new UidValidities(root, mailboxes, clock, log),
    messages,
    expunged: new ExpungedRows(database),
    contents: new ContentRows(database),
    keywords,
    background,
    catchUp: new CatchUp(() => context, settings.catchUpTurns, mailboxes.meta(CatchUp.meta)),
    annotations: new Annotations(database),
    textIndex: search && new TextIndex(() => context, {
      ...search,
      documents: new Documents(database, mailboxes, search.limit),
      states: () => list.states(),
    }),
    quota: new AccountQuota(database, mailboxes, writer, settings.quota, () => list.count),
    removals: new Removals(() => context),
    indexCopies: new IndexCopies(root, database),
    writeBack: new WriteBack(() => context, settings.writeBackDelay),
  };
  return context;
}

/** Gives a new account its special folders; in an old Maildir, what is there already is used. */
async function furnish(
  { root, specialFolders }: AccountSettings,
  context: AccountContext,
  account: MaildirAccount,
  list: MailboxList,
): Promise<void> {
  const { mailboxes } = context;
  const before = inherits(root, mailboxes) ? await inheritedSubscriptions(root) : undefined;
  const names = new Set(before ?? [...list.states()].map((state) => state.name));
  names.add("INBOX");
  for (const { name, use } of specialFolders) {
    if (list.get(name)) await setSpecialUse(context, list, name, use);
    else if (linkIn(root, folderOf(name)) === undefined) {
      // Whatever the quota is: an account begins with them.
      await account.make(name, [use]);
      names.add(name);
    }
  }
  await context.writer.run(() => {
    for (const name of names) mailboxes.subscribe(name);
    mailboxes.setMeta("furnished", 1);
    return { result: undefined, apply: () => names.forEach((name) => list.subscribe(name)) };
  });
}

async function setSpecialUse(
  context: AccountContext,
  list: MailboxList,
  name: string,
  use: SpecialUse,
): Promise<void> {
  const state = list.get(name);
  if (!state) return;
  await context.writer.run(() => {
    context.mailboxes.setSpecialUse(state.id, use);
    return { result: undefined, apply: () => state.specialUse = [use] };
  });
}

function moveTo(
  { root, writer, log }: AccountContext,
  list: MailboxList,
  path: string,
  moved: () => void,
): Promise<void> {
  return writer.alone(async () => {
    try {
      Deno.renameSync(root, path);
    } catch (error) {
      throw storeErrorOf(error, "removing the account");
    }
    moved();
    for (const state of [...list.states()]) state.vanish();
    log.info("removed the account", { root });
    try {
      await syncDirectory(dirname(root));
    } catch (error) {
      // It is gone; at worst a power failure brings it back as it was.
      log.warn("cannot make the removal of an account durable", { root, problem: String(error) });
    }
  });
}

/** Goes on with file work that was noted before the last stop. */
function resume(context: AccountContext, list: MailboxList): void {
  const { removals, writeBack } = context.messages.mailboxesWithWork();
  const states = new Map([...list.states()].map((state) => [state.id, state]));
  for (const id of removals) {
    const state = states.get(id);
    if (state) context.removals.soon(state);
  }
  for (const id of writeBack) {
    const state = states.get(id);
    if (state) context.writeBack.soon(state);
  }
}

async function closeAccount(
  context: AccountContext,
  account: MaildirAccount,
  list: MailboxList,
  { database }: OpenedIndex,
): Promise<void> {
  account.stopWatching();
  context.catchUp.stop();
  context.textIndex?.stop();
  await context.background.stop();
  await context.textIndex?.close();
  const end = performance.now() + CLOSING;
  await context.writeBack.flush(() => performance.now() < end).catch(() => {});
  await context.writer.run(() => {
    for (const { id, inNew, inCur } of list.states()) {
      // After our own changes the times say nothing about others': compare next time.
      if (!inNew.touched && !inCur.touched && inCur.mtime > 0) {
        context.mailboxes.setStamps(id, inNew, inCur);
      }
    }
    return { result: undefined };
  }).catch(() => {});
  await context.writer.close();
  for (const state of list.states()) {
    context.loaded.remove(state);
    if (state.handles === 0) state.columns = undefined;
  }
  try {
    if (context.writer.inDoubt) context.commits.keep();
    else database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Whatever is left in the log is read at the next start.
  }
  try {
    database.close();
    context.commits.close();
    context.indexCopies.close();
  } catch (error) {
    context.log.warn("cannot close the index properly", {
      root: context.root,
      problem: messageOf(error),
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

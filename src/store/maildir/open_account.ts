/** Opens an account, and closes it. */

import { dirname } from "node:path";
import { yieldNow } from "../../pace.ts";
import type { SpecialUse } from "../store.ts";
import { StoreError } from "../store.ts";
import { MaildirAccount } from "./account.ts";
import { type AccountContext, assertWritable } from "./account_context.ts";
import { syncAbove } from "./account_folder.ts";
import {
  type AccountIndex,
  type AccountSettings,
  contextOf,
  messageOf,
  openLog,
} from "./account_parts.ts";
import { CommitNumbers, takesWrites } from "./commit_numbers.ts";
import { storeErrorOf, unprovenCommits } from "./disk_error.ts";
import { folderOf, isFolderName } from "./folder_name.ts";
import { Folders, makeFolder } from "./folders.ts";
import { syncDirectory } from "./incoming_file.ts";
import { linkIn } from "./links.ts";
import { lstat } from "./locating.ts";
import { MailboxList } from "./mailbox_list.ts";
import { MailboxState } from "./mailbox_state.ts";
import { Reserve } from "./reserve.ts";
import { settleRestored } from "./restored.ts";
import { INDEX_FILE, type OpenedIndex, openIndex } from "./schema.ts";
import { inheritedSubscriptions, inherits } from "./inheritance.ts";
import { isSqliteError, sqliteRefusal } from "./sqlite_error.ts";
import type { ExaminedIndex } from "./index_examination.ts";
import { mendOpen } from "./open_repairs.ts";
import type { Finding } from "./problem.ts";
import { removeStaleFiles } from "./stale_files.ts";
import { Statements } from "./statements.ts";
import { putLogBack, type WriteAheadLog } from "./write_ahead_log.ts";

/** Milliseconds that the renaming of files may take when an account closes. */
const CLOSING = 1000;

/** An account, and the means to close it. */
export interface OpenAccount {
  readonly account: MaildirAccount;
  /** The index, to be read only; absent where a copy is open in its place. */
  readonly index?: ExaminedIndex;
  /** Nothing can be changed, since the disk is read-only. */
  readonly readOnly: boolean;
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
  /** Calls `broken` if the index is no longer where it was opened, or can be opened for writing. */
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
 * Opens an account, makes it if it is not there, and finishes what a crash left undone. On a disk that
 * is read-only nothing of that is done: what the index has can be read.
 *
 * @throws {StoreError} `unavailable`, `over-quota`
 */
export async function openAccount(settings: AccountSettings): Promise<OpenAccount> {
  const { root, name, log } = settings;
  const index = await indexOf(settings);
  let numbers: CommitNumbers | undefined;
  let commits: WriteAheadLog | undefined;
  let parts: AccountContext | undefined;
  let inDoubt = index.interrupted && !index.readOnly;
  try {
    numbers = new CommitNumbers(root, index, log);
    // Writing the log again, which would settle it, has to wait.
    if (index.readOnly && numbers.unproven) throw unprovenCommits();
    commits = openLog(settings, index, numbers);
    settleRestored(index.database, numbers, log);
    const list = new MailboxList();
    const context = contextOf(settings, index, list, commits);
    parts = context;
    // A sync of it may have failed before, and what follows it now counts on it.
    if (inDoubt) await commits.mend();
    inDoubt = false;
    const folders = new Folders(context, list);
    if (!index.readOnly) {
      context.reserve.fill();
      await folders.recover(index.database);
    }
    for (const row of context.mailboxes.all()) {
      if (!isFolderName(row.folder)) throw outside();
      list.add(new MailboxState(row));
    }
    for (const subscribed of context.mailboxes.subscriptions()) list.subscribe(subscribed);
    const account = new MaildirAccount(name, context, list, folders);
    if (index.readOnly) {
      log.warn("the disk is read-only: mail can be read, and nothing changed", { root });
    } else await begin(settings, context, account, list);
    return {
      account,
      index: index.readOnly ? undefined : {
        database: index.database,
        statements: new Statements(index.database),
        alone: (look) => context.writer.alone(() => Promise.resolve().then(look)),
        copyTo: (path) => context.writer.alone(() => context.indexCopies.copy(path)),
      },
      readOnly: index.readOnly,
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
    index.close();
    (commits ?? numbers)?.close();
    log.error("cannot open an account", {
      problem: messageOf(error),
    });
    throw isSqliteError(error) ? sqliteRefusal(error) : storeErrorOf(error, "opening the account");
  }
}

/** The index of an account, in a Maildir that is made if it is not there. */
async function indexOf(settings: AccountSettings): Promise<AccountIndex> {
  const { root } = settings;
  try {
    refuseForeignLink(root);
    if (takesWrites(root) === false) {
      return await settings.privateIndexes.open(root, settings.check);
    }
    makeFolder(root);
    await syncDirectory(root);
    // Once there is an index, this has been done.
    if (!lstat(`${root}/${INDEX_FILE}`)) await syncAbove(root);
  } catch (error) {
    throw storeErrorOf(error, "opening the account");
  }
  const index = await openIndexSoon(settings);
  const close = () => index.database.close();
  return { ...index, path: `${root}/${INDEX_FILE}`, readOnly: false, close };
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

/** Takes over what is in the Maildir, and begins the work that nobody waits for. */
async function begin(
  settings: AccountSettings,
  context: AccountContext,
  account: MaildirAccount,
  list: MailboxList,
): Promise<void> {
  await account.scan();
  if (context.mailboxes.meta("furnished") === 0) await furnish(settings, context, account, list);
  resume(context, list);
  context.catchUp.start(() => list.states());
  context.textIndex?.start();
  context.background.run("removing stale files", () => removeStaleFiles(context, list.states()));
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
  context: AccountContext,
  list: MailboxList,
  path: string,
  moved: () => void,
): Promise<void> {
  const { root, writer, log } = context;
  return writer.alone(async () => {
    assertWritable(context);
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
  index: AccountIndex,
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
    else index.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Whatever is left in the log is read at the next start.
  }
  try {
    index.close();
    context.commits.close();
    context.indexCopies.close();
  } catch (error) {
    context.log.warn("cannot close the index properly", {
      root: context.root,
      problem: messageOf(error),
    });
  }
}

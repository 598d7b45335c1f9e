/** The parts of an open account, and what has them given up. */

import type { Log } from "../../log.ts";
import type { StoreMeter } from "../meter.ts";
import type { SpecialUse } from "../store.ts";
import { StoreError } from "../store.ts";
import { type AccountContext, reloadColumns } from "./account_context.ts";
import { Annotations } from "./annotations.ts";
import { Background } from "./background.ts";
import { CatchUp, type CatchUpTurns } from "./catch_up.ts";
import { type CommitNumbers, takesWrites } from "./commit_numbers.ts";
import { ContentRows } from "./content_rows.ts";
import { Documents } from "./documents.ts";
import { DirectorySyncs } from "./directory_syncs.ts";
import { indexRemoved } from "./disk_error.ts";
import { ExpungedRows } from "./expunged_rows.ts";
import type { FileNames } from "./file_name.ts";
import type { FolderWatcher } from "./folder_watcher.ts";
import { KeywordSets } from "./keyword_sets.ts";
import type { LoadedMailboxes } from "./loaded_mailboxes.ts";
import type { MailboxList } from "./mailbox_list.ts";
import { MailboxRows } from "./mailbox_rows.ts";
import { MessageRows } from "./message_rows.ts";
import type { PathStatuses } from "./path_status.ts";
import type { PrivateIndexes } from "./private_index.ts";
import { AccountQuota, type QuotaSource } from "./quota.ts";
import { ReadOnlyWriter } from "./read_only_writer.ts";
import { Removals } from "./removals.ts";
import type { SearchService } from "./search_service.ts";
import { Reserve } from "./reserve.ts";
import { INDEX_FILE, type OpenedIndex } from "./schema.ts";
import { isDamage, sqliteRefusal } from "./sqlite_error.ts";
import { IndexCopies } from "./snapshot.ts";
import { TextIndex } from "./text_index.ts";
import type { Traffic } from "./traffic.ts";
import { UidValidities } from "./uid_validity.ts";
import { WriteBack } from "./write_back.ts";
import { WriteAheadLog } from "./write_ahead_log.ts";
import { type Recovery, Writer } from "./writer.ts";

const GIVEN_UP = {
  damaged: "the index is damaged; it is made anew when next used",
  removed: "the Maildir or its index was removed or replaced; it is opened anew when next used",
  "in doubt": "the account may have changed on the disk or not; it is opened anew when next used",
} as const;

/** Why an account is of no use any more; "writable": its disk was read-only, and is not any more. */
export type Ending = keyof typeof GIVEN_UP | "writable";

/** An index that was opened for an account. */
export interface AccountIndex extends OpenedIndex {
  readonly path: string;
  /** It is a copy, since the disk of the account is read-only. */
  readonly readOnly: boolean;
  /** Closes the database. */
  close(): void;
}

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
  readonly privateIndexes: PrivateIndexes;
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
  /** Called at most once, when the account is of no use any more. */
  broken(why: Ending): void;
}

/** The log of an index that was opened. */
export function openLog(
  { meter, log }: AccountSettings,
  { database, path }: AccountIndex,
  numbers: CommitNumbers,
): WriteAheadLog {
  const synced = (seconds: number) => meter.synced("index", seconds);
  return new WriteAheadLog(path, database, numbers, synced, log);
}

/** Makes the parts. */
export function contextOf(
  settings: AccountSettings,
  { database, readOnly }: AccountIndex,
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
  const outdate = () => {
    if (broken) return;
    broken = true;
    log.info("the disk takes writes again; the account is opened anew when next used", { root });
    for (const state of [...list.states()]) state.outdate();
    settings.broken("writable");
  };
  const path = `${root}/${INDEX_FILE}`;
  const inode = statuses.at(path)?.ino;
  const recovery: Recovery = {
    assertInPlace() {
      if (!context.isInPlace()) throw indexRemoved();
    },
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
  const writer = new (readOnly ? ReadOnlyWriter : Writer)(
    database,
    recovery,
    commits,
    settings.traffic,
  );
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
    readOnly,
    isInPlace() {
      const found = statuses.at(path)?.ino;
      if (readOnly) {
        // There is none while the disk is not mounted, to be mended.
        if (found === undefined || (found === inode && takesWrites(root) !== true)) return true;
        if (!background.stopped) outdate();
        return false;
      }
      if (found === inode) return true;
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
    textIndex: search && !readOnly
      ? new TextIndex(() => context, {
        ...search,
        documents: new Documents(database, mailboxes, search.limit),
        states: () => list.states(),
      })
      : undefined,
    quota: new AccountQuota(database, mailboxes, writer, settings.quota, () => list.count),
    removals: new Removals(() => context),
    indexCopies: new IndexCopies(root, database),
    writeBack: new WriteBack(() => context, settings.writeBackDelay),
  };
  return context;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

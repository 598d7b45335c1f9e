/** The store of mail in Maildirs, each with an index beside it. */

import { dirname } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import type { Log } from "../../log.ts";
import type { Account, SpecialUse, Store } from "../store.ts";
import { NO_STORE_METER, type StoreMeter } from "../meter.ts";
import { StoreError } from "../store.ts";
import {
  isAccount,
  isLeftover,
  leftoverPath,
  putInPlace,
  removeTree,
  replacedPath,
  syncAbove,
} from "./account_folder.ts";
import { examineAccount } from "./examining.ts";
import type { ExaminedIndex } from "./index_examination.ts";
import { type Finding, type Problem, problemOf } from "./problem.ts";
import { repairAccount } from "./repairing.ts";
import { FileNames } from "./file_name.ts";
import { CatchUpTurns } from "./catch_up.ts";
import { FolderWatcher } from "./folder_watcher.ts";
import { LastingAccount, type Opening } from "./lasting_account.ts";
import { LoadedMailboxes } from "./loaded_mailboxes.ts";
import { Traffic } from "./traffic.ts";
import { openAccount } from "./open_account.ts";
import { PathStatuses } from "./path_status.ts";
import { PrivateIndexes } from "./private_index.ts";
import type { QuotaSettings, QuotaSource } from "./quota.ts";
import { SearchService } from "./search_service.ts";

/** Each account that is open has up to six files open. */
const MOST_OPEN = 500;
/** An account that nobody used for so many milliseconds is closed. */
const UNUSED = 5 * 60_000;
/** The same for one that is a copy, since its disk is read-only: many of them take much room. */
const UNUSED_COPY = 30_000;

/** What is looked at whenever an account is opened. */
export interface AccountSettings {
  /** Made and subscribed to when an account is first opened; may be empty. */
  readonly specialFolders: readonly { readonly name: string; readonly use: SpecialUse }[];
  /** Show no message as `\Recent`. */
  readonly disableRecent?: boolean;
  /** What an account may hold that has no limits of its own; counts for open accounts, too. */
  readonly quota?: QuotaSettings;
  /** The limits of one account, which come before {@link quota}; what is absent is as there. */
  quotaOf?(account: string): Promise<QuotaSettings>;
  /** Octets of text that a message may have to be indexed for SEARCH; absent: none is. */
  readonly searchLimit?: number;
  /** Who passes a limit is told so, and refused nothing. */
  readonly softQuota?: boolean;
}

/** A place where the folder of an account may be. */
export interface AccountPlace {
  /** Path of the folder. */
  readonly path: string;
  /** The account's name; undefined if no account can have this folder. */
  readonly name: string | undefined;
}

/** Settings of a {@link MaildirStore}. */
export interface MaildirStoreOptions extends AccountSettings {
  /** Absolute path of an account's Maildir. */
  path(account: string): string;
  /**
   * Every folder that is where an account could be, and those beside them; without it only the
   * accounts that were opened are known.
   */
  places?(): AsyncIterable<AccountPlace>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** Bytes of columns that are kept of mailboxes nobody has open; 64 MiB if absent. */
  readonly memoryBudget?: number;
  /** Accounts that may be open before those that nobody uses are closed at once; 500 if absent. */
  readonly mostOpen?: number;
  /** Milliseconds until file names follow the flags; 1,000 if absent. */
  readonly writeBackDelay?: number;
  /** Absent: nobody watches. */
  readonly meter?: StoreMeter;
  /** Closed together with the store. */
  readonly watcher?: FolderWatcher;
  /** By what texts are indexed; absent: they are not. It outlives the store. */
  readonly searchService?: SearchService;
  /** Which account makes data of older messages; absent: all of this store in turn. */
  readonly catchUpTurns?: CatchUpTurns;
  /** Opens accounts on read-only disks; absent: only in the folder for temporary files. */
  readonly privateIndexes?: PrivateIndexes;
}

/** How much a store has in hand. */
export interface StoreMeasures {
  /** Accounts that are open. */
  readonly accounts: number;
  /** Mailboxes that somebody has open. */
  readonly mailboxes: number;
  /** Messages that other programs delivered, which are known but not read yet. */
  readonly unprepared: number;
  /** Messages whose texts are to be indexed. */
  readonly unindexed: number;
}

/** {@link Store} over Maildir++ folders and SQLite. */
export class MaildirStore implements Store {
  #options: MaildirStoreOptions;
  readonly #names: FileNames;
  readonly #loaded: LoadedMailboxes;
  readonly #traffic = new Traffic();
  readonly #watcher: FolderWatcher;
  readonly #statuses = new PathStatuses();
  readonly #catchUpTurns: CatchUpTurns;
  readonly #privateIndexes: PrivateIndexes;
  /** By the path of their Maildir: two names may mean one account. */
  readonly #accounts = new Map<string, LastingAccount>();
  /** Removals under way, by the path of the Maildir. */
  readonly #removing = new Map<string, Promise<unknown>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #cleaned = false;
  #closed = false;

  constructor(options: MaildirStoreOptions) {
    this.#options = options;
    this.#names = new FileNames({
      now: () => performance.timeOrigin + performance.now(),
      pid: Deno.pid,
      host: hostName(),
    });
    this.#loaded = new LoadedMailboxes(options.memoryBudget ?? 64 * 1024 * 1024);
    this.#watcher = options.watcher ?? new FolderWatcher(options.log);
    this.#catchUpTurns = options.catchUpTurns ?? new CatchUpTurns();
    this.#privateIndexes = options.privateIndexes ?? new PrivateIndexes();
    this.#timer = setInterval(() => {
      this.closeUnused().catch((error: unknown) => {
        options.log.warn("cannot close unused accounts", { problem: String(error) });
      });
      if (!this.#cleaned) {
        this.removeLeftovers().catch((error: unknown) => {
          options.log.warn("cannot look for removed accounts", { problem: String(error) });
        });
      }
    }, UNUSED / 5);
    this.#timer.unref();
  }

  /** Opens accounts by other settings; those that are open keep theirs. */
  use(settings: AccountSettings): void {
    this.#options = { ...this.#options, ...settings };
  }

  async account(name: string): Promise<Account> {
    if (this.#closed) throw new StoreError("unavailable", "The mail store is closing");
    const root = this.#options.path(name);
    await this.#removing.get(root)?.catch(() => {});
    const account = this.#accounts.get(root) ?? this.#lasting(name, root);
    this.#accounts.set(root, account);
    await account.refresh();
    this.#closeLeastUsed();
    return account;
  }

  async accounts(): Promise<readonly string[]> {
    const names: string[] = [];
    const { places } = this.#options;
    if (!places) {
      for (const [path, { name }] of this.#accounts) if (isAccount(path)) names.push(name);
    } else {
      for await (const { path, name } of places()) {
        if (name !== undefined && isAccount(path)) names.push(name);
      }
    }
    return names.sort();
  }

  // deno-lint-ignore require-await -- a failure is a rejection
  async exists(name: string): Promise<boolean> {
    const root = this.#pathOf(name);
    return root !== undefined && isAccount(root);
  }

  async remove(name: string): Promise<void> {
    const root = this.#options.path(name);
    await this.#whileGone(root, () => this.#remove(name, root));
  }

  /** Runs `work` while whoever asks for the account waits. */
  // deno-lint-ignore require-await -- a failure is a rejection
  async #whileGone<T>(root: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError("unavailable", "The mail store is closing");
    const before = this.#removing.get(root)?.catch(() => {});
    // Noted in this turn, so that whoever asks for the account from now on waits.
    const working = (async () => {
      await before;
      return await work();
    })().finally(() => {
      if (this.#removing.get(root) === working) this.#removing.delete(root);
    });
    this.#removing.set(root, working);
    return working;
  }

  async #remove(name: string, root: string): Promise<void> {
    if (!isAccount(root)) throw new StoreError("no-mailbox", "There is no such account");
    const aside = leftoverPath(root);
    await this.#moveAside(name, root, aside);
    await removeTree(aside);
  }

  async #moveAside(name: string, root: string, aside: string): Promise<void> {
    if (Deno.lstatSync(root).isSymlink) {
      throw new StoreError("not-permitted", "The account's folder is a symbolic link");
    }
    const account = this.#accounts.get(root) ?? this.#lasting(name, root);
    await account.remove(aside);
    this.#accounts.delete(root);
  }

  replace(name: string, from: string, keep: boolean): Promise<string | undefined> {
    const root = this.#options.path(name);
    return this.#whileGone(root, async () => {
      if (dirname(from) !== dirname(root)) {
        throw new StoreError("not-permitted", "An account can come only from a folder beside it");
      }
      if (!isAccount(root)) return void putInPlace(from, root);
      const aside = keep ? replacedPath(root) : leftoverPath(root);
      await this.#moveAside(name, root, aside);
      try {
        putInPlace(from, root);
      } catch (error) {
        Deno.renameSync(aside, root);
        throw error;
      }
      // Before what it takes the place of is gone.
      await syncAbove(root);
      if (keep) return aside;
      await removeTree(aside);
    });
  }

  /**
   * Looks at how an account is kept; opens and changes nothing.
   *
   * @param thorough read all messages, too
   * @param gone nobody wants to know any more
   * @throws the reason of `gone`
   */
  async examine(
    name: string,
    thorough = false,
    gone?: AbortSignal,
  ): Promise<readonly Problem[]> {
    const found = await this.#withSearch((search) => this.#examine(name, thorough, search, gone));
    return found.map(problemOf);
  }

  async #examine(
    name: string,
    thorough: boolean,
    search: SearchService | undefined,
    gone: AbortSignal | undefined,
  ): Promise<readonly Finding[]> {
    const root = this.#options.path(name);
    const { searchService: worker } = this.#options;
    const { places } = this.#privateIndexes;
    const look = (index?: ExaminedIndex) =>
      examineAccount({ name, root, index, places, worker, search, thorough, gone });
    const account = this.#accounts.get(root);
    return await (account === undefined ? look() : account.withIndex(look));
  }

  /**
   * Mends what {@link examine} finds, as far as it can be mended. No message is removed. Sessions
   * lose the mailboxes that they have open where the index itself has to be mended.
   *
   * @returns what was mended, and what was not
   * @throws {StoreError} `unavailable`, such as: another process has the account open
   */
  async repair(
    name: string,
    thorough = false,
    gone?: AbortSignal,
  ): Promise<readonly Problem[]> {
    if (this.#closed) throw new StoreError("unavailable", "The mail store is closing");
    const root = this.#options.path(name);
    await this.#removing.get(root)?.catch(() => {});
    const account = this.#accounts.get(root) ?? this.#lasting(name, root);
    this.#accounts.set(root, account);
    return await this.#withSearch((search) =>
      repairAccount({
        root,
        account,
        log: this.#options.log.with({ account: name }),
        clock: this.#options.clock ?? Date.now,
        examine: () => this.#examine(name, thorough, search, gone),
      })
    );
  }

  /** The worker of this store, or one for that time; none where texts are not indexed. */
  async #withSearch<T>(work: (search: SearchService | undefined) => Promise<T>): Promise<T> {
    const { searchService, searchLimit } = this.#options;
    if (searchService !== undefined || searchLimit === undefined) {
      return await work(searchLimit === undefined ? undefined : searchService);
    }
    const own = new SearchService();
    try {
      return await work(own);
    } finally {
      own.close();
    }
  }

  /** Removes what is left of accounts whose removal was interrupted. */
  async removeLeftovers(): Promise<void> {
    this.#cleaned = true;
    const { places, log } = this.#options;
    if (!places) return;
    for await (const { path } of places()) {
      if (this.#closed) return;
      if (!isLeftover(path)) continue;
      log.info("removing what is left of a removed account", { path });
      await removeTree(path);
    }
  }

  #pathOf(name: string): string | undefined {
    try {
      return this.#options.path(name);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  /** Closes the accounts that nobody used for five minutes; they open again by themselves. */
  async closeUnused(): Promise<void> {
    const now = this.#now();
    await Promise.all(
      [...this.#accounts.values()].map((account) =>
        account.closeUnused(now - UNUSED, now - UNUSED_COPY)
      ),
    );
  }

  /** Of very many accounts that are open, those that were used last stay so. */
  #closeLeastUsed(): void {
    const open = [...this.#accounts.values()].filter(({ opened }) => opened !== undefined);
    const tooMany = open.length - (this.#options.mostOpen ?? MOST_OPEN);
    if (tooMany <= 0) return;
    const unused = open.filter(({ opened }) => opened?.busy === false)
      .sort((a, b) => a.lastUsed - b.lastUsed);
    for (const account of unused.slice(0, tooMany)) {
      account.closeUnused(Infinity, Infinity).catch((error: unknown) => {
        this.#options.log.warn("cannot close unused accounts", { problem: String(error) });
      });
    }
  }

  /** What is open now. */
  measures(): StoreMeasures {
    const opened = [...this.#accounts.values()].flatMap((account) => account.opened ?? []);
    return {
      accounts: opened.length,
      mailboxes: opened.reduce((sum, account) => sum + account.mailboxes, 0),
      unprepared: opened.reduce((sum, account) => sum + account.unprepared, 0),
      unindexed: opened.reduce((sum, account) => sum + account.unindexed, 0),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.all([...this.#accounts.values()].map((account) => account.end()));
    this.#accounts.clear();
    this.#watcher.close();
    this.#statuses.close();
  }

  #now(): number {
    return this.#options.clock?.() ?? performance.now();
  }

  /** Asks the options as they are at that moment. */
  #quotaSource(name: string): QuotaSource {
    const options = () => this.#options;
    return {
      defaults: () => options().quota ?? {},
      soft: () => options().softQuota ?? false,
      get ofAccount() {
        const { quotaOf } = options();
        return quotaOf && (() => quotaOf(name));
      },
    };
  }

  #lasting(name: string, root: string): LastingAccount {
    const open = (opening: Opening) => {
      // Read at each opening: a reload may have brought others meanwhile.
      const { specialFolders, log, clock, writeBackDelay, disableRecent, meter } = this.#options;
      const { searchService, searchLimit } = this.#options;
      return openAccount({
        name,
        root,
        specialFolders,
        log: log.with({ account: name }),
        clock: clock ?? Date.now,
        names: this.#names,
        loaded: this.#loaded,
        traffic: this.#traffic,
        watcher: this.#watcher,
        statuses: this.#statuses,
        catchUpTurns: this.#catchUpTurns,
        privateIndexes: this.#privateIndexes,
        writeBackDelay: writeBackDelay ?? 1000,
        search: searchService && searchLimit !== undefined
          ? { service: searchService, limit: searchLimit }
          : undefined,
        hidesRecent: disableRecent ?? false,
        meter: meter ?? NO_STORE_METER,
        quota: this.#quotaSource(name),
        ...opening,
      });
    };
    return new LastingAccount(name, open, () => this.#now());
  }
}

/** Part of every file name; without permission to know it, as good as another. */
function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    return "localhost";
  }
}

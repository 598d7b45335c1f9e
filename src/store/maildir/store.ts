/** The store of mail in Maildirs, each with an index beside it. */

import type { Log } from "../../log.ts";
import type { Account, SpecialUse, Store } from "../store.ts";
import { StoreError } from "../store.ts";
import { FileNames } from "./file_name.ts";
import { FolderWatcher } from "./folder_watcher.ts";
import { LoadedMailboxes } from "./loaded_mailboxes.ts";
import { type OpenAccount, openAccount } from "./open_account.ts";
import { isDamage } from "./sqlite_error.ts";

/** Settings of a {@link MaildirStore}. */
export interface MaildirStoreOptions {
  /** Absolute path of an account's Maildir. */
  path(account: string): string;
  /** Made and subscribed to when an account is first opened; may be empty. */
  readonly specialFolders: readonly { readonly name: string; readonly use: SpecialUse }[];
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** Bytes of columns that are kept of mailboxes nobody has open; 64 MiB if absent. */
  readonly memoryBudget?: number;
  /** Milliseconds until file names follow the flags; 1,000 if absent. */
  readonly writeBackDelay?: number;
  /** Closed together with the store. */
  readonly watcher?: FolderWatcher;
}

/** {@link Store} over Maildir++ folders and SQLite. */
export class MaildirStore implements Store {
  readonly #options: MaildirStoreOptions;
  readonly #names: FileNames;
  readonly #loaded: LoadedMailboxes;
  readonly #watcher: FolderWatcher;
  /** By the path of their Maildir: two names may mean one account. */
  readonly #accounts = new Map<string, Promise<OpenAccount>>();
  /** Maildirs whose index turned out to be damaged. */
  readonly #suspect = new Set<string>();
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
  }

  async account(name: string): Promise<Account> {
    if (this.#closed) throw new StoreError("unavailable", "The mail store is closing");
    const root = this.#options.path(name);
    let opening = this.#accounts.get(root);
    if (!opening) {
      opening = this.#open(name, root);
      this.#accounts.set(root, opening);
      opening.catch(() => this.#accounts.delete(root));
      return (await opening).account;
    }
    const { account } = await opening;
    await account.scan();
    return account;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const accounts = await Promise.allSettled(this.#accounts.values());
    this.#accounts.clear();
    for (const account of accounts) {
      if (account.status === "fulfilled") await account.value.close();
    }
    this.#watcher.close();
  }

  async #open(name: string, root: string): Promise<OpenAccount> {
    try {
      return await this.#openOnce(name, root, this.#suspect.delete(root));
    } catch (error) {
      if (!(error instanceof StoreError && isDamage(error.cause))) throw error;
      return await this.#openOnce(name, root, true);
    }
  }

  async #openOnce(name: string, root: string, check: boolean): Promise<OpenAccount> {
    const { specialFolders, log, clock = Date.now, writeBackDelay = 1000 } = this.#options;
    const whenOpen: { account?: OpenAccount } = {};
    const opened = await openAccount({
      name,
      root,
      specialFolders,
      log: log.with({ account: name }),
      clock,
      names: this.#names,
      loaded: this.#loaded,
      watcher: this.#watcher,
      writeBackDelay,
      check,
      damaged: () => {
        if (whenOpen.account) this.#drop(root, whenOpen.account);
      },
    });
    whenOpen.account = opened;
    return opened;
  }

  /** Closes an account, so that the next login makes its index anew. */
  #drop(root: string, opened: OpenAccount): void {
    this.#accounts.delete(root);
    this.#suspect.add(root);
    opened.close().catch((error: unknown) => {
      this.#options.log.warn("cannot close an account with a damaged index", {
        root,
        problem: error instanceof Error ? error.message : String(error),
      });
    });
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

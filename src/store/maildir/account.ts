/** One account: its mailboxes, and what happens to them as a whole. */

import { clearInterval, setInterval } from "node:timers";
import { normalForm } from "../../normal_form.ts";
import { Pace } from "../../pace.ts";
import type {
  Account,
  AccountNews,
  AccountSnapshot,
  AnnotationChanges,
  AppendedUids,
  ForeignUids,
  IncomingMessage,
  Mailbox,
  MailboxInfo,
  MailboxStatus,
  NewMessage,
  Quota,
  QuotaLimits,
  SpecialUse,
  TakenMessage,
} from "../store.ts";
import { StoreError } from "../store.ts";
import {
  type AccountContext,
  assertWritable,
  folderPath,
  loadColumns,
  tell,
} from "./account_context.ts";
import { annotationOf, annotationsOf, copyAnnotations, setAnnotations } from "./annotations.ts";
import { append } from "./appending.ts";
import { refresh } from "./comparing.ts";
import { copyMessages } from "./copying.ts";
import { isYoung } from "./directory_age.ts";
import { folderOf } from "./folder_name.ts";
import { type Folders, makeFolder } from "./folders.ts";
import { adoptUids, taken } from "./imports.ts";
import { IncomingFile, syncDirectory } from "./incoming_file.ts";
import { MaildirMailbox } from "./mailbox.ts";
import type { MailboxList } from "./mailbox_list.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { assertNoLink } from "./links.ts";
import { lstat } from "./locating.ts";
import { prepare, prepareAll } from "./preparing.ts";
import { takeSnapshot } from "./snapshot.ts";
import { closedMeanwhile, storeErrorOf } from "./disk_error.ts";
import { WatchedFolders } from "./watched_folders.ts";

/** STATUS reads up to this many new messages to know their exact sizes. */
const EXACT_SIZES = 200;
/** Milliseconds between two looks for folders that other programs made. */
const FOLDER_SEARCH = 30_000;

/** What each opening has; listeners outlive it. */
type OpeningOfAccount = Omit<Account, "watchAnnotations" | "watch">;

/** An open account over its Maildir and its index; made by `openAccount`. */
export class MaildirAccount implements OpeningOfAccount {
  readonly name: string;
  readonly #account: AccountContext;
  readonly #list: MailboxList;
  readonly #folders: Folders;
  readonly #watched: WatchedFolders;
  readonly #checked = new WeakSet<MailboxState>();
  #rootTime = 0;
  #scanned = 0;
  #scanning: Promise<void> | undefined;
  #closed = false;
  #folderSearch: ReturnType<typeof setInterval> | undefined;

  constructor(name: string, account: AccountContext, list: MailboxList, folders: Folders) {
    this.name = name;
    this.#account = account;
    this.#list = list;
    this.#folders = folders;
    this.#watched = new WatchedFolders(account, list);
  }

  get syncing(): Promise<void> | undefined {
    return this.#account.writer.syncing;
  }

  list(): readonly MailboxInfo[] {
    return this.#list.infos();
  }

  info(name: string): MailboxInfo | undefined {
    return this.#list.info(name);
  }

  subscriptions(): readonly string[] {
    return this.#list.subscriptions();
  }

  async subscribe(name: string): Promise<void> {
    await this.#account.writer.run(() => {
      this.#list.assertSubscribable(name);
      this.#account.mailboxes.subscribe(name);
      return { result: undefined, apply: () => this.#list.subscribe(name) };
    });
  }

  async unsubscribe(name: string): Promise<void> {
    await this.#account.writer.run(() => {
      this.#account.mailboxes.unsubscribe(name);
      return { result: undefined, apply: () => this.#list.unsubscribe(name) };
    });
  }

  async create(given: string, specialUse: readonly SpecialUse[] = []): Promise<string> {
    await this.#account.quota.ready();
    return await this.make(given, specialUse, () => {
      this.#account.quota.assertRoom({ mailboxes: 1 });
    });
  }

  /** As {@link create}, without a look at the quota: `assertRoom` refuses what has no room. */
  async make(
    given: string,
    specialUse: readonly SpecialUse[],
    assertRoom: () => void = () => {},
  ): Promise<string> {
    const name = normalForm(given, "NFC");
    if (this.#list.get(name)) throw exists(name);
    await this.#scanFor(folderOf(name));
    const state = await this.#account.writer.alone(async () => {
      if (this.#list.get(name)) throw exists(name);
      assertRoom();
      return await this.#folders.create(name, this.#freeFolder(name), specialUse);
    });
    this.#watched.addAll();
    return state.mailboxId;
  }

  async delete(name: string): Promise<void> {
    if (name === "INBOX") throw new StoreError("not-permitted", "INBOX cannot be deleted");
    await this.#account.writer.alone(async () => {
      const state = this.#list.get(name);
      if (state) {
        await this.#folders.delete(state);
        this.#watched.stay(state);
      } else if (this.#list.hasChildren(name)) {
        throw new StoreError("has-children", "The mailbox has only its children left");
      } else throw noMailbox(name);
    });
  }

  async rename(from: string, given: string): Promise<void> {
    const to = normalForm(given, "NFC");
    if (!this.#list.has(from)) await this.scan();
    await this.#scanFor(folderOf(to));
    if (from === "INBOX") return await this.#emptyInbox(to);
    await this.#account.writer.alone(async () => {
      if (!this.#list.has(from)) throw noMailbox(from);
      if (this.#list.get(to)) throw exists(to);
      if (to.startsWith(`${from}/`)) {
        throw new StoreError("not-permitted", "A mailbox cannot be moved below itself");
      }
      const own = this.#list.get(from);
      const states = [...own ? [own] : [], ...this.#list.below(from)];
      const renames = states.map((state) => {
        const name = to + state.name.slice(from.length);
        if (this.#list.get(name)) throw exists(name);
        return { state, name, folder: this.#freeFolder(name) };
      });
      await this.#folders.rename(renames);
      for (const { state } of renames) {
        this.#watched.renamed(state);
        state.changed();
      }
    });
  }

  /** INBOX keeps its children and its UIDVALIDITY. @see RFC 9051 §6.3.6 */
  async #emptyInbox(to: string): Promise<void> {
    await this.create(to);
    const inbox = await this.open("INBOX");
    try {
      const source = await this.find("INBOX");
      await copyAnnotations(this.#account, source, await this.find(to));
      const uids = [...source.opened.uids.subarray(0, source.opened.count)];
      await copyMessages(this.#account, source, uids, await this.find(to), true);
    } finally {
      inbox.close();
    }
  }

  async status(name: string, refreshed = false): Promise<MailboxStatus> {
    const state = await this.#known(name);
    this.#watched.linger(state);
    await this.#refresh(state, refreshed);
    const columns = await loadColumns(this.#account, state);
    if (columns.unread.size > 0 && columns.unread.size <= EXACT_SIZES) {
      await prepare(this.#account, state, [...columns.unread.keys()]);
    }
    prepareAll(this.#account, state);
    this.#account.loaded.put(state);
    // A bare LF becomes two octets: never less than what FETCH will say. @see RFC 8438 §2
    let unread = 0;
    for (const octets of columns.unread.values()) unread += octets * 2;
    return {
      messages: columns.count,
      recent: this.#account.hidesRecent ? 0 : columns.count - columns.lowerBound(state.firstRecent),
      unseen: columns.unseen,
      deleted: columns.deleted,
      // Few ask for it, and it takes a look at all messages.
      get deletedSize() {
        return columns.deletedSize();
      },
      size: columns.size + unread,
      uidNext: state.uidNext,
      uidValidity: state.uidValidity,
      mailboxId: state.mailboxId,
      highestModseq: state.highestModseq,
    };
  }

  async open(name: string): Promise<Mailbox> {
    const state = await this.find(name);
    state.handles++;
    this.#account.loaded.remove(state);
    try {
      this.#watched.add(state);
      await this.#refresh(state);
      await loadColumns(this.#account, state);
      state.assertThere();
    } catch (error) {
      this.release(state);
      throw error;
    }
    prepareAll(this.#account, state);
    return new MaildirMailbox(this.#account, this, state);
  }

  async receive(
    mailbox: string,
    { replaces = false }: { readonly replaces?: boolean } = {},
  ): Promise<IncomingMessage> {
    const state = await this.find(mailbox);
    assertWritable(this.#account);
    const { meter, names, quota } = this.#account;
    await quota.ready();
    // What a replaced message leaves is known only once the new one is to be stored.
    if (!replaces) quota.assertRoom({ storage: 1, messages: 1 });
    const synced = (seconds: number) => meter.synced("file", seconds);
    return new IncomingFile(folderPath(this.#account, state), names.next(), synced);
  }

  async append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendedUids> {
    let state: MailboxState;
    try {
      state = await this.find(mailbox);
    } catch (error) {
      for (const { incoming } of messages) await incoming.abort();
      throw error;
    }
    const appended = await append(this.#account, state, messages);
    tell(this.#account, "append", state, appended.uids.length);
    return appended;
  }

  quota(): Promise<Quota> {
    return this.#account.quota.quota();
  }

  limitedQuota(): Promise<Partial<Quota>> {
    return this.#account.quota.limitedQuota();
  }

  setQuota(limits: QuotaLimits): Promise<void> {
    return this.#account.quota.set(limits);
  }

  async annotations(mailbox: string): Promise<ReadonlyMap<string, number>> {
    return annotationsOf(this.#account, await this.#annotated(mailbox));
  }

  async annotation(mailbox: string, entry: string): Promise<Uint8Array | undefined> {
    return annotationOf(this.#account, await this.#annotated(mailbox), entry);
  }

  async setAnnotations(mailbox: string, changes: AnnotationChanges): Promise<void> {
    const state = await this.#annotated(mailbox);
    await setAnnotations(this.#account, state, changes);
    if (changes.specialUse) this.#list.usesChanged();
  }

  /** Undefined for the account as a whole. */
  async #annotated(mailbox: string): Promise<MailboxState | undefined> {
    return mailbox === "" ? undefined : await this.find(mailbox);
  }

  async adoptUids(mailbox: string, uids: ForeignUids): Promise<boolean> {
    const state = await this.find(mailbox);
    await this.#refresh(state);
    return await adoptUids(this.#account, state, uids);
  }

  async taken(
    mailbox: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, TakenMessage>> {
    const state = await this.find(mailbox);
    await this.#refresh(state);
    try {
      return taken(this.#account, state, keys);
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  async snapshot(): Promise<AccountSnapshot> {
    assertWritable(this.#account);
    await this.scan();
    const pace = new Pace();
    for (const state of [...this.#list.states()]) {
      if (!state.gone) await this.#refresh(state).catch(unlessGone);
      if (pace.due()) await pace.turn();
    }
    return await takeSnapshot(this.#account);
  }

  /** The mailbox of that name, looked for on disk too. @throws {StoreError} `no-mailbox`, `unavailable` */
  async find(name: string): Promise<MailboxState> {
    const state = await this.#known(name);
    assertNoLink(this.#account, state);
    // Before anything else is in it: UIDs only rise.
    if (state.inherits) await this.#refresh(state);
    return state;
  }

  /** As {@link find}, for what is refreshed next. */
  async #known(name: string): Promise<MailboxState> {
    if (!this.#list.get(name)) await this.scan();
    const state = this.#list.get(name);
    if (!state) throw noMailbox(name);
    if (!this.#checked.has(state)) {
      assertNoLink(this.#account, state);
      this.#repair(state);
      this.#checked.add(state);
    }
    return state;
  }

  /** One handle of an open mailbox less. */
  release(state: MailboxState): void {
    state.handles--;
    if (state.handles > 0) return;
    if (this.#closed) return;
    this.#account.loaded.put(state);
    this.#watched.release(state);
  }

  refresh(): Promise<void> {
    this.#account.watcher.catchUp();
    return this.scan();
  }

  /** The folder of a mailbox is not there: takes it over, or makes that of INBOX anew. */
  async vanished(state: MailboxState): Promise<void> {
    if (!this.#account.isInPlace()) return;
    await this.#account.writer.alone(async () => {
      if (state.gone || lstat(`${folderPath(this.#account, state)}/cur`)) return;
      if (state.folder !== "") return await this.#folders.vanished(state);
      try {
        makeFolder(this.#account.root);
        await syncDirectory(this.#account.root);
      } catch (error) {
        throw storeErrorOf(error, "making INBOX anew");
      }
    });
  }

  /** Takes over folders that other programs made or removed, if the Maildir changed, or in any case. */
  async scan(inAnyCase = false): Promise<void> {
    while (this.#scanning) await this.#scanning;
    if (this.#closed) throw closedMeanwhile();
    if (this.#account.readOnly || (!inAnyCase && !this.#rootChanged())) return;
    this.#scanning = this.#account.writer.alone(async () => {
      const changed = this.#rootModified();
      const now = this.#account.clock();
      try {
        await this.#folders.scan();
      } catch (error) {
        throw storeErrorOf(error, "looking for mailboxes");
      }
      this.#rootTime = changed;
      this.#scanned = now;
    }).finally(() => this.#scanning = undefined);
    await this.#scanning;
    this.#watched.addAll();
  }

  /** Takes a folder over that another program may just have made. */
  async #scanFor(folder: string): Promise<void> {
    if (this.#list.byFolder(folder) || !lstat(`${this.#account.root}/${folder}/cur`)) return;
    await this.scan();
  }

  /** Tells what happens from now on; undefined ends it. */
  watchAll(tell: ((news: AccountNews) => void) | undefined): void {
    const { watch } = this.#list;
    if (this.#closed) return;
    watch.use(tell);
    clearInterval(this.#folderSearch);
    this.#folderSearch = undefined;
    if (tell === undefined) return this.#watched.releaseAll();
    this.#watched.addAll();
    this.#folderSearch = setInterval(() => this.scan().catch(() => {}), FOLDER_SEARCH).unref();
    this.#account.background.run("looking for new messages", () => this.#refreshAll());
  }

  /** What came before a folder was watched is found now. */
  async #refreshAll(): Promise<void> {
    const pace = new Pace();
    for (const state of [...this.#list.states()]) {
      if (this.#account.background.stopped) return;
      if (!state.gone && state.unwatch) await this.#refresh(state).catch(unlessGone);
      if (pace.due()) await pace.turn();
    }
  }

  /** Ends watching; the account's parts are closed by whoever made them. */
  stopWatching(): void {
    this.#closed = true;
    this.#list.watch.use(undefined);
    clearInterval(this.#folderSearch);
    this.#watched.close();
  }

  #rootChanged(): boolean {
    return this.#rootModified() !== this.#rootTime ||
      isYoung({ mtime: this.#rootTime, compared: this.#scanned });
  }

  #rootModified(): number {
    const found = this.#account.statuses.at(`${this.#account.root}/.`);
    if (!found) throw new StoreError("no-mailbox", "The Maildir is gone");
    return found.mtime;
  }

  /** A new mailbox must not take the folder of one that is shown under another name. */
  #freeFolder(name: string): string {
    const folder = folderOf(name);
    if (this.#list.byFolder(folder)) throw exists(name);
    return folder;
  }

  /** Directories of a Maildir that other programs left out. */
  #repair(state: MailboxState): void {
    if (this.#account.readOnly) return;
    const path = folderPath(this.#account, state);
    try {
      // Only beside a cur/: a folder that another program has just removed must not come back.
      if (Deno.statSync(`${path}/cur`).isDirectory) makeFolder(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw storeErrorOf(error, "opening the mailbox");
    }
  }

  /** @throws {StoreError} `no-mailbox` if the folder is gone, `unavailable` */
  async #refresh(state: MailboxState, caughtUp = false): Promise<void> {
    try {
      await refresh(this.#account, state, caughtUp);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "no-mailbox")) throw error;
      await this.vanished(state);
      await refresh(this.#account, state);
    }
  }
}

function exists(name: string): StoreError {
  return new StoreError("mailbox-exists", `Mailbox already exists: ${name}`);
}

function noMailbox(name: string): StoreError {
  return new StoreError("no-mailbox", `Mailbox does not exist: ${name}`);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof StoreError && error.code === "no-mailbox")) throw error;
}

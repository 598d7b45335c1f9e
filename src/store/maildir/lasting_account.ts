/** What sessions hold of an account: it outlives the closing and opening of what it stands for. */

import { normalForm } from "../../normal_form.ts";
import type {
  Account,
  AccountNews,
  AccountSnapshot,
  AnnotationChanges,
  AnnotationNews,
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
import type { ExaminedIndex } from "./index_examination.ts";
import type { MaildirAccount } from "./account.ts";
import type { Ending } from "./account_parts.ts";
import type { OpenAccount } from "./open_account.ts";
import { isDamage } from "./sqlite_error.ts";

/** How an account is to be opened. */
export interface Opening {
  /** Look through the whole index for damage first. */
  readonly check: boolean;
  /** Called at most once, when the account is of no use any more. */
  broken(why: Ending): void;
}

/** An account from its opening until it is closed or broken. */
interface Life {
  opened?: OpenAccount;
  broken: boolean;
}

/** Opens its account when it is needed, and anew after it was closed or broke. */
export class LastingAccount implements Account {
  readonly name: string;
  readonly #open: (opening: Opening) => Promise<OpenAccount>;
  readonly #now: () => number;
  #life: Promise<Life> | undefined;
  /** The last one, for what is asked of memory alone; it may be closed. */
  #last: MaildirAccount | undefined;
  #current: OpenAccount | undefined;
  #closing: Promise<void> = Promise.resolve();
  /** Those whose disk takes writes again; what was begun with them goes on. */
  readonly #outdated = new Set<OpenAccount>();
  #suspect = false;
  /** Why it cannot be opened any more. */
  #ended: StoreError | undefined;
  #busy = 0;
  /** Snapshots that are open: what was expunged after them is still to be there. */
  #snapshots = 0;
  #used = 0;
  /** The opening that is watched for listeners, or was before it closed. */
  #watched: MaildirAccount | undefined;
  readonly #listeners = new Set<(news: AccountNews) => void>();
  readonly #annotationListeners = new Set<(news: AnnotationNews) => void>();

  /** @param now milliseconds on any clock that is never set back */
  constructor(
    name: string,
    open: (opening: Opening) => Promise<OpenAccount>,
    now: () => number,
  ) {
    this.name = name;
    this.#open = open;
    this.#now = now;
  }

  /** When something was last done with it. */
  get lastUsed(): number {
    return this.#used;
  }

  /** The account as it is open now, if it is. */
  get opened(): OpenAccount | undefined {
    return this.#current;
  }

  get syncing(): Promise<void> | undefined {
    return this.#current?.account.syncing;
  }

  list(): readonly MailboxInfo[] {
    return this.#last?.list() ?? [];
  }

  info(name: string): MailboxInfo | undefined {
    return this.#last?.info(name);
  }

  subscriptions(): readonly string[] {
    return this.#last?.subscriptions() ?? [];
  }

  refresh(): Promise<void> {
    return this.#useAgain((account) => account.refresh());
  }

  status(name: string, refreshed = false): Promise<MailboxStatus> {
    return this.#useAgain((account) => account.status(name, refreshed), refreshed);
  }

  open(name: string): Promise<Mailbox> {
    return this.#useAgain((account) => account.open(name));
  }

  async subscribe(name: string, by?: object): Promise<void> {
    await this.#use((account) => account.subscribe(name));
    this.#tell({ kind: "subscription", mailbox: name, by });
  }

  async unsubscribe(name: string, by?: object): Promise<void> {
    await this.#use((account) => account.unsubscribe(name));
    this.#tell({ kind: "subscription", mailbox: name, by });
  }

  async create(name: string, specialUse?: readonly SpecialUse[], by?: object): Promise<string> {
    const mailboxId = await this.#use((account) => account.create(name, specialUse));
    this.#tell({ kind: "created", mailbox: normalForm(name, "NFC"), by });
    return mailboxId;
  }

  async delete(name: string, by?: object): Promise<void> {
    await this.#use((account) => account.delete(name));
    this.#tell({ kind: "deleted", mailbox: name, by });
  }

  async rename(from: string, to: string, by?: object): Promise<void> {
    await this.#use((account) => account.rename(from, to));
    this.#tell({ kind: "renamed", mailbox: normalForm(to, "NFC"), from, by });
  }

  watch(listener: (news: AccountNews) => void): () => void {
    const own = (news: AccountNews) => listener(news);
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#watchOpened();
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#watched?.watchAll(undefined);
      this.#watched = undefined;
    };
  }

  /** Has what is open told of; it is opened for that. */
  #watchOpened(): void {
    this.#use((account) => {
      if (this.#listeners.size > 0 && this.#watched !== account) this.#watchIn(account);
      return Promise.resolve();
    }).catch(() => {
      // It is watched once it can be opened.
    });
  }

  #watchIn(account: MaildirAccount): void {
    const before = this.#watched;
    this.#watched = account;
    account.watchAll((news) => this.#tell(news));
    if (before !== undefined) this.#tell({ kind: "unknown" });
  }

  #tell(news: AccountNews): void {
    for (const listener of [...this.#listeners]) listener(news);
  }

  receive(mailbox: string, options?: { readonly replaces?: boolean }): Promise<IncomingMessage> {
    return this.#useAgain((account) => account.receive(mailbox, options));
  }

  append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendedUids> {
    return this.#use((account) => account.append(mailbox, messages));
  }

  quota(): Promise<Quota> {
    return this.#useAgain((account) => account.quota());
  }

  limitedQuota(): Promise<Partial<Quota>> {
    return this.#useAgain((account) => account.limitedQuota());
  }

  setQuota(limits: QuotaLimits): Promise<void> {
    return this.#useAgain((account) => account.setQuota(limits));
  }

  annotations(mailbox: string): Promise<ReadonlyMap<string, number>> {
    return this.#useAgain((account) => account.annotations(mailbox));
  }

  annotation(mailbox: string, entry: string): Promise<Uint8Array | undefined> {
    return this.#useAgain((account) => account.annotation(mailbox, entry));
  }

  async setAnnotations(mailbox: string, changes: AnnotationChanges, by?: object): Promise<void> {
    await this.#useAgain((account) => account.setAnnotations(mailbox, changes));
    for (const listener of [...this.#annotationListeners]) listener({ mailbox, changes, by });
  }

  watchAnnotations(listener: (news: AnnotationNews) => void): () => void {
    // A function of its own, so that the same listener may be given twice.
    const own = (news: AnnotationNews) => listener(news);
    this.#annotationListeners.add(own);
    return () => this.#annotationListeners.delete(own);
  }

  adoptUids(mailbox: string, uids: ForeignUids): Promise<boolean> {
    return this.#useAgain((account) => account.adoptUids(mailbox, uids));
  }

  taken(
    mailbox: string,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, TakenMessage>> {
    return this.#useAgain((account) => account.taken(mailbox, keys));
  }

  async snapshot(): Promise<AccountSnapshot> {
    // Busy until it is closed: a new opening would go on unlinking.
    this.#busy++;
    this.#snapshots++;
    const done = () => {
      this.#busy--;
      this.#snapshots--;
      this.#used = this.#now();
    };
    try {
      const snapshot = await this.#useAgain((account) => account.snapshot());
      let open = true;
      return {
        root: snapshot.root,
        folders: snapshot.folders,
        indexName: snapshot.indexName,
        index: () => snapshot.index(),
        files: () => snapshot.files(),
        async close() {
          if (!open) return;
          open = false;
          await snapshot.close();
          done();
        },
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Gives `work` the index if it is open, and keeps it open meanwhile; it is not opened for that. */
  async withIndex<T>(work: (index?: ExaminedIndex) => Promise<T>): Promise<T> {
    this.#busy++;
    try {
      const life = await this.#life?.catch(() => undefined);
      return await work(life?.broken ? undefined : life?.opened?.index);
    } finally {
      this.#busy--;
    }
  }

  /** Opens the account if it is not open, and keeps it open while `work` goes on. */
  async withOpened(work: (opened: OpenAccount) => Promise<void>): Promise<void> {
    await this.#use(async () => {
      const opened = (await this.#life)?.opened;
      if (opened) await work(opened);
    });
  }

  /**
   * Closes the account, and keeps it closed while `work` goes on: who asks for it waits.
   *
   * @throws {StoreError} `unavailable` while a snapshot is open
   */
  async whileClosed(work: () => Promise<void>): Promise<void> {
    let last: Promise<Life> | undefined;
    let life: Life | undefined;
    // It may break meanwhile, and another one begin.
    do {
      last = this.#life;
      life = await last?.catch(() => undefined);
    } while (last !== this.#life);
    if (this.#ended) throw this.#ended;
    if (this.#snapshots > 0) {
      throw new StoreError("unavailable", "A backup of the account is being made");
    }
    this.#life = undefined;
    if (life?.opened && !life.broken) {
      life.opened.letGo();
      this.#close(life.opened);
    }
    const working = this.#closing.then(work);
    this.#closing = working.catch(() => {});
    await working;
  }

  /**
   * Closes the account if nobody has used it since `time` and no mailbox is open; in any case once a
   * disk that was read-only is not any more.
   *
   * @param timeOfCopy takes the place of `time` while the disk is read-only
   */
  async closeUnused(time: number, timeOfCopy: number): Promise<void> {
    if (this.#current?.readOnly) this.#current.assertInPlace();
    if (this.#busy === 0) await this.#closeOutdated(({ mailboxes }) => mailboxes === 0);
    const last = this.#current?.readOnly ? timeOfCopy : time;
    if (this.#busy > 0 || this.#used > last || !this.#life) return;
    const { opened } = await this.#life;
    // A command may have come in meanwhile.
    if (this.#busy > 0 || !opened || opened.busy) return;
    this.#life = undefined;
    this.#close(opened);
    await this.#closing;
  }

  /** Closes the account for good. */
  async end(): Promise<void> {
    this.#ended ??= new StoreError("unavailable", "The mail store is closing");
    const life = await this.#life?.catch(() => undefined);
    this.#life = undefined;
    if (life?.opened && !life.broken) this.#close(life.opened);
    await this.#closeOutdated(() => true);
    await this.#closing;
  }

  /**
   * Moves the Maildir to `aside` and ends the account: what is asked of it from then on is refused.
   *
   * @throws {StoreError} `unavailable`, such as: another process has the account open
   */
  async remove(aside: string): Promise<void> {
    this.#busy++;
    try {
      // Opened for its lock: nobody else has it then.
      await this.#present();
      const opened = (await this.#life)?.opened;
      if (!opened) throw new StoreError("unavailable", "The mail store failed");
      await opened.moveTo(aside, () => {
        this.#ended = new StoreError("no-mailbox", "The account was removed");
        this.#last = undefined;
      });
    } finally {
      this.#busy--;
    }
    await this.end();
  }

  /** Like {@link #use}, for what can be asked twice: it is, if the account broke meanwhile. */
  async #useAgain<T>(
    operation: (account: MaildirAccount) => Promise<T>,
    inPlace = false,
  ): Promise<T> {
    try {
      return await this.#use(operation, inPlace);
    } catch (error) {
      if (this.#life || this.#ended || !(error instanceof StoreError)) throw error;
      return await this.#use(operation);
    }
  }

  /** @param inPlace nobody has to look whether the Maildir is still there */
  async #use<T>(
    operation: (account: MaildirAccount) => Promise<T>,
    inPlace = false,
  ): Promise<T> {
    this.#busy++;
    try {
      return await operation(await this.#present(inPlace));
    } finally {
      this.#busy--;
      this.#used = this.#now();
    }
  }

  async #present(inPlace = false): Promise<MaildirAccount> {
    const known = await this.#life;
    // Another program may have removed the Maildir, or put another in its place.
    if (!inPlace) known?.opened?.assertInPlace();
    this.#life ??= this.#begin();
    const { opened } = await this.#life;
    if (!opened) throw new StoreError("unavailable", "The mail store failed");
    return opened.account;
  }

  #begin(): Promise<Life> {
    const beginning: Promise<Life> = this.#openSoundly(({ opened }, why) => {
      if (this.#life === beginning) this.#life = undefined;
      if (!opened) return;
      if (why !== "writable") return this.#close(opened);
      // Nothing of it is in the way of the next opening.
      this.#outdated.add(opened);
      this.#left(opened);
    });
    beginning.catch(() => {
      if (this.#life === beginning) this.#life = undefined;
    });
    return beginning;
  }

  async #openSoundly(onBroken: (life: Life, why: Ending) => void): Promise<Life> {
    await this.#closing;
    try {
      const life = await this.#openOnce(onBroken);
      if (!life.broken) return life;
      await life.opened?.close();
    } catch (error) {
      if (!(error instanceof StoreError && isDamage(error.cause))) throw error;
      this.#suspect = true;
    }
    const life = await this.#openOnce(onBroken);
    if (!life.broken) return life;
    await life.opened?.close();
    throw new StoreError("unavailable", "The mailbox index cannot be used now");
  }

  async #openOnce(onBroken: (life: Life, why: Ending) => void): Promise<Life> {
    if (this.#ended) throw this.#ended;
    const life: Life = { broken: false };
    let begun = false;
    const check = this.#suspect;
    this.#suspect = false;
    const opened = await this.#open({
      check,
      broken: (why) => {
        life.broken = true;
        if (why === "damaged") this.#suspect = true;
        if (begun) onBroken(life, why);
      },
    });
    life.opened = opened;
    if (life.broken) return life;
    begun = true;
    this.#last = opened.account;
    this.#current = opened;
    if (this.#listeners.size > 0) this.#watchIn(opened.account);
    return life;
  }

  /** Starts closing; the next opening waits for it. */
  #close(opened: OpenAccount): void {
    this.#left(opened);
    const before = this.#closing;
    this.#closing = (async () => {
      await before;
      await opened.close();
    })();
  }

  #left(opened: OpenAccount): void {
    if (this.#current === opened) this.#current = undefined;
  }

  async #closeOutdated(which: (opened: OpenAccount) => boolean): Promise<void> {
    const closed = [...this.#outdated].filter(which);
    for (const opened of closed) this.#outdated.delete(opened);
    await Promise.all(closed.map((opened) => opened.close()));
  }
}

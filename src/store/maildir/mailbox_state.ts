/** A mailbox of an open account, whether or not any session has it open. */

import type { MessageChange, SpecialUse } from "../store.ts";
import { StoreError } from "../store.ts";
import type { AccountWatch } from "./account_watch.ts";
import type { Columns } from "./columns.ts";
import { Echoes } from "./echoes.ts";
import type { MailboxRow } from "./mailbox_rows.ts";
import type { FileName } from "./message_rows.ts";
import type { PathStatus } from "./path_status.ts";
import { WireOffsets } from "./wire_offsets.ts";

/** What is known of `new` or `cur` since it was last compared with the index. */
export interface DirectoryState {
  /** Modification time when it was compared, in ms; 0: never. */
  mtime: number;
  /** When it was compared, in ms. */
  compared: number;
  /** This process renamed, linked or unlinked something in it after that. */
  touched: boolean;
}

/** A folder as it is; what is in it was not replaced as long as this stays. */
export type FolderStamp = Pick<PathStatus, "dev" | "ino" | "ctime">;

/** One mailbox, shared by all that use it; there is one object for each row. */
export class MailboxState {
  readonly id: number;
  uidValidity: number;
  name: string;
  /** Name of its folder in the account's Maildir; "" for INBOX. */
  folder: string;
  uidNext: number;
  highestModseq: number;
  firstRecent: number;
  specialUse: readonly SpecialUse[];
  /** Expunges up to this mod-sequence may be forgotten. */
  expungedFloor: number;
  /** Messages expunged since it was last seen how many expunges are remembered. */
  expungedUncounted = Infinity;
  /** Its messages have UIDs and keywords from before, which are to be taken over first of all. */
  inherits: boolean;
  /** Numbers of the keywords in use, in the order of their first use. */
  keywords: readonly number[];
  /** Present while it is open, and afterwards as long as there is memory for it. */
  columns: Columns | undefined;
  loading: Promise<Columns> | undefined;
  /** Handles that are open. */
  handles = 0;
  gone = false;
  /** Another opening of the account has it now. */
  outdated = false;
  readonly inNew: DirectoryState;
  readonly inCur: DirectoryState;
  /** Its folder when no link was in it. */
  linkless: FolderStamp | undefined;
  /** File names (up to the info part) that an operation is just placing: not another's deliveries. */
  readonly placing = new Set<string>();
  /** The last addition of messages with keys: they come one after the other. */
  importing: Promise<unknown> = Promise.resolve();
  /** Files that were reported as odd, to do so once. */
  readonly complained = new Set<string>();
  /** Ends the watching of its folder. */
  unwatch: (() => void) | undefined;
  /** Events that this process's own changes will bring. */
  readonly #echoes = new Echoes();
  /** Until then nothing changed since the folder was compared, or an event will have told. */
  unchangedUntil = 0;
  /** Nothing can have changed without an event since the folder was compared. */
  eventsComplete = false;
  /** Where wire offsets lie in its large messages. */
  readonly wireOffsets = new WireOffsets();
  /** Files the watcher told of, as "new/…" and "cur/…", not looked at yet. */
  readonly events = new Set<string>();
  /** The looking at {@link events}, and the comparison with the folder, that are under way. */
  looking: Promise<void> | undefined;
  refreshing: Promise<void> | undefined;
  /** The reading of message texts that is under way. */
  preparing: Promise<void> = Promise.resolve();
  preparingAll = false;
  /** Set as long as it is in the list of an account. */
  watch: AccountWatch | undefined;
  readonly #listeners = new Set<() => void>();
  #notifying = false;

  constructor(row: MailboxRow) {
    this.id = row.id;
    this.name = row.name;
    this.folder = row.folder;
    this.uidValidity = row.uidValidity;
    this.uidNext = row.uidNext;
    this.highestModseq = row.highestModseq;
    this.firstRecent = row.firstRecent;
    this.expungedFloor = row.expungedFloor;
    this.inherits = row.inherits !== 0;
    this.specialUse = row.specialUse === "" ? [] : row.specialUse.split(" ") as SpecialUse[];
    this.keywords = row.keywords === "" ? [] : row.keywords.split(",").map(Number);
    this.inNew = { mtime: row.newMtime, compared: row.newCompared, touched: false };
    this.inCur = { mtime: row.curMtime, compared: row.curCompared, touched: false };
  }

  /**
   * Ids are not given twice by one index, and UIDVALIDITYs not by two; where UIDs lose their
   * meaning the mailbox counts as another one.
   *
   * @see RFC 8474 §4
   */
  get mailboxId(): string {
    return `m${this.id}-${this.uidValidity}`;
  }

  /** The columns of a mailbox that is open. */
  get opened(): Columns {
    if (!this.columns) throw new StoreError("unavailable", "The mailbox is not open");
    return this.columns;
  }

  /** @throws {StoreError} `no-mailbox` once it has been deleted */
  assertThere(): void {
    if (this.gone) throw new StoreError("no-mailbox", "The mailbox has been deleted");
  }

  /** This process has just made, linked, renamed or unlinked that file of its folder. */
  touched({ inNew, base, info }: FileName): void {
    (inNew ? this.inNew : this.inCur).touched = true;
    if (this.unwatch) this.#echoes.expect(`${inNew ? "new" : "cur"}/${base}${info}`);
  }

  /** True for an event that tells only of what this process did; `file` is "" if events were lost. */
  isEcho(directory: "new" | "cur", file: string): boolean {
    if (file !== "") return this.#echoes.take(`${directory}/${file}`);
    this.#echoes.clear();
    return false;
  }

  /** Its folder is not watched any more. */
  unwatched(): void {
    this.unwatch?.();
    this.unwatch = undefined;
    this.eventsComplete = false;
    this.unchangedUntil = 0;
    this.#echoes.clear();
  }

  /** Calls `listener` soon after each change. */
  listen(listener: () => void): () => void {
    // A function of its own, so that the same listener may be given twice.
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells all listeners, in a later microtask, so never inside the call that made the change. */
  changed(change?: MessageChange, arrived = 0): void {
    if (change !== undefined) this.watch?.changed(this, change, arrived);
    if (this.#notifying || this.#listeners.size === 0) return;
    this.#notifying = true;
    queueMicrotask(() => {
      this.#notifying = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Sessions that have it open see all its messages go. */
  vanish(): void {
    this.gone = true;
    const { columns } = this;
    if (columns) columns.remove(Array.from({ length: columns.count }, (_, i) => i));
    this.unwatched();
    this.events.clear();
    this.changed();
  }

  /** Sessions that have it open see no change any more. */
  outdate(): void {
    this.outdated = true;
    this.changed();
  }

  /** Takes the counters of its row back, after a transaction failed. */
  restore(row: MailboxRow): void {
    this.uidValidity = row.uidValidity;
    this.uidNext = row.uidNext;
    this.highestModseq = row.highestModseq;
    this.firstRecent = row.firstRecent;
    this.expungedFloor = row.expungedFloor;
    this.inherits = row.inherits !== 0;
    this.keywords = row.keywords === "" ? [] : row.keywords.split(",").map(Number);
  }
}

/**
 * The contract between the IMAP engine and whatever keeps the mail. Stores know UIDs only;
 * sequence numbers belong to the session's view. Nothing here may assume files or a database.
 */

import type { SearchedField } from "../message/search_text.ts";
import type { SortKeys } from "../message/sort_keys.ts";
import type { TokenQuery } from "../message/trigrams.ts";

/** System flags as bits, the unit of {@link MessageColumns.flags}. @see RFC 9051 §2.3.2 */
export const FLAG = { seen: 1, answered: 2, flagged: 4, deleted: 8, draft: 16 } as const;

/** `\Sent` and its kin, spelled as on the wire. @see RFC 6154 §2 */
export type SpecialUse =
  | "\\All"
  | "\\Archive"
  | "\\Drafts"
  | "\\Flagged"
  | "\\Junk"
  | "\\Sent"
  | "\\Trash";

/** Why a store could not do what was asked; `imap/` maps each code to one NO. */
export type StoreErrorCode =
  | "no-mailbox" // the mailbox does not exist
  | "mailbox-exists" // CREATE or RENAME onto a name that is taken
  | "bad-name" // a name no mailbox can have
  | "not-permitted" // such as DELETE INBOX
  | "has-children" // a \Noselect parent that still has children
  | "too-big" // a message or an annotation above the size limit
  | "over-quota" // no room: quota or a full disk
  | "too-many" // a fixed bound was hit, such as keywords in one mailbox
  | "message-gone" // the message was expunged meanwhile
  | "unreadable" // the message is there but cannot be read (damaged, permissions)
  | "unavailable"; // the store itself fails: I/O error, read-only disk, closing

/** A refusal by the store. `message` is fit for the client: no path, no SQL. */
export class StoreError extends Error {
  constructor(readonly code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
  }
}

/** More messages than may be read into memory, or looked through, at once; one never is too many. */
export class TooMuchAtOnce extends StoreError {
  constructor() {
    super("too-many", "What is kept of these messages is too much to be read at once");
  }
}

export interface Store {
  /** The account of that name, made with its special folders if it is not there yet. */
  account(name: string): Promise<Account>;
  /** Names of all accounts there are, sorted; also of those that nobody has opened yet. */
  accounts(): Promise<readonly string[]>;
  /** Whether the account is there; makes none. False for a name that no account can have. */
  exists(name: string): Promise<boolean>;
  /**
   * Removes an account with all its mail, for good. Its sessions find every mailbox gone, and
   * what they still ask of it is refused with `no-mailbox`.
   *
   * @throws {StoreError} `no-mailbox` if there is none, `not-permitted`, `unavailable` (such as: in
   * use by another process)
   */
  remove(name: string): Promise<void>;
  /**
   * Puts an account in place that was written to the folder `from`, beside the account's own; what is
   * there is moved away first. Absent where accounts are no folders.
   *
   * @param keep false: what is there is removed
   * @returns where the account that was there is kept now
   * @throws {StoreError} `not-permitted`, `unavailable`
   */
  replace?(name: string, from: string, keep: boolean): Promise<string | undefined>;
  /** Writes out all that is waiting and lets go of every file. */
  close(): Promise<void>;
}

/** The file of a message in an {@link AccountSnapshot}; its name may have become another since. */
export interface SnapshotFile {
  /** Of its mailbox, below the root; "" is the root. */
  readonly folder: string;
  readonly directory: "new" | "cur";
  readonly name: string;
  /** What of the name stays. */
  readonly base: string;
}

/** A state of an account that stays as it is until it is closed, for who copies its files. */
export interface AccountSnapshot {
  /** Path of the account's folder. */
  readonly root: string;
  /** Those of all mailboxes, below the root; "" is the root. */
  readonly folders: readonly string[];
  /** Name of the file in the root that {@link index} is a copy of. */
  readonly indexName: string;
  /** Octets of all that is not in message files; once. A store opens with them. */
  index(): AsyncIterable<Uint8Array>;
  /** All messages; the server removes none of these files before {@link close}. */
  files(): AsyncIterable<readonly SnapshotFile[]>;
  close(): Promise<void>;
}

/** One line of the mailbox list. */
export interface MailboxInfo {
  /** UTF-8, levels separated by "/", "INBOX" in capitals. */
  readonly name: string;
  /** False for a mere parent (`\NonExistent`, `\Noselect`). */
  readonly selectable: boolean;
  readonly hasChildren: boolean;
  readonly subscribed: boolean;
  readonly specialUse: readonly SpecialUse[];
}

/** What STATUS reports. `recent` counts messages that no session has been told of yet. */
export interface MailboxStatus {
  readonly messages: number;
  readonly recent: number;
  readonly unseen: number;
  readonly deleted: number;
  /** Octets, the sum of RFC822.SIZE of messages with \Deleted. @see RFC 9208 §4.1.4 */
  readonly deletedSize: number;
  /** Octets, the sum of RFC822.SIZE. @see RFC 8438 */
  readonly size: number;
  readonly uidNext: number;
  readonly uidValidity: number;
  /** See {@link Mailbox.mailboxId}. */
  readonly mailboxId: string;
  readonly highestModseq: number;
}

/** How much there is of something, and how much there may be; without `limit` any amount. */
export interface Allowance {
  readonly used: number;
  readonly limit?: number;
}

/** @see RFC 9208 §5 */
export interface Quota {
  /** Octets, the sum of all messages; of those not read yet, of their files. */
  readonly storage: Allowance;
  /** Messages in all mailboxes. */
  readonly messages: Allowance;
  readonly mailboxes: Allowance;
}

/** What can be limited. */
export type QuotaResource = keyof Quota;

/** Limits of one account: null for the configured one; what is absent stays. */
export type QuotaLimits = { readonly [Resource in QuotaResource]?: number | "none" | null };

/** Octets that the value of an annotation may have. */
export const MAX_ANNOTATION_OCTETS = 65_536;
/** Annotations that a mailbox, or an account as a whole, may have. */
export const MAX_ANNOTATIONS = 250;

/** Names that a user is subscribed to. */
export const MAX_SUBSCRIPTIONS = 10_000;
/** What all annotations of an account, with those of its mailboxes, come to at most. */
export const ALL_ANNOTATIONS = { count: 10_000, octets: 16 * 1024 * 1024 } as const;

/** What becomes of annotations; all of it or nothing. */
export interface AnnotationChanges {
  /** New values by the names of entries, whose case does not matter; undefined removes one. */
  readonly entries: ReadonlyMap<string, Uint8Array | undefined>;
  /** The mailbox's special uses from now on; if absent they stay. @see RFC 6154 §4 */
  readonly specialUse?: readonly SpecialUse[];
}

/** What {@link Account.watchAnnotations} tells. */
export interface AnnotationNews {
  /** "" for the account as a whole. */
  readonly mailbox: string;
  readonly changes: AnnotationChanges;
  /** Who was named in {@link Account.setAnnotations}. */
  readonly by?: object;
}

/** What became of messages of a mailbox; "flags" also stands for keywords. */
export type MessageChange = "arrived" | "expunged" | "flags";

/** What {@link Account.watch} tells; by then more may have happened. */
export type AccountNews =
  /** `by` is who was named when it was done. */
  | {
    readonly kind: "created" | "deleted" | "subscription";
    readonly mailbox: string;
    readonly by?: object;
  }
  /** Mailboxes below it are renamed with it. */
  | {
    readonly kind: "renamed";
    readonly mailbox: string;
    readonly from: string;
    readonly by?: object;
  }
  | {
    readonly kind: "messages";
    readonly mailbox: string;
    readonly changes: ReadonlySet<MessageChange>;
    /** How many messages arrived. */
    readonly arrived: number;
  }
  /** Something may have happened that nobody saw. */
  | { readonly kind: "unknown" };

/** UIDs of another server, to be kept here. */
export interface ForeignUids {
  readonly uidValidity: number;
  readonly uidNext?: number;
}

/** What became of a message that was taken in from elsewhere. */
export interface TakenMessage {
  /** The UID that it got, also if it was expunged or moved since. */
  readonly uid: number;
  /** It is still there, and nothing changed its flags since. */
  readonly unchanged: boolean;
}

export interface Account {
  readonly name: string;
  /**
   * Set while changes that all can see already are on their way to the disk: what is told of the
   * account has to wait for it. Rejects if they can't be made durable.
   */
  readonly syncing: Promise<void> | undefined;

  /** Takes over folders that other programs made, renamed or removed. Cheap when nothing happened. */
  refresh(): Promise<void>;
  /** All mailboxes, and parents that exist only through their children, sorted by name, INBOX first. In memory. */
  list(): readonly MailboxInfo[];
  /** One of {@link list} by its exact name ("INBOX" for INBOX). */
  info(name: string): MailboxInfo | undefined;
  /** Names subscribed to, sorted; they need not exist. @see RFC 9051 §6.3.7 */
  subscriptions(): readonly string[];
  /**
   * @param by told to who watches, so that they know what they did themselves; so below
   * @throws {StoreError} `bad-name`, `too-many` (above {@link MAX_SUBSCRIPTIONS})
   */
  subscribe(name: string, by?: object): Promise<void>;
  unsubscribe(name: string, by?: object): Promise<void>;

  /**
   * Makes a mailbox.
   *
   * @returns its {@link Mailbox.mailboxId}
   * @throws {StoreError} `mailbox-exists`, `bad-name`, `over-quota`
   * @see RFC 9051 §6.3.4
   */
  create(name: string, specialUse?: readonly SpecialUse[], by?: object): Promise<string>;
  /** Deletes one mailbox with its messages; its children stay. @throws {StoreError} `no-mailbox`, `not-permitted`, `has-children` */
  delete(name: string, by?: object): Promise<void>;
  /** Renames a mailbox and its children; INBOX is emptied into the new mailbox instead. @see RFC 9051 §6.3.6 */
  rename(from: string, to: string, by?: object): Promise<void>;
  /**
   * Calls `listener` after something changed in any mailbox, or in the list of them, in the order of
   * commits and never inside a call that makes a change; also after what other programs did, as far
   * as they can be watched.
   *
   * @returns a function that ends it
   */
  watch(listener: (news: AccountNews) => void): () => void;

  /**
   * Counts of one mailbox after taking over what other programs changed.
   *
   * @param refreshed {@link refresh} was called for the same command: only the mailbox is looked at
   * @throws {StoreError} `no-mailbox`
   */
  status(name: string, refreshed?: boolean): Promise<MailboxStatus>;
  /** Opens a mailbox; every `open` needs its `close`. @throws {StoreError} `no-mailbox` */
  open(name: string): Promise<Mailbox>;

  /**
   * Takes in a message that is still arriving, to be given to {@link append} or, with `replaces`,
   * to {@link Mailbox.replace}.
   *
   * @throws {StoreError} `no-mailbox`, `over-quota`
   */
  receive(
    mailbox: string,
    options?: { readonly replaces?: boolean },
  ): Promise<IncomingMessage>;
  /**
   * Stores messages: all or none. Once settled they are durable.
   *
   * @throws {StoreError} `no-mailbox`, `over-quota`, `too-many`
   * @see RFC 9051 §6.3.12, RFC 4315 §3
   */
  append(mailbox: string, messages: readonly NewMessage[]): Promise<AppendedUids>;

  /** Costs a look through all messages where there is no limit. */
  quota(): Promise<Quota>;
  /** Only what is limited, which is cheap. */
  limitedQuota(): Promise<Partial<Quota>>;
  /** Limits for this account, kept with it. What is above them already stays. */
  setQuota(limits: QuotaLimits): Promise<void>;

  /**
   * How many octets the value of each annotation of a mailbox has, by the names of the entries as
   * they were first spelled; the mailbox "" is the account as a whole. They follow a mailbox that
   * is renamed, and go when it is deleted.
   *
   * @throws {StoreError} `no-mailbox`
   * @see RFC 5464 §3
   */
  annotations(mailbox: string): Promise<ReadonlyMap<string, number>>;
  /** The value of one of them. @throws {StoreError} `no-mailbox` */
  annotation(mailbox: string, entry: string): Promise<Uint8Array | undefined>;
  /**
   * Changes annotations: all or none.
   *
   * @param by told to listeners, so that they know their own changes
   * @throws {StoreError} `no-mailbox`, `too-big` (above {@link MAX_ANNOTATION_OCTETS}), `too-many`
   * (above {@link MAX_ANNOTATIONS}), `over-quota` (above {@link ALL_ANNOTATIONS})
   */
  setAnnotations(mailbox: string, changes: AnnotationChanges, by?: object): Promise<void>;
  /** Calls `listener` after annotations were changed, until the function returned is called. */
  watchAnnotations(listener: (news: AnnotationNews) => void): () => void;

  /**
   * Gives a mailbox that never had a message the UIDVALIDITY of another server, or finds that it
   * has it already, and raises UIDNEXT. Then {@link NewMessage.uid} keeps the UIDs.
   *
   * @returns false if the mailbox must keep its own UIDVALIDITY
   * @throws {StoreError} `no-mailbox`
   */
  adoptUids(mailbox: string, uids: ForeignUids): Promise<boolean>;
  /**
   * Which of these messages ({@link NewMessage.key}) this mailbox took in before, by key. It
   * remembers also those that were expunged or moved since, until it is deleted.
   *
   * @throws {StoreError} `no-mailbox`
   */
  taken(mailbox: string, keys: readonly string[]): Promise<ReadonlyMap<string, TakenMessage>>;

  /**
   * Takes a snapshot, after taking over what other programs changed; changes wait only while the
   * index is copied. Absent where messages are no files.
   */
  snapshot?(): Promise<AccountSnapshot>;
}

/** A message on its way in; ends by being given to `append` or `replace`, or by `abort`. */
export interface IncomingMessage {
  write(chunk: Uint8Array): Promise<void> | void;
  /** All is written, but it will be a while until `append`: needs no memory meanwhile. */
  rest(): Promise<void>;
  /** Forgets it, with no trace left. Safe at any time, also after `append` failed. */
  abort(): Promise<void>;
}

export interface NewMessage {
  readonly incoming: IncomingMessage;
  readonly flags: FlagSet;
  /** INTERNALDATE; the time of arrival if absent. */
  readonly date?: InternalDate;
  /** Kept where it is not below UIDNEXT by then, and below 2³² - 1; else the message gets a new UID. */
  readonly uid?: number;
  /**
   * Names the message where it comes from. It is noted together with the message, for
   * {@link Account.taken}: after a crash both are there or neither. A message whose key is known
   * already is not stored again.
   */
  readonly key?: string;
}

export interface InternalDate {
  /** Seconds since 1970-01-01T00:00Z. */
  readonly seconds: number;
  /** Minutes east of UTC, as the client wrote it. */
  readonly zone: number;
}

/** Flags as a client gives them: `system` in {@link FLAG} bits. */
export interface FlagSet {
  readonly system: number;
  readonly keywords: readonly string[];
}

/** What is told of messages that were added. */
export interface Added {
  /** Why the account is over its quota now, whose limits are soft; else absent. */
  readonly overQuota?: string;
}

export interface AppendedUids extends Added {
  readonly uidValidity: number;
  readonly uids: readonly number[];
}

/** The pairs that COPYUID reports, in source order. */
export interface CopiedUids extends Added {
  readonly uidValidity: number;
  readonly source: readonly number[];
  readonly destination: readonly number[];
  /** The change that a MOVE made to its source mailbox. */
  readonly modseq?: number;
}

/**
 * The messages of an open mailbox as columns in UID order, shared by all its sessions. Only
 * elements below `count` are valid. Arriving messages are added at the end (the arrays are
 * replaced by longer ones when full); an expunge replaces `uids` by a new array and raises
 * `generation`, so a view that holds on to the old array keeps its numbering.
 */
export interface MessageColumns {
  readonly count: number;
  readonly generation: number;
  readonly uids: Uint32Array;
  /** {@link FLAG} bits. */
  readonly flags: Uint8Array;
  /** Number of a set of keywords: {@link Mailbox.keywordSet}. 0 is the empty set. */
  readonly keywordSets: Uint32Array;
  /** @see RFC 7162 §3.1 */
  readonly modseqs: Float64Array;
  /** RFC822.SIZE; 0 until {@link Mailbox.prepare} has run for that message. */
  readonly sizes: Float64Array;
  /** {@link Mailbox.prepare} has run for all messages. */
  readonly prepared: boolean;
  /** INTERNALDATE in seconds since 1970 UTC, and its zone in minutes east. */
  readonly dates: Float64Array;
  readonly zones: Int16Array;
}

/** How STORE changes flags. @see RFC 9051 §6.4.6 */
export interface FlagChange extends FlagSet {
  readonly mode: "replace" | "add" | "remove";
}

export interface StoredFlags {
  /** The mod-sequence of this change; 0 when nothing changed. */
  readonly modseq: number;
  /** UIDs that were left alone because they changed after `unchangedSince`. @see RFC 7162 §3.1.3 */
  readonly modified: readonly number[];
  /** UIDs of changed messages that had been changed after `told` already. */
  readonly overtaken: readonly number[];
}

export interface ExpungedUids {
  readonly uids: readonly number[];
  readonly modseq: number;
}

/** Ranges of UIDs, both ends included: ascending, and neither overlapping nor touching. */
export type UidRanges = readonly (readonly [first: number, last: number])[];

/** What is kept ready of each message, as it goes over the wire (one char is one byte). */
export interface CachedItems {
  /** ENVELOPE, parentheses included. */
  readonly envelope: string;
  /** BODYSTRUCTURE with extension data, parentheses included. */
  readonly bodystructure: string;
  /** The header fields named in `message/header.ts` `CACHED_FIELDS`, each as it stands in the message with its CRLF. */
  readonly header: string;
  /** The part tree with its offsets: `PartOffsets` of `message/mime.ts` as JSON. */
  readonly parts: string;
  /** Date: as a calendar day (days since 1970-01-01 in its own zone), or null when missing or broken. */
  readonly sentDay: number | null;
  /**
   * The same for messages with the same text and INTERNALDATE, and so for copies.
   *
   * @see RFC 8474 §5.1
   */
  readonly emailId: string;
  /** The same for messages of one thread, in all mailboxes. @see RFC 8474 §5.2 */
  readonly threadId: string;
  /** How the text begins, as text; null while that is not known. @see RFC 8970 §3.2 */
  readonly preview: string | null;
  /** When the message was saved in this mailbox: seconds since 1970. @see RFC 8514 §3 */
  readonly saved: number;
}

/**
 * A mailbox as the store keeps it: by UID. Shared by all its sessions in this process; each
 * `open` gives a handle that must be closed once.
 */
export interface Mailbox {
  /** Changes when the mailbox is renamed. */
  readonly name: string;
  /** Fixed while every UID keeps its meaning. @see RFC 9051 §2.3.1.1 */
  readonly uidValidity: number;
  /**
   * Stays when the mailbox is renamed, and is never given to another one.
   *
   * @see RFC 8474 §4
   */
  readonly mailboxId: string;
  readonly uidNext: number;
  readonly highestModseq: number;
  /** The lowest UID that no session has been told of; equals `uidNext` if there is none. */
  readonly firstRecent: number;
  /** True once the mailbox has been deleted under its sessions; it has no messages then. */
  readonly gone: boolean;
  /** Nothing can be changed, as the disk is read-only; every change is refused by `unavailable`. */
  readonly readOnly: boolean;
  /** True once all here stays as it was, and only another `open` shows, and changes, what is there. */
  readonly outdated: boolean;
  readonly messages: MessageColumns;

  /** Keywords in use in this mailbox, in the order of their first use. */
  keywords(): readonly string[];
  /** The keywords of a set in {@link MessageColumns.keywordSets}. */
  keywordSet(set: number): readonly string[];

  /**
   * Calls `listener` after something changed (new, flags, expunged, gone), in commit order and
   * never inside a call that this session made. It is only a hint to compare with the columns.
   *
   * @returns a function that ends it
   */
  watch(listener: () => void): () => void;
  /** Takes over what other programs delivered, renamed or removed. Cheap when nothing happened. */
  refresh(): Promise<void>;
  /** Raises `firstRecent` to `uidNext`; returns what it was. */
  claimRecent(): number;

  /**
   * Sees to it that sizes and {@link cached} items of these messages are known. Cheap when they are.
   *
   * @param uids ascending
   * @param items that are about to be asked for, if that is all that is wanted: some need no look at
   * the text, some are not known yet of messages that came to an older version
   */
  prepare(uids: readonly number[], items?: readonly (keyof CachedItems)[]): Promise<void>;
  /**
   * Reads the named items of the messages with `first` ≤ UID ≤ `last`, in UID order; a message
   * that is gone or unreadable is missing. Callers ask for at most some hundred at a time.
   *
   * @throws {TooMuchAtOnce} to be asked for fewer
   */
  cached<K extends keyof CachedItems>(
    items: readonly K[],
    first: number,
    last: number,
  ): Promise<readonly (Pick<CachedItems, K> & { readonly uid: number })[]>;
  /**
   * UIDs from `first` to `last`, ascending, of messages in whose field the needle stands: a
   * substring of `searchedText` of `message/search_text.ts`, any field of that name if it is empty.
   * Only messages that are prepared are found. Callers ask for at most some thousand at a time.
   *
   * @throws {TooMuchAtOnce} to be asked for fewer
   */
  withHeader(
    field: SearchedField,
    foldedNeedle: string,
    first: number,
    last: number,
  ): Promise<readonly number[]>;
  /**
   * UIDs from `first` to `last`, ascending, of messages with that identifier ({@link CachedItems}).
   * Only messages that are prepared are found. Callers ask for at most some thousand at a time.
   */
  withObjectId(
    kind: "emailId" | "threadId",
    objectId: string,
    first: number,
    last: number,
  ): Promise<readonly number[]>;
  /**
   * Those of these messages (UIDs, ascending) that may have what is asked for: all that do, and maybe
   * others, up to all. Texts are compared as `substringQuery` and `fuzzyQuery` say. Callers ask for at
   * most some hundred thousand at a time.
   */
  narrow(uids: readonly number[], query: TokenQuery): Promise<readonly number[]>;
  /**
   * What SORT and THREAD compare of the messages with `first` ≤ UID ≤ `last`, in UID order; as
   * {@link cached} otherwise. Callers ask for at most some thousand at a time.
   */
  sortKeys<K extends keyof SortKeys>(
    keys: readonly K[],
    first: number,
    last: number,
  ): Promise<readonly (Pick<SortKeys, K> & { readonly uid: number })[]>;
  /**
   * Opens the text of one message.
   *
   * @param room `StoredMessage.whole` may lie at its beginning, if it is longer than the message
   * @throws {StoreError} `message-gone`, `unreadable`
   */
  read(uid: number, room?: Uint8Array): Promise<StoredMessage>;

  /**
   * Changes flags; with `unchangedSince` only of messages not changed after it.
   *
   * @param told mod-sequence up to which the caller knows all changes; see {@link StoredFlags.overtaken}
   * @throws {StoreError} `too-many`
   */
  store(
    uids: readonly number[],
    change: FlagChange,
    options?: { readonly unchangedSince?: number; readonly told?: number },
  ): Promise<StoredFlags>;
  /** Copies, or copies nothing. @throws {StoreError} `no-mailbox`, `message-gone`, `over-quota` */
  copy(uids: readonly number[], destination: string): Promise<CopiedUids>;
  /** Copies and expunges here in one step, or does neither. @see RFC 6851 §3.3 */
  move(uids: readonly number[], destination: string): Promise<CopiedUids>;
  /**
   * Stores a message in `destination` and expunges `uid` here in one step, or does neither. There
   * need only be room for what the new message has more than the old one.
   *
   * @throws {StoreError} `no-mailbox`, `message-gone`, `over-quota`, `too-many`
   * @see RFC 8508 §4
   */
  replace(uid: number, destination: string, message: NewMessage): Promise<AppendedUids>;
  /**
   * Removes those of `uids` (all, if absent) that have \Deleted.
   *
   * @throws {StoreError} `over-quota`: of very many on a full disk some may be gone
   */
  expunge(uids?: readonly number[]): Promise<ExpungedUids>;
  /**
   * UIDs below {@link uidNext} of messages that left the mailbox after `modseq`. Old expunges may be
   * forgotten; then it is all that no message has. @see RFC 7162 §3.2.5
   */
  vanishedSince(modseq: number): Promise<UidRanges>;

  close(): void;
}

/** An open message, in wire form: every line ends in CRLF. */
export interface StoredMessage {
  readonly size: number;
  /** The whole text, where it is small enough to be held (up to some hundred KB). */
  readonly whole?: Uint8Array;
  /** Octets `start` up to `end` (not included), in pieces. @throws {StoreError} `unreadable` */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): void;
}

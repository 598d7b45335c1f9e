/** The stream of mailboxes and messages that goes into an account, or comes out of one. */

import type { FlagSet, ForeignUids, InternalDate, SpecialUse } from "../store/store.ts";

/** Begins a mailbox; the messages after it are in it. */
export interface MailboxItem {
  readonly kind: "mailbox";
  /** Levels separated by "/", "INBOX" in capitals. */
  readonly name: string;
  readonly specialUse: readonly SpecialUse[];
  readonly subscribed: boolean;
  readonly uids?: ForeignUids;
}

/** Begins a message: its octets follow, then an {@link EndItem} or a {@link BrokenItem}. */
export interface MessageItem {
  readonly kind: "message";
  /** Names the message at its source. */
  readonly key: string;
  readonly uid?: number;
  readonly flags: FlagSet;
  readonly date?: InternalDate;
}

/** Flags of a message that was taken in before. */
export interface FlagsItem {
  readonly kind: "flags";
  readonly key: string;
  readonly flags: FlagSet;
}

/** The message is complete. */
export interface EndItem {
  readonly kind: "end";
}

/** The rest of the message cannot be read. */
export interface BrokenItem {
  readonly kind: "broken";
  readonly reason: string;
}

/** One piece of the stream. */
export type TransferItem =
  | MailboxItem
  | MessageItem
  | FlagsItem
  | EndItem
  | BrokenItem
  | Uint8Array;

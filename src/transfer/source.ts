/** What mail can be read from. */

import type { FlagSet, ForeignUids, InternalDate, SpecialUse } from "../store/store.ts";

/** A place with mailboxes. */
export interface Source {
  /** @throws {SourceFault} when there is no mail of that kind */
  mailboxes(): AsyncIterable<SourceMailbox>;
  /** What was stepped over, and why; complete after all was read. */
  readonly faults: readonly SourceFailure[];
  /** Mailboxes whose UIDs it should have and has not, and why; complete after all was read. */
  readonly lostUids?: readonly SourceFailure[];
  /** How many messages there are in `mailboxes`, by a quick look; for a progress bar. */
  count?(wanted: (mailbox: string) => boolean): Promise<number>;
  close?(): Promise<void>;
}

/** Something that could not be read. */
export interface SourceFailure {
  readonly place: string;
  readonly reason: string;
}

export interface SourceMailbox {
  /** Levels separated by "/", "INBOX" in capitals. */
  readonly name: string;
  readonly specialUse: readonly SpecialUse[];
  readonly subscribed: boolean;
  readonly uids?: ForeignUids;
  /** In the order in which they are to be stored. */
  messages(): AsyncIterable<SourceMessage>;
}

export interface SourceMessage {
  /** Names it among all of its mailbox, at each reading the same. */
  readonly key: string;
  readonly uid?: number;
  readonly flags: FlagSet;
  readonly date?: InternalDate;
  /** @throws when it cannot be read */
  octets(): AsyncIterable<Uint8Array>;
}

/** The source as a whole cannot be read. */
export class SourceFault extends Error {
  override name = "SourceFault";
}

const USES: readonly (readonly [SpecialUse, readonly string[]])[] = [
  ["\\Sent", ["sent", "sent messages", "sent items", "sent mail"]],
  ["\\Drafts", ["drafts"]],
  ["\\Trash", ["trash", "deleted messages", "deleted items"]],
  ["\\Junk", ["junk", "spam", "junk e-mail"]],
  ["\\Archive", ["archive", "archives"]],
];

/** What a mailbox is for, by its usual names. */
export function usesByName(name: string): SpecialUse[] {
  const folded = name.toLowerCase().replace(/^inbox\//, "");
  return USES.filter(([, names]) => names.includes(folded)).map(([use]) => use);
}

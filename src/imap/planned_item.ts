/** What a FETCH item needs of each message, and how it is written. */

import type { Pace } from "../pace.ts";
import type { CachedItems } from "../store/store.ts";
import type { Output } from "./command.ts";
import type { LastingItem } from "./lasting_texts.ts";
import type { OpenedMessage } from "./sections.ts";
import type { View } from "./view.ts";

/** One message that is being answered about. */
export interface FetchedMessage {
  readonly seq: number;
  readonly uid: number;
  /** Its place in the mailbox's columns when its answer began. */
  readonly index: number;
  readonly view: View;
  /** What {@link PlannedItem.cached} asked for. */
  readonly cached: Partial<CachedItems>;
  /** There if an item asked for it. */
  readonly opened?: OpenedMessage;
}

/** What an item reads that asked for it. */
export function openedOf({ opened }: FetchedMessage): OpenedMessage {
  if (opened === undefined) throw new Error("An item was planned without opening the message");
  return opened;
}

/** What an item needs, and how it is written. */
export type PlannedItem =
  & {
    readonly cached: readonly (keyof CachedItems)[];
    /** Waits until sizes and cached items are known. */
    readonly prepared: boolean;
    /** Needs the message's text. */
    readonly opened: boolean;
    readonly marksSeen: boolean;
  }
  & (
    | { readonly text: (message: FetchedMessage) => string }
    | { readonly lasting: LastingItem }
    | { readonly brief: BriefItem }
    | { readonly write: (message: FetchedMessage) => Writing }
    /** What it takes long to make; its result writes it, or is undefined if it cannot be made. */
    | { readonly ready: (message: FetchedMessage, pace: Pace) => Promise<Writing | undefined> }
  );

/** What is read in the message, never changes, and is short enough to be kept in memory. */
export interface BriefItem {
  /** Items with the same key have the same texts. */
  readonly key: string;
  /** Undefined of a message of which it would be long. */
  readonly textOf: (message: FetchedMessage) => Promise<string | undefined>;
  /** For such a message: see `ready` of {@link PlannedItem}. */
  readonly long: (message: FetchedMessage, pace: Pace) => Promise<Writing>;
}

/** Writes an item that was made ready, with its name. */
export type Writing = (out: Output) => Promise<void> | void;

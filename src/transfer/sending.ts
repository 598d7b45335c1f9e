/** Brings the mail of a source into an account. */

import type { ImportResult } from "../admin/importing.ts";
import type { Admin } from "../admin/operations.ts";
import type { TransferItem } from "../admin/transfer_items.ts";
import { type Source, type SourceFailure, SourceFault, type SourceMessage } from "./source.ts";

/** Messages that are asked about at a time. */
const ASKED = 400;

/** Where mail goes, and which. */
export interface ImportTarget {
  readonly account: string;
  readonly storage?: string;
  /** Only this mailbox of the source. */
  readonly mailbox?: string;
  /** Comes before the names of all mailboxes. */
  readonly prefix?: string;
  readonly exclude: readonly string[];
  /** Look and count only. */
  readonly dryRun: boolean;
}

/** What was done. */
export interface ImportSummary {
  mailboxes: number;
  new: number;
  octets: number;
  known: number;
  flagsUpdated: number;
  renumbered: number;
  readonly failed: SourceFailure[];
  /** Mailboxes whose UIDs could not be kept. */
  readonly lostUids: SourceFailure[];
}

/**
 * Takes in all that is new, and flags that nobody changed here. May be ended and begun again at
 * any time.
 *
 * @param told is called whenever the summary has changed
 * @throws {SourceFault}, {AdminError}
 */
export async function importFrom(
  source: Source,
  admin: Admin,
  target: ImportTarget,
  told: (summary: ImportSummary) => void,
): Promise<ImportSummary> {
  const summary: ImportSummary = {
    mailboxes: 0,
    new: 0,
    octets: 0,
    known: 0,
    flagsUpdated: 0,
    renumbered: 0,
    failed: [],
    lostUids: [],
  };
  const { account, storage, dryRun } = target;
  // An account is made only for a source that has been found to be one.
  const items = await begun(itemsOf(source, admin, target, summary));
  if (items === undefined) {
    if (source.faults.length === 0) throw nothingWanted(target);
  } else if (dryRun) {
    // Only what would go out is counted.
    for await (const item of items) {
      if (item instanceof Uint8Array) continue;
      if (item.kind === "mailbox") summary.mailboxes++;
      if (item.kind === "message") summary.new++;
      told(summary);
    }
  } else {
    for await (const result of admin.call("import", { account, storage }, items)) {
      count(summary, result);
      told(summary);
    }
  }
  summary.failed.push(...source.faults);
  summary.lostUids.push(...source.lostUids ?? []);
  return summary;
}

/** The same items, of which the first one has been seen; undefined if there is none. */
async function begun<T>(items: AsyncGenerator<T, void>): Promise<AsyncGenerator<T> | undefined> {
  const first = await items.next();
  if (first.done) return undefined;
  const { value } = first;
  return (async function* () {
    try {
      yield value;
      yield* items;
    } finally {
      // The receiver may have ended before it asked for more.
      await items.return();
    }
  })();
}

function nothingWanted({ mailbox }: ImportTarget): SourceFault {
  const which = mailbox === undefined ? "" : ` ${mailbox}`;
  return new SourceFault(`Expected a mailbox${which} in the source, got none`);
}

function count(summary: ImportSummary, result: ImportResult): void {
  switch (result.kind) {
    case "mailbox":
      summary.mailboxes++;
      if (result.lostUids !== undefined) {
        summary.lostUids.push({ place: result.name, reason: result.lostUids });
      }
      return;
    case "stored":
      summary.new += result.messages;
      summary.octets += result.octets;
      summary.renumbered += result.renumbered;
      summary.known += result.known;
      return;
    case "flags":
      summary.flagsUpdated += result.updated;
      return;
    case "failed":
      summary.failed.push({
        place: `${result.mailbox}${result.key === undefined ? "" : `: ${result.key}`}`,
        reason: result.reason,
      });
  }
}

async function* itemsOf(
  source: Source,
  admin: Admin,
  target: ImportTarget,
  summary: ImportSummary,
): AsyncGenerator<TransferItem, void> {
  for await (const mailbox of source.mailboxes()) {
    if (!isWanted(target, mailbox.name)) continue;
    const name = target.prefix === undefined ? mailbox.name : `${target.prefix}/${mailbox.name}`;
    const { specialUse, subscribed, uids } = mailbox;
    yield { kind: "mailbox", name, specialUse, subscribed, uids };
    for await (const messages of groups(mailbox.messages())) {
      const { account, storage } = target;
      const known = new Map<string, boolean>();
      const keys = messages.map(({ key }) => key);
      const params = { account, storage, mailbox: name };
      for await (const { key, unchanged } of admin.call("import known", params, once(keys))) {
        known.set(key, unchanged);
      }
      for (const message of messages) {
        const unchanged = known.get(message.key);
        if (unchanged === undefined) yield* messageItems(message, target.dryRun);
        else {
          summary.known++;
          if (unchanged) yield { kind: "flags", key: message.key, flags: message.flags };
        }
      }
    }
  }
}

/** Whether a mailbox of the source is to be taken in. */
export function isWanted(target: ImportTarget, mailbox: string): boolean {
  return (target.mailbox ?? mailbox) === mailbox && !target.exclude.includes(mailbox);
}

async function* messageItems(
  message: SourceMessage,
  dryRun: boolean,
): AsyncGenerator<TransferItem, void> {
  const { key, uid, flags, date } = message;
  yield { kind: "message", key, uid, flags, date };
  if (dryRun) return;
  try {
    yield* message.octets();
  } catch (error) {
    // No other message could be read either.
    if (error instanceof SourceFault) throw error;
    return yield {
      kind: "broken",
      reason: error instanceof Error ? error.message : String(error),
    };
  }
  yield { kind: "end" };
}

async function* groups(
  messages: AsyncIterable<SourceMessage>,
): AsyncGenerator<SourceMessage[], void> {
  let group: SourceMessage[] = [];
  for await (const message of messages) {
    group.push(message);
    if (group.length < ASKED) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function* once<T>(value: T): AsyncGenerator<T, void> {
  yield await Promise.resolve(value);
}

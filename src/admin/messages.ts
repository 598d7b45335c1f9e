/** Operations that look at messages. */

import { decodeHeader, fieldValues } from "../message/header.ts";
import { locateSection } from "../message/mime.ts";
import { partsOf } from "../imap/sections.ts";
import type { View } from "../imap/view.ts";
import { type Mailbox, type StoredMessage, StoreError } from "../store/store.ts";
import { formatNumberSet } from "../wire/number_set.ts";
import { existingMailbox, type MailboxParams } from "./lookup.ts";
import { selected, type SelectionParams } from "./message_selection.ts";
import { AdminError, type Operation } from "./operation.ts";

/** One message in brief. */
export interface ListedMessage {
  readonly uid: number;
  /** As on the wire, without `\Recent`. */
  readonly flags: readonly string[];
  /** INTERNALDATE in RFC 3339, in its own zone. */
  readonly date: string;
  /** RFC822.SIZE */
  readonly size: number;
  /** Decoded. */
  readonly from?: string;
  readonly subject?: string;
}

/** How many are read at once: a header that is kept may have a megabyte. */
const BATCH = 16;

/** Messages in brief, by UID. */
export const listMessages: Operation<SelectionParams, ListedMessage> = {
  run: (context, params) => selected(context, params, inBrief),
};

async function* inBrief(
  view: View,
  uids: readonly number[],
): AsyncGenerator<ListedMessage, void> {
  const { mailbox } = view;
  for (let start = 0; start < uids.length; start += BATCH) {
    const batch = uids.slice(start, start + BATCH);
    await mailbox.prepare(batch);
    const last = batch[batch.length - 1];
    const rows = await mailbox.cached(["header"], batch[0], last);
    const headers = new Map(rows.map(({ uid, header }) => [uid, header]));
    for (const uid of batch) {
      const index = view.indexOf(uid, view.seqOf(uid));
      if (index < 0) continue;
      const header = headers.get(uid) ?? "";
      const { dates, zones, sizes } = mailbox.messages;
      yield {
        uid,
        flags: flagsOf(view, index, uid),
        date: rfc3339(dates[index], zones[index]),
        size: sizes[index],
        from: fieldOf(header, "from"),
        subject: fieldOf(header, "subject"),
      };
    }
  }
}

function flagsOf(view: View, index: number, uid: number): string[] {
  return view.flagsAt(index, uid).split(" ").filter((flag) => flag !== "" && flag !== "\\Recent");
}

function fieldOf(header: string, name: string): string | undefined {
  for (const value of fieldValues(header, name)) return decodeHeader(value).trim();
  return undefined;
}

/** @see RFC 3339 §5.6 */
function rfc3339(seconds: number, zone: number): string {
  const local = new Date((seconds + zone * 60) * 1000).toISOString().slice(0, 19);
  if (zone === 0) return `${local}Z`;
  const [hours, minutes] = [Math.floor(Math.abs(zone) / 60), Math.abs(zone) % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return `${local}${zone < 0 ? "-" : "+"}${two(hours)}:${two(minutes)}`;
}

/** How many messages are meant, and their UIDs as a set. */
export const selectMessages: Operation<
  SelectionParams,
  { readonly count: number; readonly set: string }
> = {
  run: (context, params) =>
    selected(context, params, async function* (_, uids) {
      yield await Promise.resolve({ count: uids.length, set: formatNumberSet(uids) });
    }),
};

/** Which message, and what of it. */
export interface ShowParams extends MailboxParams {
  readonly uid: number;
  /** Only the header. */
  readonly headers?: boolean;
  /** Only this part, as `1.2`: its body, or its header with `headers`. */
  readonly part?: string;
}

/** The octets of a message in wire form, exactly as clients get them. */
export const showMessage: Operation<ShowParams, Uint8Array> = {
  async *run(context, params) {
    const { account, name } = await existingMailbox(context, params);
    const mailbox = await account.open(name);
    try {
      yield* octetsOf(mailbox, params);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "message-gone")) throw error;
      throw gone(params.uid, name, account.name);
    } finally {
      mailbox.close();
    }
  },
};

async function* octetsOf(mailbox: Mailbox, params: ShowParams): AsyncGenerator<Uint8Array, void> {
  const { uid, headers = false, part } = params;
  const stored = await mailbox.read(uid);
  try {
    const [start, end] = headers || part !== undefined
      ? await rangeOf(mailbox, uid, headers, part)
      : [0, stored.size];
    yield* range(stored, start, end);
  } finally {
    stored.close();
  }
}

async function rangeOf(
  mailbox: Mailbox,
  uid: number,
  headers: boolean,
  part: string | undefined,
): Promise<readonly [number, number]> {
  if (part !== undefined && !/^[1-9]\d*(\.[1-9]\d*)*$/.test(part)) {
    throw new AdminError(`Expected a part such as 1 or 1.2, got ${part}`, "usage");
  }
  await mailbox.prepare([uid]);
  const [row] = await mailbox.cached(["parts"], uid, uid);
  if (row === undefined) throw new StoreError("message-gone", "The message is gone");
  const offsets = partsOf(row.parts);
  const path = part?.split(".").map(Number) ?? [];
  const found = locateSection(offsets, path, headers ? path.length === 0 ? "HEADER" : "MIME" : "");
  if (found === undefined) throw new AdminError(`The message ${uid} has no part ${part}`);
  return found;
}

async function* range(
  stored: StoredMessage,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void> {
  if (stored.whole !== undefined) yield stored.whole.subarray(start, end);
  else yield* stored.read(start, end);
}

function gone(uid: number, mailbox: string, account: string): AdminError {
  return new AdminError(
    `There is no message with the UID ${uid} in ${mailbox} of account ${account}`,
  );
}

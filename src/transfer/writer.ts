/** What mail is written to. */

import type { MailboxItem, MessageItem, TransferItem } from "../admin/transfer_items.ts";
import type { SourceFailure } from "./source.ts";

/** A place for mailboxes. */
export interface Writer {
  mailbox(item: MailboxItem): Promise<void>;
  message(item: MessageItem): Promise<void>;
  write(octets: Uint8Array): Promise<void>;
  /** The message is complete. */
  complete(): Promise<void>;
  /** Forgets the message that was begun. */
  forget(): Promise<void>;
  /** Brings all to the disk. */
  end(): Promise<void>;
}

/** What was written. */
export interface ExportSummary {
  mailboxes: number;
  messages: number;
  octets: number;
  readonly failed: SourceFailure[];
}

/** Writes a stream of items; what is broken is stepped over and told of. */
export async function writeItems(
  items: AsyncIterable<TransferItem>,
  writer: Writer,
  told: (summary: ExportSummary) => void,
): Promise<ExportSummary> {
  const summary: ExportSummary = { mailboxes: 0, messages: 0, octets: 0, failed: [] };
  let mailbox = "";
  let key = "";
  for await (const item of items) {
    if (item instanceof Uint8Array) {
      summary.octets += item.length;
      await writer.write(item);
      continue;
    }
    switch (item.kind) {
      case "mailbox":
        mailbox = item.name;
        summary.mailboxes++;
        await writer.mailbox(item);
        break;
      case "message":
        key = item.key;
        await writer.message(item);
        break;
      case "end":
        summary.messages++;
        await writer.complete();
        told(summary);
        break;
      case "broken":
        await writer.forget();
        summary.failed.push({ place: `${mailbox}: ${key}`, reason: item.reason });
    }
  }
  await writer.end();
  return summary;
}

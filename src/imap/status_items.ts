/** The table of STATUS items. @see RFC 9051 §6.3.11 */

import type { MailboxStatus } from "../store/store.ts";
import type { StatusItem } from "../wire/list_grammar.ts";
import { mailbox } from "../wire/response.ts";

interface StatusRow {
  readonly rfc: string;
  readonly capability?: string | readonly string[];
  readonly value: (status: MailboxStatus, appendLimit: number) => number | string;
}

const BASE = "RFC 9051 §6.3.11";

export const STATUS_ITEMS: Readonly<Record<StatusItem, StatusRow>> = {
  MESSAGES: { rfc: BASE, value: (status) => status.messages },
  RECENT: { rfc: "RFC 3501 §6.3.10", value: (status) => status.recent },
  UIDNEXT: { rfc: BASE, value: (status) => status.uidNext },
  UIDVALIDITY: { rfc: BASE, value: (status) => status.uidValidity },
  UNSEEN: { rfc: BASE, value: (status) => status.unseen },
  DELETED: { rfc: BASE, value: (status) => status.deleted },
  "DELETED-STORAGE": { rfc: "RFC 9208 §4.1.4", value: (status) => status.deletedSize },
  SIZE: { rfc: "RFC 8438 §2", capability: "STATUS=SIZE", value: (status) => status.size },
  HIGHESTMODSEQ: {
    rfc: "RFC 7162 §3.1.7",
    capability: "CONDSTORE",
    value: (status) => status.highestModseq,
  },
  MAILBOXID: {
    rfc: "RFC 8474 §4.3",
    capability: "OBJECTID",
    value: ({ mailboxId }) => `(${mailboxId})`,
  },
  APPENDLIMIT: { rfc: "RFC 7889 §3.1", value: (_, appendLimit) => appendLimit },
};

/** `* STATUS name (ITEM value …)` with its CRLF. */
export function statusResponse(
  name: string,
  items: readonly StatusItem[],
  status: MailboxStatus,
  appendLimit: number,
  utf8: boolean,
): string {
  const values = items.map((item) => `${item} ${STATUS_ITEMS[item].value(status, appendLimit)}`);
  return `* STATUS ${mailbox(name, utf8)} (${values.join(" ")})\r\n`;
}

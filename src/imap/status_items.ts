/** The table of STATUS items. @see RFC 9051 §6.3.11 */

import type { MailboxStatus } from "../store/store.ts";
import type { StatusItem } from "../wire/list_grammar.ts";
import { mailbox } from "../wire/response.ts";
import { appendLimitOf, type AppendLimits } from "./append_limit.ts";
import type { Session } from "./session.ts";

interface StatusRow {
  readonly rfc: string;
  readonly capability?: string | readonly string[];
  readonly value: (status: MailboxStatus, scope: StatusScope) => number | string;
}

/** What is known of a mailbox besides. */
interface StatusScope {
  readonly mailbox: string;
  readonly service: AppendLimits;
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
  APPENDLIMIT: {
    rfc: "RFC 7889 §3.1",
    value: (_, { service, mailbox }) => appendLimitOf(service, mailbox),
  },
};

/** `* STATUS name (ITEM value …)` with its CRLF. */
export function statusResponse(
  name: string,
  items: readonly StatusItem[],
  status: MailboxStatus,
  { service, session }: { readonly service: AppendLimits; readonly session: Session },
): string {
  const scope = { mailbox: name, service };
  const values = items.map((item) => `${item} ${STATUS_ITEMS[item].value(status, scope)}`);
  return `* STATUS ${mailbox(name, session.utf8)} (${values.join(" ")})\r\n`;
}

/** How LIST, LSUB and XLIST responses are spelled. */

import type { Account, MailboxInfo, SpecialUse } from "../store/store.ts";
import { mailbox } from "../wire/response.ts";

/** A command that lists mailboxes, and how its answer tells what each is for. */
export interface ListForm {
  readonly label: "LIST" | "XLIST";
  readonly uses: (info: MailboxInfo) => readonly string[];
}

/** @see RFC 6154 §2 */
export const LIST_FORM: ListForm = { label: "LIST", uses: ({ specialUse }) => specialUse };

/** What was called otherwise before RFC 6154, in Gmail's XLIST. */
const OLD_USES: { readonly [Use in SpecialUse]?: string } = {
  "\\All": "\\AllMail",
  "\\Flagged": "\\Starred",
  "\\Junk": "\\Spam",
};

/**
 * Outlook and old Apple Mail ask for it unannounced, and look for these names.
 *
 * @see https://developers.google.com/workspace/gmail/imap/imap-extensions
 */
export const XLIST_FORM: ListForm = {
  label: "XLIST",
  uses: ({ name, specialUse }) => [
    ...name === "INBOX" ? ["\\Inbox"] : [],
    ...specialUse.map((use) => OLD_USES[use] ?? use),
  ],
};

/**
 * Attributes of a mailbox, undefined if it does not exist.
 *
 * @param missing the attribute of what cannot be selected
 */
export function mailboxAttributes(
  info: MailboxInfo | undefined,
  missing: "\\NonExistent" | "\\Noselect",
  form: ListForm,
): string[] {
  return [
    ...info?.selectable ? [] : [missing],
    info?.hasChildren ? "\\HasChildren" : "\\HasNoChildren",
    ...info === undefined ? [] : form.uses(info),
  ];
}

/** `* LIST (attributes) "/" name extended` with its CRLF. @see RFC 9051 §7.3.1 */
export function listResponse(
  label: ListForm["label"] | "LSUB",
  attributes: readonly string[],
  name: string,
  utf8: boolean,
  extended = "",
): string {
  return `* ${label} (${attributes.join(" ")}) "/" ${mailbox(name, utf8)}${extended}\r\n`;
}

/**
 * The LIST response of one mailbox that no LIST asked for. Only for who enabled IMAP4rev2.
 *
 * @param supplied the name that the client gave, where it was not the normal one
 * @see RFC 9051 §6.3.2, §6.3.9.7
 */
export function unaskedListResponse(account: Account, name: string, supplied?: string): string {
  const attributes = mailboxAttributes(account.info(name), "\\NonExistent", LIST_FORM);
  return listResponse("LIST", attributes, name, true, supplied && oldName(supplied));
}

/** oldname-extended-item = "OLDNAME" SP "(" mailbox ")" @see RFC 9051 §9 */
function oldName(name: string): string {
  return ` ("OLDNAME" (${mailbox(name, true)}))`;
}

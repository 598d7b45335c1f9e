/** What SORT and THREAD compare of a message's header. @see RFC 5256 §3, RFC 5957 §3 */

import { type Address, parseAddressList } from "./address.ts";
import { baseSubject } from "./base_subject.ts";
import { casemap } from "./casemap.ts";
import { sentSeconds } from "./date.ts";
import { decodeHeader, fieldsOf, firstField, type Header, type HeaderField } from "./header.ts";

/** Texts are in the form of {@link casemap}, "" where there is nothing. */
export interface SortKeys {
  /** The moment in Date, in seconds since 1970; null without a valid day. */
  readonly sent: number | null;
  /** Base subject. */
  readonly subject: string;
  /** 1 if the subject has marks of a reply or a forward. */
  readonly reply: number;
  /** Local part of the first address. */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** Name, or else address, of the first address. */
  readonly displayFrom: string;
  readonly displayTo: string;
  /** Normalized, without the angle brackets. */
  readonly messageId: string;
  /** Ids of what it answers, the direct parent last, with a space between. */
  readonly references: string;
}

/** More references of one message are left out, those in the middle. */
const MAX_REFERENCES = 1000;

/** @param header all fields that count (latin1): the whole block, or `cachedHeader` of it */
export function sortKeysOf(header: Header): SortKeys {
  const fields = fieldsOf(header);
  const date = firstField(fields, "date");
  const subject = baseSubject(firstField(fields, "subject") ?? "");
  const from = firstAddress(fields, "from");
  const to = firstAddress(fields, "to");
  return {
    sent: (date === undefined ? undefined : sentSeconds(date)) ?? null,
    subject: casemap(subject.text),
    reply: subject.reply ? 1 : 0,
    from: mailboxKey(from),
    to: mailboxKey(to),
    cc: mailboxKey(firstAddress(fields, "cc")),
    displayFrom: displayKey(from),
    displayTo: displayKey(to),
    messageId: messageIds(fields, "message-id")[0] ?? "",
    references: referencesOf(fields).join(" "),
  };
}

function firstAddress(fields: readonly HeaderField[], name: string): Address | undefined {
  const value = firstField(fields, name);
  return value === undefined ? undefined : parseAddressList(value)[0];
}

/** Characters that are compared of an address: one can become 18, and each has its own case. */
const MAX_ADDRESS = 1000;

/** @param raw of an address, as it was parsed */
function addressKey(raw: string): string {
  return casemap(decodeHeader(raw).slice(0, MAX_ADDRESS).toWellFormed());
}

/** @see RFC 5256 §3 CC, FROM, TO */
function mailboxKey(address: Address | undefined): string {
  return addressKey(address?.mailbox ?? "");
}

/** @see RFC 5957 §3 */
function displayKey(address: Address | undefined): string {
  const name = addressKey(address?.name ?? "");
  if (name !== "" || address?.mailbox === undefined) return name;
  const at = address.host ? `@${address.host}` : "";
  return addressKey(address.mailbox + at);
}

/** Those in References, or else the first in In-Reply-To. @see RFC 5256 §3 */
function referencesOf(fields: readonly HeaderField[]): readonly string[] {
  const ids = messageIds(fields, "references");
  if (ids.length === 0) return messageIds(fields, "in-reply-to").slice(0, 1);
  if (ids.length <= MAX_REFERENCES) return ids;
  return [ids[0], ...ids.slice(1 - MAX_REFERENCES)];
}

/**
 * msg-id = "<" id-left "@" id-right ">"; the left side may be quoted in old messages.
 *
 * Blanks around a left side without quotes are part of it: were they matched apart, a run of them
 * could be divided in so many ways that a header full of blanks took hours.
 */
const MESSAGE_ID = /<(?:\s*"((?:[^"\\<>]|\\[^])*)"\s*|([^<>@"]+))@([^<>]+)>/g;

/** The valid ids in a field, in the form in which the same are equal. @see RFC 5256 §3 */
function messageIds(fields: readonly HeaderField[], name: string): string[] {
  const ids: string[] = [];
  for (const match of (firstField(fields, name) ?? "").matchAll(MESSAGE_ID)) {
    const left = match[2] ?? match[1].replace(/\\([^])/g, "$1");
    const id = `${left}@${match[3]}`.replace(/\s+/g, "");
    ids.push(id);
  }
  return ids;
}

/** ENVELOPE in wire form. @see RFC 9051 §7.5.2 */

import { type Address, MAX_ADDRESSES, parseAddressList } from "./address.ts";
import { fieldsOf, firstField, type Header, type HeaderField, isNamed, unfold } from "./header.ts";
import { trimBlanks } from "./structured_field.ts";
import { nstring } from "./wire_string.ts";

/**
 * The ENVELOPE of a header block (latin1), parentheses included. Encoded words stay encoded.
 * A field that occurs twice counts once (the first), but address lists are joined.
 */
export function envelope(header: Header): string {
  const fields = fieldsOf(header);
  const from = addresses(fields, "from");
  const items = [
    text(fields, "date"),
    text(fields, "subject"),
    from,
    // RFC 9051 §7.5.2: absent or empty Sender and Reply-To are given as From.
    nonEmpty(addresses(fields, "sender")) ?? from,
    nonEmpty(addresses(fields, "reply-to")) ?? from,
    addresses(fields, "to"),
    addresses(fields, "cc"),
    addresses(fields, "bcc"),
    text(fields, "in-reply-to"),
    text(fields, "message-id"),
  ];
  return `(${items.join(" ")})`;
}

function text(fields: readonly HeaderField[], name: string): string {
  const value = firstField(fields, name);
  return nstring(value === undefined ? undefined : trimBlanks(unfold(value)));
}

function addresses(fields: readonly HeaderField[], name: string): string {
  let list = "";
  let count = 0;
  for (const field of fields) {
    if (!isNamed(field, name)) continue;
    if (count >= MAX_ADDRESSES) break;
    for (const address of parseAddressList(field.value)) {
      list += addressText(address);
      count++;
    }
  }
  return list === "" ? "NIL" : `(${list})`;
}

function nonEmpty(list: string): string | undefined {
  return list === "NIL" ? undefined : list;
}

/** @see RFC 9051 §9 `address` */
function addressText({ name, route, mailbox, host }: Address): string {
  return `(${nstring(name)} ${nstring(route)} ${nstring(mailbox)} ${nstring(host)})`;
}

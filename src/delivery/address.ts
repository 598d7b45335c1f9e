/** Addresses of recipients. */

import { splitEmail, unquoteLocal } from "../names/email_address.ts";
import { normalForm } from "../normal_form.ts";

/** An address cut at its last `@`. */
export interface RecipientAddress {
  /** Without quotes. */
  readonly local: string;
  /** Absent: an account's bare name. */
  readonly domain?: string;
}

/** Reads `ann@example.org`, `"a b"@example.org` or `ann`; undefined if it can be nobody's. */
export function recipientAddress(text: string): RecipientAddress | undefined {
  const parts = splitEmail(text);
  const local = unquoteLocal(parts?.local ?? text);
  if (local === undefined || (parts === undefined && text.includes("@"))) return undefined;
  return { local, domain: parts?.domain };
}

/** The address in one piece, as tables and normalizations take it. */
export function addressText({ local, domain }: RecipientAddress): string {
  return domain === undefined ? local : `${local}@${domain}`;
}

/**
 * Cuts `user+detail`; undefined where there is no detail.
 *
 * @param separator one of these characters ends the user's name; "" leaves all as it is
 * @see RFC 5233 §4
 */
export function withoutDetail(
  { local, domain }: RecipientAddress,
  separator: string,
): { readonly base: RecipientAddress; readonly detail: string } | undefined {
  const at = separator === "" ? -1 : local.indexOf(separator);
  // A name that begins with it has no user's name in front.
  if (at < 1) return undefined;
  return {
    base: { local: local.slice(0, at), domain },
    detail: local.slice(at + separator.length),
  };
}

/**
 * The mailbox that a detail means: its exact name, else whatever the case of its letters; levels
 * are separated by "/" or ".". Undefined if there is none.
 *
 * @param names of mailboxes that exist
 */
export function mailboxOf(detail: string, names: readonly string[]): string | undefined {
  const spellings = [detail, detail.replaceAll(".", "/")].map((each) => normalForm(each, "NFC"));
  for (const spelling of spellings) if (names.includes(spelling)) return spelling;
  for (const spelling of spellings) {
    const found = names.find((name) => name.toLowerCase() === spelling.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

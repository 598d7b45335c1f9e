/** Addresses such as `local@domain`, in which names of users are often written. */

import { domainToASCII, domainToUnicode } from "node:url";

/** The parts around the last `@`; both have characters. */
export interface EmailAddress {
  /** As it is written: it may be quoted. */
  readonly local: string;
  readonly domain: string;
}

/** The parts of `text`; undefined if it has no `@`, or nothing on one side of it. */
export function splitEmail(text: string): EmailAddress | undefined {
  const at = text.lastIndexOf("@");
  if (at < 1 || at === text.length - 1) return undefined;
  return { local: text.slice(0, at), domain: text.slice(at + 1) };
}

/**
 * A domain in the one form that all its spellings have: Unicode, lower case, without the root's
 * dot. Undefined if it cannot be a domain's name.
 *
 * @see RFC 5890 §2.3.2.1, UTS 46
 */
export function normalDomain(domain: string): string | undefined {
  const text = domain.replace(/[.\u3002\uff0e\uff61]$/, "");
  const ascii = domainToASCII(text);
  if (ascii.length > 253 || !ascii.split(".").every((label) => LABEL.test(label))) return undefined;
  return domainToUnicode(ascii);
}

/** Underscores are in use, though no host has them. */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** dot-atom-text; what is not ASCII is an atom's too. @see RFC 5322 §3.2.3, RFC 6532 §3.2 */
const DOT_ATOM = /^[^\s\p{Cc}()<>[\]:;@\\,."]+(\.[^\s\p{Cc}()<>[\]:;@\\,."]+)*$/u;

/** What a quoted-string stands for. @see RFC 5322 §3.2.4 */
const QUOTED = /^"((?:[^"\\\p{Cc}]|\\[^\p{Cc}])*)"$/u;

/** The local part without its quotes and escapes; undefined if it is neither an atom nor quoted. */
export function unquoteLocal(local: string): string | undefined {
  if (DOT_ATOM.test(local)) return local;
  const text = QUOTED.exec(local)?.[1].replace(/\\(.)/gu, "$1");
  return text === "" ? undefined : text;
}

/** `text` as a local part: quoted where it is no atom; undefined if none can stand for it. */
export function quoteLocal(text: string): string | undefined {
  if (DOT_ATOM.test(text)) return text;
  if (text === "" || /\p{Cc}/u.test(text)) return undefined;
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** PRECIS profiles: which names and passwords are the same. @see RFC 8264, RFC 8265 */

import { normalForm } from "../normal_form.ts";
import { bidiFits } from "./bidi.ts";
import { useOf } from "./code_points.ts";
import { contextFits } from "./context_rules.ts";

/** UsernameCaseMapped, or undefined where `name` is none. @see RFC 8265 §3.3 */
export function usernameCaseMapped(name: string): string | undefined {
  return username(name, (text) => text.toLowerCase());
}

/** UsernameCasePreserved, or undefined where `name` is none. @see RFC 8265 §3.4 */
export function usernameCasePreserved(name: string): string | undefined {
  return username(name, (text) => text);
}

/**
 * OpaqueString, the profile of passwords, or undefined where `password` is none.
 *
 * @see RFC 8265 §4.2
 */
export function opaqueString(password: string): string | undefined {
  if (!isFreeform(password)) return undefined;
  const enforced = normalForm(password.replace(/\p{Zs}/gu, " "), "NFC");
  // Once more: U+0387 becomes a middle dot, which may stand only between two l.
  return enforced === "" || !isFreeform(enforced) ? undefined : enforced;
}

/** Each of these characters may be in a name, and no rule but that of the case changes one. */
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;

/** The rules in the order of RFC 8264 §7. */
function username(name: string, mapCase: (text: string) => string): string | undefined {
  if (PRINTABLE_ASCII.test(name)) return mapCase(name);
  const prepared = withUsualWidth(name);
  if (!isIdentifier(prepared)) return undefined;
  const enforced = normalForm(mapCase(prepared), "NFC");
  // Once more: mapping must not lead out of the class.
  if (enforced === "" || !isIdentifier(enforced) || !bidiFits(enforced)) return undefined;
  return enforced;
}

/**
 * Fullwidth and halfwidth characters as those that they are variants of. NFKC goes further than
 * that only for some that no name may have in either form.
 *
 * @see RFC 8264 §5.2.1
 */
function withUsualWidth(text: string): string {
  return text.replace(/[\u3000\uff01-\uffee]/g, (char) => normalForm(char, "NFKC"));
}

function isIdentifier(text: string): boolean {
  const uses = Array.from(text, useOf);
  return uses.every((use) => use === "valid" || use === "context") && contextFits(text);
}

function isFreeform(text: string): boolean {
  return !Array.from(text, useOf).includes("disallowed") && contextFits(text);
}

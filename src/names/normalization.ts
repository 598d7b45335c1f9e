/** Ways to bring the different spellings of a user's name into one form. */

import { normalDomain, splitEmail } from "./email_address.ts";
import { usernameCaseMapped, usernameCasePreserved } from "./precis.ts";

/** The normal form of a name; undefined for what can be nobody's name. */
export type Normalization = (name: string) => string | undefined;

/** All of them, by the names that the config has for them. */
export const NORMALIZATIONS = {
  auto: (name) => name.includes("@") ? casefoldEmail(name) : usernameCaseMapped(name),
  precis_casefold_email: casefoldEmail,
  precis_casefold: usernameCaseMapped,
  precis_email: (name) => email(name, usernameCasePreserved),
  precis: usernameCasePreserved,
  casefold: (name) => name.toLowerCase(),
  noop: (name) => name,
} as const satisfies Record<string, Normalization>;

function casefoldEmail(name: string): string | undefined {
  return email(name, usernameCaseMapped);
}

/** The profile is for the local part; a domain has a normal form of its own. */
function email(name: string, profile: Normalization): string | undefined {
  const parts = splitEmail(name);
  const local = parts && profile(parts.local);
  const domain = parts && normalDomain(parts.domain);
  return local === undefined || domain === undefined ? undefined : `${local}@${domain}`;
}

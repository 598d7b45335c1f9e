/** Settings about the names of users. */

import { choice } from "../kinds.ts";

/** Ways to bring a name into one form. */
export const NORMALIZATIONS = [
  "auto",
  "precis_casefold_email",
  "precis_casefold",
  "precis_email",
  "precis",
  "casefold",
  "noop",
] as const;

/** One of the {@link NORMALIZATIONS}. */
export const normalization = choice(NORMALIZATIONS);

/** Settings of modules that know passwords. */

import { required, type Section } from "../setting.ts";
import { tableReference } from "./tables.ts";

/** Modules that know passwords. */
export const authModules = {
  pass_table: {
    table: required(tableReference, {
      inline: true,
      doc:
        "The table with a password hash for each user: `argon2:…` or `bcrypt:…`, as `imapd hash` " +
        "prints it.",
      example: '{ module = "file", path = "/etc/imapd/users" }',
    }),
  },
} satisfies Record<string, Section>;

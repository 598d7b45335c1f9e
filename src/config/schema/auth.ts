/** Settings of modules that know passwords. */

import { moduleReference } from "../modules.ts";
import { required, type Section } from "../setting.ts";
import { ldapModule } from "./auth_ldap.ts";
import { tableModules } from "./tables.ts";

/** Modules that know passwords. */
export const authModules = {
  pass_table: {
    table: required(moduleReference("table", () => tableModules), {
      inline: true,
      doc:
        "The table with a password hash for each user: `argon2:…` or `bcrypt:…`, as `imapd hash` " +
        "prints it.",
      example: '{ module = "file", path = "/etc/imapd/users" }',
    }),
  },
  ldap: ldapModule,
} satisfies Record<string, Section>;

/** Settings of modules that know passwords. */

import { string } from "../kinds.ts";
import { moduleReference } from "../modules.ts";
import { required, type Section, setting } from "../setting.ts";
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
  pam: {
    service: setting(string('a name such as "imapd"', (name) => /^[\w][\w.-]*$/.test(name)), {
      inline: true,
      default: '"imapd"',
      doc:
        "The PAM service: the name of the file in /etc/pam.d with the modules to ask. They run as " +
        "the user that the server runs as: pam_unix can check the passwords of other users only as " +
        "root or in the group that may read /etc/shadow. Only questions for a password are " +
        "answered.",
    }),
  },
} satisfies Record<string, Section>;

/** Settings of table modules. */

import { path } from "../kinds.ts";
import { required, type Section } from "../setting.ts";

/** Tables: maps from a key to values. */
export const tableModules = {
  file: {
    path: required(path(), {
      inline: true,
      doc: "A text file with one `name: value` a line. Lines that begin with `#` are comments. A " +
        "changed file is read again within a second; a broken one is reported, and what was read " +
        "before stays in force.",
      example: '"/etc/imapd/users"',
    }),
  },
} satisfies Record<string, Section>;

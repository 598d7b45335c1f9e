/** Settings of table modules. */

import { boolean, choice, list, mapOf, path, string } from "../kinds.ts";
import { type Chosen, moduleReference } from "../modules.ts";
import { keyOf, type Kind, optional, required, type Section, setting, wrong } from "../setting.ts";
import { domain, dsn, oneOrMore, pattern, placeholdersHaveGroups, text } from "../table_kinds.ts";

/** Databases that tables can lie in. */
export const SQL_DRIVERS = ["sqlite", "sqlite3"] as const;

const database = {
  driver: required(choice(SQL_DRIVERS), {
    doc: "The kind of the database; both names mean SQLite.",
    example: '"sqlite"',
  }),
  dsn: required(dsn(), {
    doc: "The database's file. While another program has it locked, lookups wait up to 5 seconds.",
    example: '"/var/lib/imapd/users.sqlite"',
  }),
} satisfies Section;

const statement = string("an SQL statement");

function changing(what: string, args: string, sql: string) {
  return optional(statement, {
    sample: `"${sql}"`,
    doc: `${what}; it is given ${args}. Only \`imapd user\` needs it.`,
  });
}

/** Tables that are not made of other tables. */
const plainTables = {
  identity: {},
  static: {
    entries: required(mapOf("keys", () => true, oneOrMore(text())), {
      doc: "The values of each key.",
      example: '{ "info@example.org" = "ann", "all@example.org" = ["ann", "bob"] }',
    }),
  },
  file: {
    path: required(path(), {
      inline: true,
      doc: "A text file with one `name: value` a line. A name may have several values: " +
        "`name: one, two`, with a blank behind the comma, or on several lines. A line without a colon is a name with an empty value. Lines that begin " +
        "with `#` are comments. A changed file is read again within a second; a broken one is " +
        "reported, and what was read before stays in force.",
      example: '"/etc/imapd/users"',
    }),
  },
  regexp: {
    pattern: required(pattern(), {
      inline: true,
      doc:
        "What keys must match, in the [syntax of RE2](https://github.com/google/re2/wiki/Syntax).",
      example: '"(.*)@example\\\\.org"',
    }),
    replacement: optional(oneOrMore(text()), {
      inline: "rest",
      check: placeholdersHaveGroups,
      doc: "The values of keys that match; the key itself if absent.",
      example: '"$1"',
    }),
    full_match: setting(boolean(), {
      default: "true",
      doc: "Whether the whole key must match, or some part of it.",
    }),
    case_insensitive: setting(boolean(), {
      default: "true",
      doc: "Whether capitals and small letters match each other.",
    }),
    expand_placeholders: setting(boolean(), {
      default: "true",
      doc: "Whether `$1`, `$name` and `${name}` in replacements stand for what the groups of the " +
        "pattern matched (`$0`: for all of it), and `$$` for `$`.",
    }),
  },
  email_localpart: {},
  email_localpart_optional: {},
  email_with_domain: {
    domains: required(list(domain(), 1), {
      inline: "rest",
      doc: "The domains of the addresses.",
      example: '["example.org"]',
    }),
  },
  sql_query: {
    ...database,
    init: setting(list(statement), {
      default: "[]",
      doc: "SQL statements that run at the start. Where there are any, a missing file is made.",
    }),
    lookup: required(statement, {
      doc: "SQL statement that is given `:key` and has the values in the first column of its rows.",
      example: '"SELECT password FROM users WHERE name = :key"',
    }),
    add: changing(
      "SQL statement that adds a key",
      "`:key` and `:value`",
      "INSERT INTO users VALUES (:key, :value)",
    ),
    list: changing(
      "SQL statement that has all keys in the first column of its rows",
      "nothing",
      "SELECT name FROM users",
    ),
    set: changing(
      "SQL statement that changes the value of a key",
      "`:key` and `:value`",
      "UPDATE users SET password = :value WHERE name = :key",
    ),
    del: changing(
      "SQL statement that removes a key",
      "`:key`",
      "DELETE FROM users WHERE name = :key",
    ),
    named_args: setting(boolean(), {
      default: "true",
      doc: "Whether statements have `:key` and `:value`, or `$1` and `$2` in their place.",
    }),
  },
  sql_table: {
    ...database,
    table_name: required(string("a name"), {
      doc: "The table in the database; it is made if there is none.",
      example: '"users"',
    }),
    key_column: setting(string("a name"), { default: '"key"', doc: "The column of the keys." }),
    value_column: setting(string("a name"), {
      default: '"value"',
      doc: "The column of the values.",
    }),
  },
} satisfies Record<string, Section>;

/** Settings of a table. */
export type TableConfig = Chosen<"module", typeof plainTables> | ChainConfig;

/** Settings of a table made of others. */
export interface ChainConfig {
  readonly module: "chain";
  readonly blockName?: string;
  readonly steps: readonly ChainStepConfig[];
}

/** One table of a chain. */
export interface ChainStepConfig {
  readonly table: TableConfig;
  readonly optional: boolean;
}

const STEP = "{ step = TABLE } or { optional_step = TABLE }";

/** One table of a chain. */
const chainStep: Kind<ChainStepConfig> = {
  name: "step",
  expected: STEP,
  read(value, key, reading) {
    const [entry, ...more] = value.type === "table" ? value.entries : [];
    if (entry === undefined || more.length > 0) return wrong(reading, value, key, STEP);
    const [name, { value: step, keyAt }] = entry;
    if (name !== "step" && name !== "optional_step") {
      return void reading.fault(keyAt, `${key} must be ${STEP}: got the key ${name}`);
    }
    const table = tableReference.read(step, keyOf(key, name), reading);
    return table && { table, optional: name === "optional_step" };
  },
};

/** Tables: maps from a key to values. */
export const tableModules = {
  ...plainTables,
  chain: {
    steps: required(list(chainStep, 1), {
      doc: "Tables that are asked one after the other: the first one for the key, each other one " +
        "for all values that the one before has found. Where a `step` does not know one of them, " +
        "the chain does not know the key; an `optional_step` is left out then.",
      example: '[{ optional_step = "email_localpart" }, { step = "&users" }]',
    }),
  },
} satisfies Record<string, Section>;

/** A table, named or inline. */
export const tableReference: Kind<TableConfig> = moduleReference("table", () => tableModules);

/** What each table is, for the reference. */
export const tableDocs: Readonly<Record<keyof typeof tableModules, string>> = {
  identity: "The value of every key is the key.",
  static: "A table that stands in the config.",
  file: "A table in a text file.",
  regexp:
    "A table of all keys that match a pattern. No key takes longer than its length asks for: " +
    "patterns that would need it, with back-references or lookaround, are refused.",
  email_localpart: "From an address to what stands before its last `@`, without the quotes of a " +
    "quoted string. Other keys are not known.",
  email_localpart_optional: "As `email_localpart`, but the value of a key that is no address is " +
    "the key.",
  email_with_domain:
    "From a name to its address in each of some domains. The name is quoted where " +
    "that is needed.",
  sql_query:
    "A table that asks a database by statements of your own. They run on the event loop: " +
    "give the database the index that `lookup` needs.",
  sql_table: "A table in a database that has a row for each key.",
  chain: "A table made of others.",
};

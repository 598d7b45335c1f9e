/**
 * The table of all settings. The example config and the reference in `docs/config.md` are made
 * from it: a new setting is one more entry here.
 */

import {
  address,
  boolean,
  choice,
  duration,
  hostname,
  integer,
  list,
  logTargets,
  mapOf,
  path,
  pathTemplate,
  range,
  size,
} from "./kinds.ts";
import { type Check, moduleReference, table, tables, tlsTable } from "./modules.ts";
import { optional, required, type Section, setting } from "./setting.ts";

/** Special uses of mailboxes as the config spells them. @see RFC 6154 §2 */
export const SPECIAL_USES = [
  "all",
  "archive",
  "drafts",
  "flagged",
  "junk",
  "sent",
  "trash",
] as const;

const protocols = setting(range(["tls1.2", "tls1.3"]), {
  default: '["tls1.2", "tls1.3"]',
  doc: "The lowest and the highest version of TLS that is offered; one value offers only that one.",
});

/** Where certificates come from, by `loader`. */
export const tlsLoaders = {
  file: {
    certs: required(list(path(), 1), {
      doc:
        "PEM files, each with a certificate and the chain above it. The first one answers clients " +
        "that name no host or one that no certificate is for; the others are chosen by the name " +
        "that the client asks for. Changed files are loaded within a minute.",
      example: '["/etc/ssl/imapd/cert.pem"]',
    }),
    keys: required(list(path(), 1), {
      doc: "PEM files with the private keys, in the order of `certs`.",
      example: '["/etc/ssl/imapd/key.pem"]',
    }),
    protocols,
  },
  self_signed: { protocols },
} satisfies Record<string, Section>;

/** Tables: maps from a key to values. */
export const tableModules = {
  file: {
    path: required(path(), {
      doc: "A text file with one `name: value` a line. Lines that begin with `#` are comments. A " +
        "changed file is read again within a second; a broken one is reported, and what was read " +
        "before stays in force.",
      example: '"/etc/imapd/users"',
    }),
  },
} satisfies Record<string, Section>;

/** Modules that know passwords. */
export const authModules = {
  pass_table: {
    table: required(moduleReference("table", tableModules), {
      doc:
        "The table with a password hash for each user: `argon2:…` or `bcrypt:…`, as `imapd hash` " +
        "prints it.",
      example: '{ module = "file", path = "/etc/imapd/users" }',
    }),
  },
} satisfies Record<string, Section>;

function isFolderName(name: string): boolean {
  return name.split("/").every((level) => level !== "") && !/\p{Cc}/u.test(name) &&
    name.toUpperCase() !== "INBOX";
}

/** Modules that keep mail. */
export const storageModules = {
  maildir: {
    path: setting(pathTemplate(["account", "local", "domain"], ["account", "local"]), {
      default: '"{state_dir}/mail/{account}"',
      doc:
        "Maildir of an account. `{account}` is its name; `{local}` and `{domain}` are the parts " +
        "before and after its last `@`. Where `{domain}` is used, names without one are refused.",
    }),
    special_folders: setting(
      mapOf("names of mailboxes other than INBOX", isFolderName, choice(SPECIAL_USES)),
      {
        default: '{ Drafts = "drafts", Sent = "sent", Junk = "junk", Trash = "trash", ' +
          'Archive = "archive" }',
        doc:
          "Mailboxes that a new account gets and subscribes to, each with its special use (RFC 6154). " +
          "`{}` makes none.",
      },
    ),
    memory_budget: setting(size({ atLeast: "1 MiB", atMost: "64 GiB" }), {
      default: '"64 MiB"',
      doc: "Memory for the indexes of mailboxes that nobody has open, so that they open faster.",
    }),
  },
} satisfies Record<string, Section>;

/** Modules by the namespace that their named blocks stand under. */
export const namespaces = {
  auth: authModules,
  storage: storageModules,
  table: tableModules,
} as const;

/** Bounds of one endpoint. */
export const limits = {
  line: setting(size({ atLeast: "1 KiB", atMost: "16 MiB" }), {
    default: '"64 KiB"',
    doc: "Longest command line, its literals not counted.",
  }),
  append: setting(size({ atLeast: "1 KiB", atMost: "4095 MiB" }), {
    default: '"64 MiB"',
    doc: "Largest message that APPEND takes; sent to clients as APPENDLIMIT (RFC 7889).",
  }),
  literals: setting(size({ atLeast: "1 KiB", atMost: "1 GiB" }), {
    default: '"1 MiB"',
    doc: "Largest sum of all literals of one command, APPEND's message not counted.",
  }),
  login: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"60s"',
    doc: "Time from the connection to a successful login.",
  }),
  idle: setting(duration({ atLeast: "1s", atMost: "7d" }), {
    default: '"30m"',
    doc:
      "Time without a command after which the connection is closed; never in IDLE. RFC 9051 §5.4 " +
      "asks for at least 30 minutes.",
  }),
  write: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"5m"',
    doc: "Time that output may be stuck before the connection is closed.",
  }),
  keepalive: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"2m"',
    doc: "Time between two `* OK Still here` in IDLE.",
  }),
  bad_before_login: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "3",
    doc: "Bad commands in a row before login that end the connection.",
  }),
  bad_after_login: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "20",
    doc: "Bad commands in a row after login that end the connection.",
  }),
  connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "10000",
    doc: "Connections at once; more are turned away with BYE.",
  }),
} satisfies Section;

const asManyKeys: Check = (values, key, reading) => {
  const certs = values.entries.get("certs")?.value;
  const keys = values.entries.get("keys")?.value;
  if (certs?.type !== "list" || keys?.type !== "list") return;
  if (certs.items.length === keys.items.length) return;
  reading.fault(
    keys.at,
    `${key}.keys must have as many paths as ${key}.certs (${certs.items.length}): got ` +
      `${keys.items.length}`,
  );
};

const tls = tlsTable(tlsLoaders, { file: asManyKeys });

/** One `[[imap]]` block. */
export const imap = {
  listen: required(list(address(), 1), {
    doc:
      "Addresses to listen on: `tcp://HOST:PORT` (with STARTTLS) or `tls://HOST:PORT` (TLS from " +
      "the first byte). IPv6 addresses stand in brackets; port 0 takes any free one.",
    example: '["tcp://0.0.0.0:143", "tls://0.0.0.0:993"]',
  }),
  tls: optional(tls, { doc: "TLS of this endpoint, instead of the top-level `tls`." }),
  insecure_auth: optional(boolean(), {
    doc:
      "Whether passwords are taken over connections without TLS. The default is false, and true " +
      "where TLS is off, because nobody could log in otherwise.",
    example: "false",
  }),
  io_debug: setting(boolean(), {
    default: "false",
    doc: "Log all commands and responses. Passwords are masked, but **mail gets into the log**.",
  }),
  io_errors: setting(boolean(), {
    default: "false",
    doc: "Log errors of reading from and writing to clients.",
  }),
  auth: required(moduleReference("auth", authModules), {
    doc: "The module that checks passwords.",
    example: '"&local_authdb"',
  }),
  storage: required(moduleReference("storage", storageModules), {
    doc: "The module that keeps the mail.",
    example: '"&local_mailboxes"',
  }),
  limits: setting(table(limits), {
    default: "{}",
    doc: "Bounds that keep one client from hurting the others.",
  }),
} satisfies Section;

/** Keys before the first table, and the tables `tls` and `[[imap]]`. */
export const top = {
  hostname: optional(hostname(), {
    doc: "The name that the server tells clients. The default is the machine's own.",
    example: '"mail.example.org"',
  }),
  state_dir: setting(path(), {
    default: '"/var/lib/imapd"',
    doc: "Folder for all that the server keeps.",
  }),
  log: setting(logTargets(), {
    default: '["stderr"]',
    doc:
      'Where the log goes: "stderr", "stderr_ts" (with timestamps), "syslog" (the datagram socket ' +
      '/dev/log), the path of a file (appended to, with timestamps), or "off".',
  }),
  debug: setting(boolean(), { default: "false", doc: "Log what only developers want to know." }),
  tls: optional(tls, {
    doc:
      'TLS of all endpoints that have no `tls` of their own: a table, or "off". One of the two must ' +
      "be there.",
  }),
  imap: required(tables(imap), { doc: "Endpoints that speak IMAP." }),
} satisfies Section;

/** The named blocks of the example config, which its `[[imap]]` refers to. */
export const exampleBlocks = [
  { namespace: "auth", name: "local_authdb", module: "pass_table" },
  { namespace: "storage", name: "local_mailboxes", module: "maildir" },
] as const;

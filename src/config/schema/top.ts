/**
 * The table of all settings. The example config and the reference in `docs/config.md` are made
 * from it and the files beside it: a new setting is one more entry in one of them.
 */

import { boolean, choice, duration, hostname, logTargets, path } from "../kinds.ts";
import { table, tables } from "../modules.ts";
import { optional, required, type Section, setting } from "../setting.ts";
import { tlsSetting } from "../tls_setting.ts";
import { authModules } from "./auth.ts";
import { autoconfig } from "./autoconfig.ts";
import { imap } from "./imap.ts";
import { serverLimits } from "./limits.ts";
import { lmtp } from "./lmtp.ts";
import { normalization } from "./names.ts";
import { openMetrics } from "./openmetrics.ts";
import { storageModules } from "./storage.ts";
import { tableDocs, tableModules, tableReference } from "./tables.ts";
import { tlsLoaders } from "./tls.ts";

/** Modules by the namespace that their named blocks stand under. */
export const namespaces = {
  auth: authModules,
  storage: storageModules,
  table: tableModules,
  tls_loader: tlsLoaders,
} as const;

/** What modules are, where their settings do not tell it. */
export const moduleDocs: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
  table: tableDocs,
};

/** Keys before the first table, and the tables `tls`, `[[imap]]` and `autoconfig`. */
export const top = {
  hostname: optional(hostname(), {
    doc: "The name that the server tells clients. The default is the machine's own.",
    example: '"mail.example.org"',
  }),
  state_dir: setting(path(), {
    default: '"/var/lib/imapd"',
    doc: "Folder for all that the server keeps.",
  }),
  runtime_dir: setting(path(), {
    default: '"/run/imapd"',
    doc: "Folder where relative paths of unix sockets start. It is not made. If it is there, the " +
      "server opens `control.sock` in it, by which the program's other commands reach it; only " +
      "the server's user and root may use it. Copies of indexes, for the doctor and for accounts on " +
      "read-only disks, are made here if the folder for temporary files takes none.",
  }),
  log: setting(logTargets(), {
    default: '["stderr"]',
    doc:
      'Where the log goes: "stderr", "stderr_ts" (with timestamps), "syslog" (the datagram socket ' +
      '/dev/log), the path of a file (appended to, with timestamps), or "off".',
  }),
  log_format: setting(choice(["text", "logfmt", "json"]), {
    default: '"text"',
    doc:
      'How lines of the log are written: "text" for people, "logfmt" (`level=info msg="logged in" ' +
      'conn=1`) or "json" (an object a line) for programs.',
  }),
  debug: setting(boolean(), { default: "false", doc: "Log what only developers want to know." }),
  openmetrics: optional(openMetrics(), {
    sample: '"tcp://127.0.0.1:9749"',
    doc:
      "Where a status page (`/`), metrics for Prometheus (`/metrics`) and the health (`/healthz`) " +
      "are served over HTTP; see docs/monitoring.md. Absent: nowhere. On an address that others " +
      "reach it must be a table with a token.",
  }),
  warm_up: setting(duration({ atLeast: "0s", atMost: "1m" }), {
    default: '"600ms"',
    doc:
      "Time before the ports open in which the server plays a session with itself, so that the " +
      "first clients do not wait for code to be compiled. `0s` opens them at once.",
  }),
  limits: setting(table(serverLimits), {
    default: "{}",
    doc: "Bounds that hold for all endpoints together; each `[[imap]]` has its own besides.",
  }),
  auth_map: setting(tableReference, {
    default: '"identity"',
    doc: "The table from the name that a client logs in with to the name that `auth` of an " +
      "endpoint knows. Who is not in it cannot log in.",
  }),
  auth_map_normalize: setting(normalization, {
    default: '"auto"',
    doc: "The form that the name gets before it is looked up in `auth_map`. " +
      "`precis_casefold_email` takes an address: its local part becomes what RFC 8265 calls " +
      "UsernameCaseMapped, its domain lower case in Unicode. `precis_casefold` takes the whole name " +
      "for a local part; `precis_email` and `precis` keep capitals; `auto` is " +
      "`precis_casefold_email` for names with an `@`, else `precis_casefold`; `casefold` only " +
      "changes capitals, `noop` nothing. Who has a name without such a form cannot log in.",
  }),
  tls: optional(tlsSetting(), {
    sample: '["cert.pem", "key.pem"]',
    doc:
      "TLS of all endpoints that have no `tls` of their own; one of the two must be there. In place " +
      'of the table may stand `"off"`, `["cert.pem", "key.pem"]` (more pairs may follow), a loader ' +
      'such as `"self_signed"` or `["self_signed", "NAME"]`, or `"&NAME"` of a `[tls_loader.NAME]` ' +
      "block, which several endpoints may share.",
  }),
  imap: required(tables(imap), { doc: "Endpoints that speak IMAP." }),
  lmtp: optional(tables(lmtp), {
    doc: "Endpoints that take mail from an MTA of this machine by LMTP (RFC 2033). There need be " +
      "none.",
  }),
  autoconfig: optional(table(autoconfig), {
    sample: '{ listen = ["tcp://127.0.0.1:8080"] }',
    doc: "Serves forms by which mail programs set themselves up: `/mail/config-v1.1.xml` and " +
      "`/.well-known/autoconfig/mail/config-v1.1.xml` (Thunderbird, Android), " +
      "`/autodiscover/autodiscover.xml` (Outlook), `/apple/mail.mobileconfig?address=ADDRESS` (iOS, " +
      "macOS), and a page for people at `/`.",
  }),
} satisfies Section;

/** The named blocks of the example config, which its `[[imap]]` refers to. */
export const exampleBlocks = [
  { namespace: "auth", name: "local_authdb", module: "pass_table" },
  { namespace: "storage", name: "local_mailboxes", module: "maildir" },
] as const;

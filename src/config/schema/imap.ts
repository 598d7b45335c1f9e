/** Settings of one `[[imap]]` endpoint. */

import { address, boolean, choice, duration, integer, list, path, size } from "../kinds.ts";
import { moduleReference, moduleReferences, table } from "../modules.ts";
import { optional, required, type Section, setting } from "../setting.ts";
import { authModule } from "./auth.ts";
import { storageModules } from "./storage.ts";
import { tls } from "./tls.ts";

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

/** Certificates of clients. */
export const clientCerts = {
  ca: required(list(path(), 1), {
    doc:
      "PEM files with the certificates of those who issue certificates to users. **Whom they name " +
      "is logged in**, so it must not be a public CA.",
    example: '["/etc/imapd/users-ca.pem"]',
  }),
  name: setting(choice(["email", "dns", "cn"]), {
    default: '"email"',
    doc:
      "Where a certificate has the user's name: in the e-mail addresses or the DNS names of its " +
      "subjectAltName, or in the CN of its subject.",
  }),
} satisfies Section;

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
  sasl_login: setting(boolean(), {
    default: "false",
    doc:
      "Whether AUTH=LOGIN is offered, for clients that know neither the command LOGIN nor PLAIN.",
  }),
  channel_binding: setting(boolean(), {
    default: "true",
    doc:
      "Whether SCRAM is also offered with channel binding (-PLUS) over TLS, by tls-server-end-point " +
      "(RFC 5929). Clients that know only other types of channel binding cannot use SCRAM then: " +
      "`false` lets them.",
  }),
  client_certs: optional(table(clientCerts), {
    doc:
      "Asks clients for a certificate, by which they can log in without a password (SASL EXTERNAL), " +
      "on addresses with `tls://`. Who shows none, or one that is not trusted, logs in as usual.",
  }),
  auth: required(moduleReferences(authModule), {
    doc:
      "The module that checks passwords, or a list of modules that are tried in order: the first " +
      "success counts. What all of them can check decides which mechanisms of SASL are offered.",
    example: '"&local_authdb"',
  }),
  storage: required(moduleReference("storage", () => storageModules), {
    doc: "The module that keeps the mail.",
    example: '"&local_mailboxes"',
  }),
  limits: setting(table(limits), {
    default: "{}",
    doc: "Bounds that keep one client from hurting the others.",
  }),
} satisfies Section;

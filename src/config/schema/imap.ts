/** Settings of one `[[imap]]` endpoint. */

import { address, proxies } from "../addresses.ts";
import { boolean, choice, duration, integer, list, size, string } from "../kinds.ts";
import { located } from "../located.ts";
import { moduleReference, moduleReferences, table, tableOrList } from "../modules.ts";
import { optional, required, type Section, setting } from "../setting.ts";
import { tlsSetting } from "../tls_setting.ts";
import { authModule, authModules } from "./auth.ts";
import { normalization } from "./names.ts";
import { storageModules } from "./storage.ts";
import { tableReference } from "./tables.ts";

/** Bounds of one endpoint. */
export const limits = {
  line: setting(size({ atLeast: "1 KiB", atMost: "16 MiB" }), {
    default: '"64 KiB"',
    doc: "Longest command line, its literals not counted.",
  }),
  line_before_login: setting(size({ atLeast: "512 B", atMost: "1 MiB" }), {
    default: '"8 KiB"',
    doc: "Longest command line before login, and longest answer of a client in AUTHENTICATE.",
  }),
  append: setting(size({ atLeast: "1 KiB", atMost: "4095 MiB" }), {
    default: '"64 MiB"',
    doc: "Largest message that APPEND takes; sent to clients as APPENDLIMIT (RFC 7889).",
  }),
  messages: optional(integer({ atLeast: 1, atMost: 4_294_967_295 }), {
    sample: "1000",
    doc:
      "Most messages that one command fetches, searches, changes or stores; sent to clients as " +
      "MESSAGELIMIT (RFC 9738). Of a command with more, the newest are processed, and the client is " +
      "told; `COPY`, `APPEND`, `THREAD` and pages that are longer are refused. `EXPUNGE`, `CLOSE` " +
      "and `STATUS` are not limited. Without it there is no such limit.",
  }),
  saved_messages: optional(integer({ atLeast: 1, atMost: 4_294_967_295 }), {
    sample: "1000",
    doc:
      "Most messages that one `COPY` or `APPEND` stores; where it is below `messages`, sent to " +
      "clients as SAVELIMIT (RFC 9738). `MOVE` keeps to `messages` only. Without it there is no " +
      "such limit but that.",
  }),
  literals: setting(size({ atLeast: "1 KiB", atMost: "1 GiB" }), {
    default: '"1 MiB"',
    doc: "Largest sum of all literals of one command, APPEND's message not counted.",
  }),
  literals_before_login: setting(size({ atLeast: "1 KiB", atMost: "1 MiB" }), {
    default: '"8 KiB"',
    doc: "The same before login.",
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
  read: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"60s"',
    doc:
      "Time without an octet in the middle of a command, a literal, the answers of AUTHENTICATE or a " +
      "TLS handshake, after which the connection is closed. So is one that brings fewer than 64 " +
      "octets a second for as long.",
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
  buffers: setting(size({ atLeast: "1 MiB", atMost: "1 TiB" }), {
    default: '"256 MiB"',
    doc:
      "Memory for what all clients sent and was not worked on yet, and for what they do not take. " +
      "16 KiB of a connection are not counted. Once it is used up, literals are refused with " +
      "`[LIMIT]` after 10 seconds, clients that send ahead are not read from, and those that take " +
      "no data are cut off after 10 seconds. The same goes for a user, or before login a network, " +
      "that would hold more than a third of what is left: so at most a quarter of all, but always " +
      "what one connection may send, `literals` and 256 KiB.",
  }),
  failed_logins: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "10",
    doc: "Failed logins on one connection that end it.",
  }),
  connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "10000",
    doc: "Connections to this endpoint at once, as `limits.connections` for all endpoints.",
  }),
} satisfies Section;

/** What an endpoint offers to clients. */
export const capabilities = {
  disable: setting(list(located(string("a capability"))), {
    default: "[]",
    doc:
      'Capabilities that are not announced, such as `["COMPRESS=DEFLATE", "THREAD"]` (all that begin ' +
      "with `THREAD=`), for clients or networks that break on them. What cannot be without one of " +
      "them goes as well: IMAP4rev2 with each that is part of it. They cannot be enabled any more; " +
      "`AUTH=` mechanisms are refused.",
  }),
  client_quirks: setting(boolean(), {
    default: "true",
    doc:
      "Whether clients that are known to break on a capability are not offered it, by what they say " +
      "of themselves by the command ID. RFC 2971 would rather have this `false`.",
  }),
} satisfies Section;

/** Proxies in front of an endpoint. */
export const proxyProtocol = {
  trust: required(proxies(), {
    doc:
      "Proxies, which must send a PROXY header within 5 seconds: IP addresses (of IPv6 too, one " +
      'address is one address), subnets, and `"unix"` for whoever connects over a unix socket. Every ' +
      "other peer is an ordinary client, whose own address counts and whose PROXY header is a bad " +
      "command.",
    example: '["127.0.0.1", "10.0.0.0/8", "2001:db8::1"]',
  }),
  tls_offloaded: setting(boolean(), {
    default: "false",
    doc: "Whether a client counts as secure if the proxy says that it came over TLS: by the TLV " +
      "PP2_TYPE_SSL of version 2 (HAProxy: `send-proxy-v2-ssl`).",
  }),
  tls: optional(tlsSetting(), {
    sample: '"off"',
    doc:
      "TLS between the proxies and the server, around the header. It has nothing to do with the TLS " +
      "of the clients, and is not taken over from any other `tls`.",
  }),
} satisfies Section;

function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(text);
}

/** One `[[imap]]` block. */
export const imap = {
  listen: required(list(address(), 1), {
    doc:
      "Addresses to listen on: `tcp://HOST:PORT` (with STARTTLS), `tls://HOST:PORT` (TLS from the " +
      "first byte), `unix:///path` (a unix socket; it counts as secure), and `fd://NAME`, `fd://N` or " +
      "`fd+tls://NAME` (the sockets of that name in LISTEN_FDNAMES, or descriptor N, which systemd or " +
      "another service manager opened; `fd+tls` is TLS from the first byte). A name means all its IP " +
      "addresses; IPv6 addresses stand in brackets, and `[::]` takes IPv4 too unless an IPv4 address " +
      "is listened on at the same port; port 0 takes any free one. A relative path starts at " +
      "`runtime_dir`; the file is removed at the end. In place of `unix:///path` a table may give the " +
      'file\'s permissions: `{ address = "unix:///run/imapd/imap.sock", mode = "0660", owner = "vmail", ' +
      'group = "mail" }`.',
    example: '["tcp://0.0.0.0:143", "tls://0.0.0.0:993"]',
  }),
  tls: optional(tlsSetting(), {
    sample: '["cert.pem", "key.pem"]',
    doc: "TLS of this endpoint, instead of the top-level `tls`.",
  }),
  proxy_protocol: optional(tableOrList(proxyProtocol, "trust", proxies().expected), {
    sample: '["127.0.0.1", "10.0.0.0/8"]',
    doc:
      "Proxies in front of the server that tell the client's address by a PROXY header (version 1 or " +
      "2): a list of those that are trusted, or a table. Without it there are none. The header comes " +
      "first, then TLS, with `tls://` as well as by STARTTLS.",
  }),
  insecure_auth: optional(boolean(), {
    doc:
      "Whether passwords are taken over connections without TLS. The default is false, and true " +
      "where TLS is off, because nobody could log in otherwise (but false where there are only unix " +
      "sockets, or `tls_offloaded` is true).",
    example: "false",
  }),
  debug: optional(boolean(), {
    doc:
      "Log what only developers want to know of this endpoint. The default is the top-level `debug`.",
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
  certificate_name: setting(choice(["email", "dns", "cn"]), {
    default: '"email"',
    doc:
      "Where a client's certificate has the user's name, who may then log in without a password (SASL " +
      "EXTERNAL): in the e-mail addresses or the DNS names of its subjectAltName, or in the CN of its " +
      "subject. Clients are asked for certificates where `tls` has a `client_ca`. No `auth` module is asked, but who is " +
      "not in `auth_map` is no user. **Whom that authority names is logged in**, so it must not be a public one.",
  }),
  auth: required(moduleReferences(authModule, () => authModules), {
    doc:
      "The module that checks passwords, or a list of modules that are tried in order: the first " +
      "success counts. What all of them can check decides which mechanisms of SASL are offered.",
    example: '"&local_authdb"',
  }),
  storage: required(moduleReference("storage", () => storageModules), {
    doc: "The module that keeps the mail.",
    example: '"&local_mailboxes"',
  }),
  admins: setting(list(string("the name of an account"), 0), {
    default: "[]",
    doc:
      "Names of accounts (as `storage_map` gives them) whose users are admins: by IMAP, they may " +
      "see and set the quotas of all accounts of `storage` (QUOTASET, RFC 9208), and the " +
      "annotations of the server that all users see (METADATA, RFC 5464).",
  }),
  admin_contact: optional(string("a URI", isUri), {
    sample: '"mailto:postmaster@example.org"',
    doc:
      "How users reach the administrator; clients read it as the annotation `/shared/admin` of " +
      "the server (RFC 5464).",
  }),
  auth_map: optional(tableReference, {
    sample: '["regexp", "(.*)@example\\\\.org", "$1"]',
    doc: "The table from the name that a client logs in with to the name that `auth` knows, " +
      "instead of the top-level `auth_map`. Who is not in it cannot log in.",
  }),
  auth_map_normalize: optional(normalization, {
    sample: '"casefold"',
    doc: "The form that the name gets before it is looked up in `auth_map`, instead of the " +
      "top-level `auth_map_normalize`.",
  }),
  storage_map: setting(tableReference, {
    default: '"identity"',
    doc: "The table from the name that a client logs in with to the account's name in `storage`. " +
      "Who is not in it cannot log in. It is independent of `auth_map`.",
  }),
  storage_map_normalize: setting(normalization, {
    default: '"auto"',
    doc:
      "The form that the name gets before it is looked up in `storage_map`; the words are those " +
      "of the top-level `auth_map_normalize`.",
  }),
  capabilities: setting(table(capabilities), {
    default: "{}",
    doc: "What is offered to clients.",
  }),
  limits: setting(table(limits), {
    default: "{}",
    doc: "Bounds that keep one client from hurting the others.",
  }),
} satisfies Section;

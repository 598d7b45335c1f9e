/** Settings of one `[[lmtp]]` endpoint. */

import { localAddress } from "../local_addresses.ts";
import { boolean, duration, integer, list, size } from "../kinds.ts";
import { moduleReference, table } from "../modules.ts";
import { optional, required, type Section, setting } from "../setting.ts";
import { storageModules } from "./storage.ts";

/** Bounds of one endpoint. */
export const lmtpLimits = {
  message: setting(size({ atLeast: "1 KiB", atMost: "4095 MiB" }), {
    default: '"64 MiB"',
    doc: "Largest message that is taken; announced as SIZE (RFC 1870).",
  }),
  recipients: setting(integer({ atLeast: 1, atMost: 100_000 }), {
    default: "1000",
    doc: "Recipients of one message; more are told to come later.",
  }),
  connections: setting(integer({ atLeast: 1, atMost: 1_000_000 }), {
    default: "100",
    doc: "Connections at once; more are turned away.",
  }),
  idle: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"5m"',
    doc: "Time without an octet after which the connection is closed.",
  }),
  command: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"1m"',
    doc: "Time from the first octet of a command line to its end.",
  }),
  data: setting(duration({ atLeast: "1s", atMost: "1d" }), {
    default: '"30m"',
    doc: "Time from DATA to the end of the message.",
  }),
} satisfies Section;

/** One `[[lmtp]]` block. */
export const lmtp = {
  listen: required(list(localAddress(), 1), {
    doc:
      "Addresses to listen on: `unix:///path`, or a table with its permissions as in `[[imap]]`, " +
      "and `tcp://HOST:PORT` where all addresses of the host are loopback ones: whoever can connect " +
      "may deliver. The port must not be 25 (RFC 2033).",
    example: '[{ address = "unix://lmtp.sock", mode = "0660", group = "postfix" }]',
  }),
  storage: optional(moduleReference("storage", () => storageModules), {
    sample: '"&local_mailboxes"',
    doc:
      "The module that keeps the mail. The default is that of the first `[[imap]]`. Recipients " +
      "are found by its `delivery_map`.",
  }),
  create_accounts: setting(boolean(), {
    default: "false",
    doc: "Whether a recipient whose account is not there gets one. Otherwise it is unknown: an " +
      "account is there after the first login, or after `imapd account create`. Leave it off where " +
      "the MTA lets any name pass.",
  }),
  debug: optional(boolean(), {
    doc:
      "Log what only developers want to know of this endpoint. The default is the top-level `debug`.",
    example: "false",
  }),
  io_debug: setting(boolean(), {
    default: "false",
    doc: "Log all commands and replies, but no message.",
  }),
  limits: setting(table(lmtpLimits), {
    default: "{}",
    doc: "Bounds that keep one client from hurting the others.",
  }),
} satisfies Section;

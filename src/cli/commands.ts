/** The table of commands. */

import { autoconfig } from "./autoconfig.ts";
import { ACCOUNT_COMMANDS } from "./account_commands.ts";
import { BACKUP_COMMANDS } from "./backup_commands.ts";
import { check } from "./check.ts";
import type { Command, Option } from "./command.ts";
import { completionCommands } from "./completion.ts";
import { deliver, SYSEXITS } from "./deliver.ts";
import { DOCTOR_COMMANDS } from "./doctor.ts";
import { hash } from "./hash.ts";
import { INIT_COMMANDS } from "./init.ts";
import { MAILBOX_COMMANDS } from "./mailbox_commands.ts";
import { man } from "./man.ts";
import { MESSAGE_COMMANDS } from "./message_commands.ts";
import { config, hashOption, json, storage } from "./options.ts";
import { PENALTY_COMMANDS } from "./penalty_commands.ts";
import { serve } from "./serve.ts";
import { kick, sessions } from "./sessions.ts";
import {
  exportDovecot,
  exportMaildir,
  exportMbox,
  importDovecot,
  importImap,
  importMaildir,
  importMbox,
} from "./transfer.ts";
import { USER_COMMANDS } from "./user_commands.ts";

const summaryJson: Option = { doc: "Print the summary as one line of JSON." };
const importOptions: Readonly<Record<string, Option>> = {
  config,
  storage,
  mailbox: { value: "NAME", doc: "Only this mailbox of the source." },
  prefix: { value: "NAME", doc: "Put all mailboxes below this one." },
  exclude: { value: "NAME", repeated: true, doc: "Not this mailbox of the source." },
  "dry-run": { doc: "Only count; store nothing." },
  json: summaryJson,
};
const exportOptions: Readonly<Record<string, Option>> = {
  config,
  storage,
  mailbox: { value: "NAME", doc: "Only this mailbox." },
  json: summaryJson,
};

/** All commands; the first one serves. */
export const COMMANDS: readonly Command[] = [
  {
    name: "",
    operands: [],
    summary: "Serve mail until SIGTERM or SIGINT; read the config anew on SIGHUP.",
    options: { config, version: { doc: "Print the version." } },
    run: serve,
  },
  ...INIT_COMMANDS,
  {
    name: "check",
    operands: [],
    summary: "Report all faults of the config; with --connect also try the running server.",
    options: {
      config,
      connect: {
        doc: "Connect to every address of the config as a client does: TLS, greeting, login.",
      },
      user: {
        value: "NAME",
        doc: "Log in as this user; the password is prompted for or read from standard input.",
      },
      ca: { value: "FILE", doc: "PEM file with authorities to trust beside the well-known ones." },
      json,
    },
    run: check,
  },
  {
    name: "hash",
    operands: [],
    summary: "Print the hash of a password, which is prompted for or read from standard input.",
    options: { hash: hashOption },
    run: hash,
  },
  ...USER_COMMANDS,
  ...ACCOUNT_COMMANDS,
  ...MAILBOX_COMMANDS,
  ...MESSAGE_COMMANDS,
  {
    name: "man",
    operands: ["[SECTION]"],
    summary: "Print a manual page: 1, the commands, or 5, the config. `imapd man 5 | man -l -`",
    options: {},
    run: man,
  },
  {
    name: "deliver",
    operands: ["[RECIPIENT…]"],
    summary: "Store the message on standard input, for MTAs; the exit statuses are those of " +
      "sysexits.h.",
    options: {
      config,
      user: {
        value: "USER",
        short: "d",
        required: true,
        doc:
          "Whose message it is: an account, or an address that delivery_map leads to one; more " +
          "of them may follow as operands.",
      },
      from: {
        value: "SENDER",
        short: "f",
        mayBeEmpty: true,
        doc: "The sender's address, for Return-Path; the message keeps its own without it.",
      },
      original: {
        value: "ADDRESS",
        short: "a",
        doc: "The address that USER's message was sent to, for Delivered-To.",
      },
      mailbox: {
        value: "MAILBOX",
        short: "m",
        doc: "Where to put it, if there is such a mailbox; else it goes to INBOX.",
      },
      create: { doc: "Make the account if it is not there." },
      storage,
    },
    // Called wrongly, too: mail must outlast a mistake in the MTA's config.
    exit: { failure: SYSEXITS.again, usage: SYSEXITS.again, config: SYSEXITS.again },
    run: deliver,
  },
  {
    name: "sessions",
    operands: [],
    summary: "List the clients that are connected to the running server.",
    options: { config, json },
    run: sessions,
  },
  {
    name: "kick",
    operands: [],
    summary: "End the connections of a user, of an address, or one connection.",
    options: {
      config,
      user: { value: "NAME", doc: "Those of this account." },
      address: { value: "IP", doc: "Those from this IP address." },
      id: { value: "ID", doc: "The one of this id, as `imapd sessions` and the log show it." },
    },
    run: kick,
  },
  ...PENALTY_COMMANDS,
  {
    name: "autoconfig",
    operands: ["FORM"],
    summary: "Print what sets mail programs up: the form thunderbird, outlook, apple or dns.",
    options: {
      config,
      address: {
        value: "ADDRESS",
        doc: "Whom it is for; else it fits everybody, or is asked for.",
      },
      name: { value: "NAME", doc: "What to call the account." },
      smtp: {
        value: "HOST:PORT",
        repeated: true,
        doc: "Where mail is sent, instead of autoconfig.smtp; with TLS from the first byte at " +
          "port 465 and with tls:// before it, else with STARTTLS.",
      },
      output: { value: "FILE", short: "o", doc: "Write to a file." },
    },
    run: autoconfig,
  },
  {
    name: "import maildir",
    operands: ["PATH", "ACCOUNT"],
    summary: "Take in a Maildir or Maildir++; again at any time, for what is new.",
    options: importOptions,
    run: importMaildir,
  },
  {
    name: "import dovecot",
    operands: ["PATH", "ACCOUNT"],
    summary: "Take in a Maildir of Dovecot, with UIDs, keywords and subscriptions.",
    options: importOptions,
    run: importDovecot,
  },
  {
    name: "import mbox",
    operands: ["PATH…", "ACCOUNT"],
    summary: "Take in mbox files, or folders of them.",
    options: {
      ...importOptions,
      mailbox: { value: "NAME", doc: "Put all into this mailbox, not into one for each file." },
    },
    run: importMbox,
  },
  {
    name: "import imap",
    operands: ["URL", "ACCOUNT"],
    summary: "Take in all mail of an account on another server, imaps://USER@HOST[:PORT].",
    options: {
      ...importOptions,
      "password-file": {
        value: "FILE",
        doc: "Where the password is; else it is prompted for or read from standard input.",
      },
      "token-file": { value: "FILE", doc: "Log in by the OAuth token in this file." },
      "insecure-tls": { doc: "Take any certificate of that server." },
    },
    run: importImap,
  },
  {
    name: "export maildir",
    operands: ["ACCOUNT", "DIR"],
    summary: "Write an account as Maildir++ into a new folder.",
    options: exportOptions,
    run: exportMaildir,
  },
  {
    name: "export dovecot",
    operands: ["ACCOUNT", "DIR"],
    summary: "Write an account as a Maildir that Dovecot serves with the same UIDs.",
    options: exportOptions,
    run: exportDovecot,
  },
  {
    name: "export mbox",
    operands: ["ACCOUNT", "DIR"],
    summary: "Write an account as mbox files into a new folder.",
    options: exportOptions,
    run: exportMbox,
  },
  ...BACKUP_COMMANDS,
  ...DOCTOR_COMMANDS,
  ...completionCommands(() => COMMANDS),
];

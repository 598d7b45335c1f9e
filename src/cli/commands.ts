/** The table of commands. */

import { backup, backupList, backupVerify, restore } from "./backup.ts";
import { check } from "./check.ts";
import { type Command, CONFIG_FILE, type Option } from "./command.ts";
import { deliver, SYSEXITS } from "./deliver.ts";
import { hash } from "./hash.ts";
import { mailboxList } from "./mailbox.ts";
import { man } from "./man.ts";
import { serve } from "./serve.ts";
import { kick, sessions } from "./sessions.ts";
import {
  exportDovecot,
  exportMaildir,
  exportMbox,
  importImap,
  importMaildir,
  importMbox,
} from "./transfer.ts";
import { userAdd, userList, userPasswd, userRemove } from "./user.ts";

const config: Option = {
  value: "FILE",
  doc: `The config, in TOML; ${CONFIG_FILE} by default.`,
};
const auth: Option = {
  value: "NAME",
  doc: "The [auth.NAME] block whose users are meant; the first one of the config by default.",
};
const hashOption: Option = {
  value: "ALGORITHM",
  doc: "argon2 (the default), bcrypt or scram-sha-256.",
};
const storage: Option = {
  value: "NAME",
  doc: "The [storage.NAME] block that is meant; that of the first endpoint by default.",
};
const json: Option = { doc: "Print one line of JSON for each row." };
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
  {
    name: "check",
    operands: [],
    summary: "Report all faults of the config; open and change nothing.",
    options: { config },
    run: check,
  },
  {
    name: "hash",
    operands: [],
    summary: "Print the hash of a password, which is prompted for or read from standard input.",
    options: { hash: hashOption },
    run: hash,
  },
  {
    name: "man",
    operands: ["[SECTION]"],
    summary: "Print a manual page: 1, the commands, or 5, the config. `imapd man 5 | man -l -`",
    options: {},
    run: man,
  },
  {
    name: "user add",
    operands: ["NAME"],
    summary: "Add a user; the password is prompted for or read from standard input.",
    options: { config, auth, hash: hashOption },
    run: userAdd,
  },
  {
    name: "user passwd",
    operands: ["NAME"],
    summary: "Change a password, which is prompted for or read from standard input.",
    options: { config, auth, hash: hashOption },
    run: userPasswd,
  },
  {
    name: "user remove",
    operands: ["NAME"],
    summary: "Remove a user. The mail is kept.",
    options: { config, auth },
    run: userRemove,
  },
  {
    name: "user list",
    operands: [],
    summary: "Print the names of all users.",
    options: { config, auth },
    run: userList,
  },
  {
    name: "deliver",
    operands: [],
    summary: "Store the message on standard input, for MTAs; the exit statuses are those of " +
      "sysexits.h.",
    options: {
      config,
      user: {
        value: "USER",
        short: "d",
        required: true,
        doc: "Whose message it is: an account, or an address that delivery_map leads to one.",
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
        doc: "The address that the message was sent to, for Delivered-To.",
      },
      mailbox: {
        value: "MAILBOX",
        short: "m",
        doc: "Where to put it, if there is such a mailbox; else it goes to INBOX.",
      },
      create: { doc: "Make the account if it is not there." },
      storage,
    },
    exit: { failure: SYSEXITS.again, usage: SYSEXITS.usage, config: SYSEXITS.again },
    run: deliver,
  },
  {
    name: "mailbox list",
    operands: ["ACCOUNT"],
    summary: "List the mailboxes of an account.",
    options: { config, storage, json },
    run: mailboxList,
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
    run: importMaildir,
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
  {
    name: "backup",
    operands: ["DIR"],
    summary: "Back up all mail and what the server needs into a new folder in DIR.",
    options: {
      config,
      account: { value: "NAME", repeated: true, doc: "Only this account; may be repeated." },
      keep: { value: "N", doc: "Remove all but the newest N backups afterwards." },
      copy: { doc: "Copy new messages, rather than link to the files of the mail itself." },
      json: summaryJson,
      quiet: { short: "q", doc: "Tell only what failed." },
    },
    run: backup,
  },
  {
    name: "backup list",
    operands: ["DIR"],
    summary: "List the backups in DIR.",
    options: { json },
    run: backupList,
  },
  {
    name: "backup verify",
    operands: ["DIR[/STAMP]"],
    summary: "Read the newest backup, or that of STAMP, against its manifest.",
    options: { json: summaryJson, quiet: { short: "q", doc: "Show no progress." } },
    run: backupVerify,
  },
  {
    name: "restore",
    operands: ["DIR[/STAMP]"],
    summary: "Put the accounts of the newest backup, or of that of STAMP, back.",
    options: {
      config,
      account: { value: "NAME", repeated: true, doc: "Only this account; may be repeated." },
      to: { value: "ROOT", doc: "Put all below this folder instead." },
      system: {
        doc: "Also put the config, users, certificates and secrets back that are missing.",
      },
      force: { doc: "Move an account aside that is there with mail." },
      yes: { short: "y", doc: "Do not ask." },
      json: summaryJson,
    },
    run: restore,
  },
];

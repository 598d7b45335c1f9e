/** The rows of `imapd mailbox …`. */

import type { Command } from "./command.ts";
import {
  mailboxCreate,
  mailboxList,
  mailboxRemove,
  mailboxRename,
  mailboxStatus,
  mailboxSubscribe,
  mailboxUnsubscribe,
} from "./mailbox.ts";
import { config, json, storage, yes } from "./options.ts";

/** The mailboxes of an account; "/" stands between the levels of a name. */
export const MAILBOX_COMMANDS: readonly Command[] = [
  {
    name: "mailbox list",
    operands: ["ACCOUNT"],
    summary: "List the mailboxes of an account.",
    options: { config, storage, json },
    run: mailboxList,
  },
  {
    name: "mailbox status",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Show the counts of a mailbox, its UIDNEXT and its UIDVALIDITY.",
    options: { config, storage, json },
    run: mailboxStatus,
  },
  {
    name: "mailbox create",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Make a mailbox and those above it, and subscribe to them.",
    options: {
      config,
      storage,
      special: {
        value: "USE",
        doc: "What clients use it for: all, archive, drafts, flagged, junk, sent or trash.",
      },
    },
    run: mailboxCreate,
  },
  {
    name: "mailbox rename",
    operands: ["ACCOUNT", "MAILBOX", "NAME"],
    summary: "Rename a mailbox with those below it; INBOX is emptied into the new one.",
    options: { config, storage },
    run: mailboxRename,
  },
  {
    name: "mailbox remove",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Remove a mailbox with its messages; those below it stay.",
    options: { config, storage, yes },
    run: mailboxRemove,
  },
  {
    name: "mailbox subscribe",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Have clients show a mailbox.",
    options: { config, storage },
    run: mailboxSubscribe,
  },
  {
    name: "mailbox unsubscribe",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Have clients show a mailbox no more.",
    options: { config, storage },
    run: mailboxUnsubscribe,
  },
];

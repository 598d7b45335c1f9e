/** The rows of `imapd message …`. */

import type { Command, Option } from "./command.ts";
import {
  messageAdd,
  messageCopy,
  messageFlag,
  messageList,
  messageMove,
  messageRemove,
  messageSearch,
  messageShow,
} from "./message.ts";
import { config, json, storage, yes } from "./options.ts";

const search: Option = {
  value: "QUERY",
  doc: "Those that IMAP's SEARCH finds, instead of SET: 'SEEN BEFORE 1-Jan-2024'.",
};

/** Messages by UID: SET is such as 1:5,7,*. */
export const MESSAGE_COMMANDS: readonly Command[] = [
  {
    name: "message list",
    operands: ["ACCOUNT", "MAILBOX", "[SET]"],
    summary: "List the messages of a mailbox, or those with UIDs of a set such as 1:5,7.",
    options: { config, storage, json },
    run: messageList,
  },
  {
    name: "message search",
    operands: ["ACCOUNT", "MAILBOX", "QUERY…"],
    summary:
      "List the messages that IMAP's SEARCH finds, such as UNSEEN FROM ann SINCE 1-Jan-2024.",
    options: { config, storage, uids: { doc: "Print only their UIDs, as a set." }, json },
    run: messageSearch,
  },
  {
    name: "message show",
    operands: ["ACCOUNT", "MAILBOX", "UID"],
    summary: "Print a message as it is, with CRLF.",
    options: {
      config,
      storage,
      headers: { doc: "Only the header, with --part that of the part." },
      part: { value: "PART", doc: "Only this part, such as 1.2, as it is encoded." },
    },
    run: messageShow,
  },
  {
    name: "message add",
    operands: ["ACCOUNT", "MAILBOX"],
    summary: "Store the message on standard input, and print its UID.",
    options: {
      config,
      storage,
      flag: {
        value: "FLAG",
        short: "f",
        repeated: true,
        doc: "seen, answered, flagged, deleted, draft, or a keyword.",
      },
      date: { value: "DATE", doc: "When it arrived, such as 2024-01-31T09:30:00+01:00." },
    },
    run: messageAdd,
  },
  {
    name: "message flag",
    operands: ["ACCOUNT", "MAILBOX", "[SET]", "FLAG…"],
    signedOperands: true,
    summary: "Change flags: +seen adds, -seen takes away, =seen replaces all.",
    options: { config, storage, search },
    run: messageFlag,
  },
  {
    name: "message copy",
    operands: ["ACCOUNT", "MAILBOX", "[SET]", "MAILBOX"],
    summary: "Copy messages to another mailbox of the account.",
    options: { config, storage, search },
    run: messageCopy,
  },
  {
    name: "message move",
    operands: ["ACCOUNT", "MAILBOX", "[SET]", "MAILBOX"],
    summary: "Move messages to another mailbox of the account.",
    options: { config, storage, search },
    run: messageMove,
  },
  {
    name: "message remove",
    operands: ["ACCOUNT", "MAILBOX", "[SET]"],
    summary: "Remove messages, for good.",
    options: { config, storage, search, yes },
    run: messageRemove,
  },
];

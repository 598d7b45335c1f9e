/** The rows of `imapd account …`. */

import { accountCreate, accountList, accountQuota, accountRemove, accountSize } from "./account.ts";
import type { Command } from "./command.ts";
import { config, json, storage, yes } from "./options.ts";

/** Accounts as a whole. */
export const ACCOUNT_COMMANDS: readonly Command[] = [
  {
    name: "account list",
    operands: [],
    summary: "List all accounts: mailboxes, messages, size and limits.",
    options: { config, storage, json },
    run: accountList,
  },
  {
    name: "account create",
    operands: ["ACCOUNT"],
    summary: "Make an account with its special folders.",
    options: { config, storage },
    run: accountCreate,
  },
  {
    name: "account remove",
    operands: ["ACCOUNT"],
    summary: "Remove an account with all its mail, for good. Its user is kept.",
    options: { config, storage, yes },
    run: accountRemove,
  },
  {
    name: "account quota",
    operands: ["ACCOUNT"],
    summary: "Show what an account holds and may hold; with options, set its limits.",
    options: {
      config,
      storage,
      size: {
        value: "SIZE",
        doc: "The limit of its size, such as 2GiB, none, or default: the config's.",
      },
      messages: { value: "N", doc: "The limit of messages: a number, none, or default." },
      mailboxes: { value: "N", doc: "The limit of mailboxes: a number, none, or default." },
      json,
    },
    run: accountQuota,
  },
  {
    name: "account size",
    operands: ["ACCOUNT"],
    summary: "Show what each mailbox of an account takes, also on disk.",
    options: { config, storage, json },
    run: accountSize,
  },
];

/** The rows of `imapd backup …` and `imapd restore`. */

import { backup, backupList, backupVerify, restore } from "./backup.ts";
import type { Command, Option } from "./command.ts";
import { config, json, yes } from "./options.ts";

const summaryJson: Option = { doc: "Print the summary as one line of JSON." };

/** Rows of the table of commands. */
export const BACKUP_COMMANDS: readonly Command[] = [
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
    operands: ["DIR"],
    summary: "Read the newest backup in DIR, or the one that DIR is, against its manifest.",
    options: { json: summaryJson, quiet: { short: "q", doc: "Show no progress." } },
    run: backupVerify,
  },
  {
    name: "restore",
    operands: ["DIR"],
    summary: "Put back the accounts of the newest backup in DIR, or of the one that DIR is.",
    options: {
      config,
      account: { value: "NAME", repeated: true, doc: "Only this account; may be repeated." },
      to: { value: "ROOT", doc: "Put all below this folder instead." },
      system: {
        doc: "Also put the config, users, certificates and secrets back that are missing.",
      },
      force: { doc: "Move an account aside that is there with mail." },
      yes,
      json: summaryJson,
    },
    run: restore,
  },
];

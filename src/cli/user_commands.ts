/** The rows of `imapd user …`. */

import type { Command } from "./command.ts";
import { auth, config, hashOption, json, yes } from "./options.ts";
import { userAdd, userDisable, userEnable, userList, userPasswd, userRemove } from "./user.ts";

/** Users of a password table. */
export const USER_COMMANDS: readonly Command[] = [
  {
    name: "user add",
    operands: ["NAME"],
    summary:
      "Add a user with an account; the password is prompted for or read from standard input.",
    options: {
      config,
      auth,
      hash: hashOption,
      "no-account": { doc: "Make no account; the first login makes it." },
    },
    run: userAdd,
  },
  {
    name: "user passwd",
    operands: ["NAME"],
    summary:
      "Change a password, which is prompted for or read from standard input, and end the sessions.",
    options: { config, auth, hash: hashOption },
    run: userPasswd,
  },
  {
    name: "user remove",
    operands: ["NAME"],
    summary: "Remove a user and end the sessions. The mail is kept.",
    options: {
      config,
      auth,
      "with-mail": { doc: "Remove the account, too, with all its mail." },
      yes,
    },
    run: userRemove,
  },
  {
    name: "user list",
    operands: [],
    summary: "List all users: how the password is kept, whether there is an account.",
    options: { config, auth, json },
    run: userList,
  },
  {
    name: "user disable",
    operands: ["NAME"],
    summary: "Let a user log in no more, and end the sessions. Password and mail are kept.",
    options: { config, auth },
    run: userDisable,
  },
  {
    name: "user enable",
    operands: ["NAME"],
    summary: "Let a disabled user log in again, by the old password.",
    options: { config, auth },
    run: userEnable,
  },
];

/** The table of commands. */

import { check } from "./check.ts";
import type { Command, Option } from "./command.ts";
import { hash } from "./hash.ts";
import { serve } from "./serve.ts";
import { userAdd, userList, userPasswd, userRemove } from "./user.ts";

const config: Option = { value: "FILE", doc: "Required. The config, in TOML." };
const auth: Option = {
  value: "NAME",
  doc: "The [auth.NAME] block whose users are meant; the first one of the config by default.",
};
const hashOption: Option = {
  value: "ALGORITHM",
  doc: "argon2 (the default), bcrypt or scram-sha-256.",
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
];

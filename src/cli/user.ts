/** `imapd user …`: the users of a password table. */

import { Tables } from "../app/tables.ts";
import { accountNameFault } from "../auth/account_name.ts";
import { type AuthConfig, loadConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import { type Normalization, NORMALIZATIONS } from "../names/normalization.ts";
import { isMutable, type MutableTable } from "../tables/table.ts";
import { type Arguments, configFile, EXIT, optionalOption, UsageError } from "./command.ts";
import { algorithmOf, hashValue } from "./hash.ts";
import { print, printError } from "./output.ts";
import { readNewPassword } from "./password_input.ts";

/** `imapd user add NAME` */
export async function userAdd(args: Arguments): Promise<number> {
  const [typed] = args.operands;
  const fault = nameFault(typed);
  if (fault !== undefined) throw new UsageError(`Expected a user name, got one that ${fault}`);
  const algorithm = algorithmOf(args);
  const { table, normalize } = await openUsers(args);
  const name = normalize(typed);
  if (name === undefined) {
    throw new UsageError(`Expected a user name, got ${typed}, by which nobody could log in`);
  }
  if ((await table.keys()).includes(name)) return failed(`User ${name} exists already`);
  await table.set(name, await hashValue(algorithm, await readNewPassword()));
  print(`Added user ${name}`);
  return EXIT.ok;
}

/** `imapd user passwd NAME` */
export async function userPasswd(args: Arguments): Promise<number> {
  const algorithm = algorithmOf(args);
  const users = await openUsers(args);
  const { table } = users;
  const name = await userNamed(args.operands[0], users);
  if (name === undefined) return failed(`There is no user ${args.operands[0]}`);
  await table.set(name, await hashValue(algorithm, await readNewPassword()));
  print(`Changed the password of user ${name}`);
  return EXIT.ok;
}

/** `imapd user remove NAME`: takes the login away and leaves the mail. */
export async function userRemove(args: Arguments): Promise<number> {
  const users = await openUsers(args);
  const name = await userNamed(args.operands[0], users);
  if (name === undefined || !await users.table.remove(name)) {
    return failed(`There is no user ${args.operands[0]}`);
  }
  print(`Removed user ${name}; the mail is kept`);
  return EXIT.ok;
}

/** `imapd user list` */
export async function userList(args: Arguments): Promise<number> {
  const { table } = await openUsers(args);
  const names = [...await table.keys()].sort();
  for (const name of names) print(name);
  if (names.length === 0) printError("No users");
  return EXIT.ok;
}

/** A name must fit into a line of the table as well as into a path. */
function nameFault(name: string): string | undefined {
  if (name !== name.trim()) return "has spaces around it";
  if (name.includes(":")) return "has a colon";
  if (name.startsWith("#")) return "begins with #";
  return accountNameFault(name);
}

function failed(message: string): number {
  printError(message);
  return EXIT.failure;
}

type PassTableConfig = Extract<AuthConfig, { module: "pass_table" }>;

interface Users {
  readonly table: MutableTable;
  /** The form in which the table is asked for a name. */
  readonly normalize: Normalization;
}

async function openUsers(args: Arguments): Promise<Users> {
  const config = await loadConfig(configFile(args));
  const wanted = optionalOption(args, "auth");
  const found = config.imap.flatMap((imap) =>
    passTables(imap.auth).map((auth) => ({ auth, imap }))
  );
  const chosen = found.find(({ auth }) => wanted === undefined || auth.blockName === wanted);
  if (chosen === undefined) {
    const names = [...new Set(found.flatMap(({ auth }) => auth.blockName ?? []))].join(", ");
    throw new UsageError(
      `Expected a pass_table block of the config for --auth (${names}), got ${wanted ?? "none"}`,
    );
  }
  const { auth, imap: { authMap, authMapNormalize } } = chosen;
  const table = await new Tables(createLog(["stderr"], false)).open(auth.table);
  if (!isMutable(table)) {
    throw new UsageError(
      `Expected users in a table that can be changed, got one of the module ${auth.table.module}`,
    );
  }
  // Names that auth_map makes have the form that it gives them.
  const form = authMap.module === "identity" ? authMapNormalize : "noop";
  return { table, normalize: NORMALIZATIONS[form] };
}

/** The key of who is called `typed`: as it is written, or else in the form that logins have. */
async function userNamed(typed: string, { table, normalize }: Users): Promise<string | undefined> {
  const keys = await table.keys();
  return [typed, normalize(typed)].find((name) => name !== undefined && keys.includes(name));
}

/** Those among `auths`, and those that check passwords for others. */
function passTables(auths: readonly AuthConfig[]): PassTableConfig[] {
  return auths.flatMap((auth) => {
    if (auth.module === "plain_separate") return passTables(auth.pass);
    return auth.module === "pass_table" ? [auth] : [];
  });
}

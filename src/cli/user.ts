/** `imapd user …`: the users of a password table. */

import { openTable } from "../app/tables.ts";
import { accountNameFault } from "../auth/account_name.ts";
import { type AuthConfig, loadConfig } from "../config/load.ts";
import { createLog } from "../log.ts";
import type { MutableTable } from "../tables/table.ts";
import { type Arguments, EXIT, optionalOption, requiredOption, UsageError } from "./command.ts";
import { algorithmOf, hashValue } from "./hash.ts";
import { print, printError } from "./output.ts";
import { readNewPassword } from "./password_input.ts";

/** `imapd user add NAME` */
export async function userAdd(args: Arguments): Promise<number> {
  const [name] = args.operands;
  const fault = nameFault(name);
  if (fault !== undefined) throw new UsageError(`Expected a user name, got one that ${fault}`);
  const algorithm = algorithmOf(args);
  const table = await userTable(args);
  if ((await table.keys()).includes(name)) return failed(`User ${name} exists already`);
  await table.set(name, await hashValue(algorithm, await readNewPassword()));
  print(`Added user ${name}`);
  return EXIT.ok;
}

/** `imapd user passwd NAME` */
export async function userPasswd(args: Arguments): Promise<number> {
  const [name] = args.operands;
  const algorithm = algorithmOf(args);
  const table = await userTable(args);
  if (!(await table.keys()).includes(name)) return failed(`There is no user ${name}`);
  await table.set(name, await hashValue(algorithm, await readNewPassword()));
  print(`Changed the password of user ${name}`);
  return EXIT.ok;
}

/** `imapd user remove NAME`: takes the login away and leaves the mail. */
export async function userRemove(args: Arguments): Promise<number> {
  const [name] = args.operands;
  const table = await userTable(args);
  if (!await table.remove(name)) return failed(`There is no user ${name}`);
  print(`Removed user ${name}; the mail is kept`);
  return EXIT.ok;
}

/** `imapd user list` */
export async function userList(args: Arguments): Promise<number> {
  const names = [...await (await userTable(args)).keys()].sort();
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

async function userTable(args: Arguments): Promise<MutableTable> {
  const config = await loadConfig(requiredOption(args, "config"));
  const wanted = optionalOption(args, "auth");
  const auths = new Map<string, Extract<AuthConfig, { module: "pass_table" }>>();
  for (const { auth } of config.imap) {
    if (auth.module === "pass_table") auths.set(auth.blockName ?? "", auth);
  }
  const [chosen] = wanted === undefined ? [...auths.values()] : [auths.get(wanted)];
  if (chosen === undefined && wanted === undefined) {
    throw new UsageError(
      "Expected a config with a pass_table: only such users can be changed here",
    );
  }
  if (chosen === undefined) {
    const names = [...auths.keys()].filter((name) => name !== "").join(", ");
    throw new UsageError(`Expected a block of the config for --auth (${names}), got ${wanted}`);
  }
  return await openTable(chosen.table, createLog(["stderr"], false));
}

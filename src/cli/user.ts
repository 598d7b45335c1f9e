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
  const found = passTables(config.imap.flatMap(({ auth }) => auth));
  const chosen = found.find(({ blockName }) => wanted === undefined || blockName === wanted);
  if (chosen === undefined) {
    const names = [...new Set(found.flatMap(({ blockName }) => blockName ?? []))].join(", ");
    throw new UsageError(
      `Expected a pass_table block of the config for --auth (${names}), got ${wanted ?? "none"}`,
    );
  }
  return await openTable(chosen.table, createLog(["stderr"], false));
}

/** Those among `auths`, and those that check passwords for others. */
function passTables(auths: readonly AuthConfig[]): Extract<AuthConfig, { module: "pass_table" }>[] {
  return auths.flatMap((auth) => auth.module === "plain_separate" ? passTables(auth.pass) : [auth]);
}

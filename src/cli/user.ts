/** `imapd user …`: the users of a password table. */

import { AdminError } from "../admin/operation.ts";
import type { Admin } from "../admin/operations.ts";
import { openLoginNames } from "../app/login_names.ts";
import { Tables } from "../app/tables.ts";
import { accountNameFault } from "../auth/account_name.ts";
import type { LoginNames } from "../auth/login_names.ts";
import { disabled, enabled, isDisabled, schemeOf } from "../auth/password_hash.ts";
import { type AuthConfig, loadConfig } from "../config/load.ts";
import { didYouMean } from "../config/suggest.ts";
import { createLog } from "../log.ts";
import { type Normalization, NORMALIZATIONS } from "../names/normalization.ts";
import { isMutable, type MutableTable } from "../tables/table.ts";
import { only, withAdmin } from "./admin.ts";
import { type Arguments, configFile, EXIT, isOn, optionalOption, UsageError } from "./command.ts";
import { confirm } from "./confirmation.ts";
import { algorithmOf, hashValue } from "./hash.ts";
import { print, printError } from "./output.ts";
import { readNewPassword } from "./password_input.ts";
import { printRows } from "./table_output.ts";

/** `imapd user add NAME` */
export async function userAdd(args: Arguments): Promise<number> {
  const [typed] = args.operands;
  const fault = nameFault(typed);
  if (fault !== undefined) throw new UsageError(`Expected a user name, got one that ${fault}`);
  const algorithm = algorithmOf(args);
  const users = await openUsers(args);
  const { table, normalize } = users;
  const name = normalize(typed);
  if (name === undefined) {
    throw new UsageError(`Expected a user name, got ${typed}, by which nobody could log in`);
  }
  if ((await table.keys()).includes(name)) return failed(`User ${name} exists already`);
  const value = await hashValue(algorithm, await readNewPassword());
  const add = async () => {
    // Somebody else may have added it meanwhile.
    if (!await table.set(name, value, undefined)) {
      throw new AdminError(`User ${name} exists already`);
    }
  };
  if (isOn(args, "no-account")) {
    await add();
    print(`Added user ${name}`);
    return EXIT.ok;
  }
  const account = await accountOf(name, users);
  await withAdmin(args, async (admin) => {
    const { made } = await only(
      admin.call("account create", { account, storage: users.storage, orKeep: true }),
    );
    try {
      await add();
    } catch (error) {
      // Not removed: whoever was faster may have mail in it by now.
      if (made) print(`Made account ${account}`);
      throw error;
    }
    print(`Added user ${name}`);
    print(made ? `Made account ${account}` : `Account ${account} was there already`);
  });
  return EXIT.ok;
}

/** `imapd user passwd NAME`: ends the sessions, too; who is disabled stays so. */
export async function userPasswd(args: Arguments): Promise<number> {
  const algorithm = algorithmOf(args);
  const users = await openUsers(args);
  const { name, value } = await existing(args, users);
  const changed = await hashValue(algorithm, await readNewPassword());
  const stays = isDisabled(value);
  const account = await users.names.forStorage(name);
  await withAdmin(args, async (admin) => {
    await change(users, name, value, stays ? disabled(changed) : changed);
    print(`Changed the password of user ${name}${stays ? ", who stays disabled" : ""}`);
    await kickUser(admin, account, "The password was changed");
  });
  return EXIT.ok;
}

/** `imapd user remove NAME`: takes the login away, and the mail only with `--with-mail`. */
export async function userRemove(args: Arguments): Promise<number> {
  const users = await openUsers(args);
  const { name } = await existing(args, users);
  const withMail = isOn(args, "with-mail");
  const account = withMail ? await accountOf(name, users) : await users.names.forStorage(name);
  const question = withMail
    ? `Remove user ${name} and account ${account} with all its mail, for good?`
    : `Remove user ${name}?`;
  if (!confirm(args, question)) return EXIT.failure;
  return await withAdmin(args, async (admin) => {
    await users.table.remove(name);
    await kickUser(admin, account, "The user was removed");
    print(`Removed user ${name}${withMail ? "" : "; the mail is kept"}`);
    if (!withMail || account === undefined) return EXIT.ok;
    await Array.fromAsync(admin.call("account remove", { account, storage: users.storage }));
    print(`Removed account ${account}`);
    return EXIT.ok;
  });
}

/** A user as `imapd user list` shows it. */
interface ListedUser {
  readonly user: string;
  readonly scheme: string;
  /** Whose mail it is. */
  readonly account?: string;
  readonly accountExists: boolean;
  readonly disabled: boolean;
}

/** `imapd user list` */
export async function userList(args: Arguments): Promise<number> {
  const users = await openUsers(args);
  await withAdmin(args, async (admin) => {
    const accounts = new Set<string>();
    for await (const { account } of admin.call("account names", { storage: users.storage })) {
      accounts.add(account);
    }
    await printRows(args, listed(users, accounts), [
      { title: "USER", text: ({ user }) => user },
      { title: "SCHEME", text: ({ scheme }) => scheme },
      { title: "ACCOUNT", text: accountText },
      { title: "STATE", text: ({ disabled }) => disabled ? "disabled" : "enabled" },
    ], "No users");
  });
  return EXIT.ok;
}

async function* listed(
  users: Users,
  accounts: ReadonlySet<string>,
): AsyncGenerator<ListedUser, void> {
  for (const user of [...await users.table.keys()].sort()) {
    const value = await users.table.lookup(user) ?? "";
    const account = await users.names.forStorage(user);
    yield {
      user,
      scheme: schemeOf(value) ?? "malformed",
      account,
      accountExists: account !== undefined && accounts.has(account),
      disabled: isDisabled(value),
    };
  }
}

function accountText({ account, accountExists, user }: ListedUser): string {
  if (account === undefined) return "none";
  const name = account === user ? "" : `${account} `;
  return accountExists ? name.trim() || "yes" : `${name}not made yet`;
}

/** `imapd user disable NAME` */
export async function userDisable(args: Arguments): Promise<number> {
  const users = await openUsers(args);
  const { name, value } = await existing(args, users);
  if (isDisabled(value)) return failed(`User ${name} is disabled already`);
  const account = await users.names.forStorage(name);
  await withAdmin(args, async (admin) => {
    await change(users, name, value, disabled(value));
    print(`Disabled user ${name}`);
    await kickUser(admin, account, "The user was disabled");
  });
  return EXIT.ok;
}

/** `imapd user enable NAME` */
export async function userEnable(args: Arguments): Promise<number> {
  const users = await openUsers(args);
  const { name, value } = await existing(args, users);
  if (!isDisabled(value)) return failed(`User ${name} is not disabled`);
  await change(users, name, value, enabled(value));
  print(`Enabled user ${name}`);
  return EXIT.ok;
}

/** Ends the sessions of a user's account, if there is one. */
async function kickUser(admin: Admin, account: string | undefined, reason: string): Promise<void> {
  if (account === undefined) return;
  const { kicked } = await only(admin.call("account kick", { account, reason }));
  if (kicked > 0) print(`Ended ${kicked} ${kicked === 1 ? "connection" : "connections"}`);
}

/** The user that the first operand names. @throws {AdminError} when there is none */
async function existing(
  args: Arguments,
  users: Users,
): Promise<{ readonly name: string; readonly value: string }> {
  const [typed] = args.operands;
  const name = await userNamed(typed, users);
  const value = name && await users.table.lookup(name);
  if (name !== undefined && value !== undefined) return { name, value };
  throw new AdminError(`There is no user ${typed}${didYouMean(typed, await users.table.keys())}`);
}

/** The account of a user. @throws {AdminError} when it has none */
async function accountOf(name: string, { names }: Users): Promise<string> {
  const account = await names.forStorage(name);
  if (account !== undefined) return account;
  throw new AdminError(`storage_map has no account for user ${name}: add one, or use --no-account`);
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
  readonly names: LoginNames;
  /** The storage of the same endpoint, where its block has a name. */
  readonly storage?: string;
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
  const { auth, imap } = chosen;
  const { authMap, authMapNormalize, storage } = imap;
  const tables = new Tables(createLog(["stderr"], false));
  const table = await tables.open(auth.table);
  if (!isMutable(table)) {
    throw new UsageError(
      `Expected users in a table that can be changed, got one of the module ${auth.table.module}`,
    );
  }
  // Names that auth_map makes have the form that it gives them.
  const form = authMap.module === "identity" ? authMapNormalize : "noop";
  const names = await openLoginNames(imap, tables);
  return { table, normalize: NORMALIZATIONS[form], names, storage: storage.blockName };
}

/** The key of who is called `typed`: as it is written, or else in the form that logins have. */
async function userNamed(typed: string, { table, normalize }: Users): Promise<string | undefined> {
  const keys = await table.keys();
  return [typed, normalize(typed)].find((name) => name !== undefined && keys.includes(name));
}

/** @throws {AdminError} when somebody else was faster: what they did must not be undone */
async function change({ table }: Users, name: string, from: string, to: string): Promise<void> {
  if (await table.set(name, to, from)) return;
  throw new AdminError(`User ${name} was changed by somebody else meanwhile: try again`);
}

/** Those among `auths`, and those that check passwords for others. */
function passTables(auths: readonly AuthConfig[]): PassTableConfig[] {
  return auths.flatMap((auth) => {
    if (auth.module === "plain_separate") return passTables(auth.pass);
    return auth.module === "pass_table" ? [auth] : [];
  });
}

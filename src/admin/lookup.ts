/** Accounts and mailboxes by the names that people type; nothing is made by looking. */

import { didYouMean } from "../config/suggest.ts";
import { normalForm } from "../normal_form.ts";
import type { Account } from "../store/store.ts";
import { withInbox } from "../wire/mailbox_name.ts";
import { type AdminContext, AdminError } from "./operation.ts";

/** Whose mail is meant. */
export interface AccountParams {
  readonly account: string;
  /** Name of a storage block; the first one by default. */
  readonly storage?: string;
}

/** A mailbox of an account. */
export interface MailboxParams extends AccountParams {
  /** Levels separated by "/"; INBOX in any case. */
  readonly mailbox: string;
}

/** @throws {AdminError} when there is no such account */
export async function existingAccount(
  context: AdminContext,
  { account, storage }: AccountParams,
): Promise<Account> {
  const store = context.storage(storage);
  if (await store.exists(account)) return await store.account(account);
  const near = didYouMean(account, await store.accounts());
  throw new AdminError(`There is no account ${account}${near}`);
}

/**
 * The account, and the name of its mailbox as the store knows it.
 *
 * @throws {AdminError} when there is no such account, or no such mailbox in it
 */
export async function existingMailbox(
  context: AdminContext,
  params: MailboxParams,
): Promise<{ readonly account: Account; readonly name: string }> {
  const account = await existingAccount(context, params);
  return { account, name: mailboxOf(account, params.mailbox) };
}

/** @throws {AdminError} when the account has no such mailbox */
export function mailboxOf(account: Account, typed: string): string {
  const name = mailboxNamed(typed);
  if (account.info(name)?.selectable) return name;
  const names = account.list().filter(({ selectable }) => selectable).map((info) => info.name);
  throw new AdminError(
    `There is no mailbox ${name} in account ${account.name}${didYouMean(name, names)}`,
  );
}

/** The name that a mailbox has in a store. */
export function mailboxNamed(typed: string): string {
  return withInbox(normalForm(typed, "NFC").replace(/\/$/, ""));
}

/** GETQUOTA, GETQUOTAROOT and SETQUOTA: each account is one quota root. */

import type { Account, QuotaLimits } from "../../store/store.ts";
import type { MailboxArgs } from "../../wire/command_grammar.ts";
import { decodeMailboxName, encodeMailboxName } from "../../wire/mailbox_name.ts";
import type { GetQuotaArgs, SetQuotaArgs } from "../../wire/quota_grammar.ts";
import { astring, type Completion, mailbox, ok } from "../../wire/response.ts";
import { isAdmin, requireAdmin } from "../admins.ts";
import { type AuthenticatedContext, type Output, Refusal } from "../command.ts";
import { mailboxArgument } from "../mailbox_argument.ts";
import { QUOTA_RESOURCES, quotaList } from "../quota_resources.ts";

/** What stands before an account's name, as in the examples of RFC 9208. */
const PREFIX = "#user/";

/** quota-root-name = astring */
function rootOf({ name }: Account): string {
  return astring(encodeMailboxName(PREFIX + name));
}

/** @see RFC 9208 §4.1.1 */
export async function getQuota(
  context: AuthenticatedContext,
  args: GetQuotaArgs,
): Promise<Completion> {
  await tellQuota(context.out, await accountOf(context, args.root));
  return ok("GETQUOTA completed");
}

/** @see RFC 9208 §4.1.2 */
export async function getQuotaRoot(
  { out, session, user }: AuthenticatedContext,
  args: MailboxArgs,
): Promise<Completion> {
  const name = mailboxArgument(args.mailbox, session);
  out.text(`* QUOTAROOT ${mailbox(name, session.utf8)} ${rootOf(user.account)}\r\n`);
  await tellQuota(out, user.account);
  return ok("GETQUOTAROOT completed");
}

/** Limits that are not named are discarded. @see RFC 9208 §4.1.3 */
export async function setQuota(
  context: AuthenticatedContext,
  args: SetQuotaArgs,
): Promise<Completion> {
  requireAdmin(context);
  const account = await accountOf(context, args.root);
  await account.setQuota(limitsIn(args));
  context.log.info("quota set", { account: account.name, by: context.user.name });
  await tellQuota(context.out, account);
  return ok("SETQUOTA completed");
}

function limitsIn({ limits }: SetQuotaArgs): QuotaLimits {
  const unknown = [...limits.keys()].find((name) => !Object.hasOwn(QUOTA_RESOURCES, name));
  if (unknown !== undefined) throw new Refusal(`${unknown} cannot be limited here`, "CANNOT");
  return Object.fromEntries(
    Object.entries(QUOTA_RESOURCES).map(([name, { resource, unit }]) => {
      const limit = limits.get(name);
      if (limit === undefined) return [resource, "none"];
      return [resource, Math.min(limit * unit, Number.MAX_SAFE_INTEGER)];
    }),
  );
}

/** quota-response = "QUOTA" SP quota-root-name SP quota-list */
async function tellQuota(out: Output, account: Account): Promise<void> {
  out.text(`* QUOTA ${rootOf(account)} ${quotaList(await account.limitedQuota())}\r\n`);
}

/** The account of a quota root: the user's own one, for admins that of any user. */
async function accountOf(context: AuthenticatedContext, root: string): Promise<Account> {
  const { service: { store }, user } = context;
  const name = decodeMailboxName(root)?.match(/^#user\/(.+)$/s)?.[1];
  if (name === user.account.name) return user.account;
  if (!isAdmin(context)) throw new Refusal("This quota root is not yours", "NOPERM");
  if (name === undefined || !await store.exists(name)) {
    throw new Refusal("There is no such quota root", "NONEXISTENT");
  }
  return await store.account(name);
}

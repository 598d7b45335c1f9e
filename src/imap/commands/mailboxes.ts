/** CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, NAMESPACE. */

import type { CreateArgs, MailboxArgs, RenameArgs } from "../../wire/command_grammar.ts";
import { type Completion, mailboxIdCode, ok } from "../../wire/response.ts";
import { type AuthenticatedContext, Refusal } from "../command.ts";
import { unaskedListResponse } from "../list_response.ts";
import { denormalized, mailboxArgument, newMailboxArgument } from "../mailbox_argument.ts";
import { assertUsable } from "../special_uses.ts";

/** @see RFC 9051 §6.3.4, RFC 6154 §3, RFC 8474 §4.1 */
export async function create(
  { user, session, out }: AuthenticatedContext,
  args: CreateArgs,
): Promise<Completion> {
  if (args.unknownUse.length > 0) {
    throw new Refusal(`Unknown special use ${args.unknownUse[0]}`, "USEATTR");
  }
  const name = newMailboxArgument(args.mailbox, session);
  assertUsable(name, args.specialUse);
  const mailboxId = await user.account.create(name, args.specialUse, session);
  const supplied = denormalized(session, args.mailbox);
  if (supplied !== undefined) out.text(unaskedListResponse(user.account, name, supplied));
  return ok("CREATE completed", mailboxIdCode(mailboxId));
}

/** @see RFC 9051 §6.3.5 */
export async function remove(
  { user, session, out }: AuthenticatedContext,
  args: MailboxArgs,
): Promise<Completion> {
  const name = mailboxArgument(args.mailbox, session);
  await user.account.delete(name, session);
  const supplied = denormalized(session, args.mailbox);
  if (supplied !== undefined) out.text(unaskedListResponse(user.account, name, supplied));
  const { state } = session;
  if (state.name === "selected" && state.view.mailbox.gone) {
    session.enter({ name: "authenticated", user });
  }
  return ok("DELETE completed");
}

/** @see RFC 9051 §6.3.6 */
export async function rename(
  { user, session, out }: AuthenticatedContext,
  args: RenameArgs,
): Promise<Completion> {
  const name = newMailboxArgument(args.to, session);
  await user.account.rename(mailboxArgument(args.from, session), name, session);
  const supplied = denormalized(session, args.from, args.to);
  if (supplied !== undefined) out.text(unaskedListResponse(user.account, name, supplied));
  return ok("RENAME completed");
}

/** @see RFC 9051 §6.3.7 */
export async function subscribe(
  { user, session }: AuthenticatedContext,
  args: MailboxArgs,
): Promise<Completion> {
  await user.account.subscribe(mailboxArgument(args.mailbox, session), session);
  return ok("SUBSCRIBE completed");
}

/** @see RFC 9051 §6.3.8 */
export async function unsubscribe(
  { user, session }: AuthenticatedContext,
  args: MailboxArgs,
): Promise<Completion> {
  await user.account.unsubscribe(mailboxArgument(args.mailbox, session), session);
  return ok("UNSUBSCRIBE completed");
}

/** One personal namespace without a prefix. @see RFC 2342 §5 */
export function namespace({ out }: AuthenticatedContext): Completion {
  out.text('* NAMESPACE (("" "/")) NIL NIL\r\n');
  return ok("NAMESPACE completed");
}

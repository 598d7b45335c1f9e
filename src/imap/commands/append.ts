/** APPEND. */

import type { IncomingMessage } from "../../store/store.ts";
import { type AppendArgs, appendPrefix } from "../../wire/command_grammar.ts";
import { appendUidCode, type Completion, ok } from "../../wire/response.ts";
import { type Scanner, SyntaxFault } from "../../wire/scanner.ts";
import { type AnnouncedLiteral, type AuthenticatedContext } from "../command.ts";
import { mailboxArgument, orTryCreate } from "../mailbox_argument.ts";
import { tellOverQuota } from "../over_quota.ts";
import type { Session } from "../session.ts";

/** A message that was handed to the store while it arrived. */
export class ReceivedMessage {
  /** Why the store could not take it; the rest of its bytes was thrown away. */
  failure: unknown;
  /** It is in a mailbox now; until then whoever received it must abort it. */
  stored = false;

  constructor(readonly incoming: IncomingMessage) {}

  async write(chunk: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await this.incoming.write(chunk);
    } catch (error) {
      this.failure = error;
    }
  }
}

/** Tells APPEND's message from its other literals. */
export function announcedLiteral(scanner: Scanner, session: Session): AnnouncedLiteral {
  const prefix = appendPrefix(scanner);
  return prefix === undefined
    ? { kind: "argument" }
    : { kind: "message", mailbox: mailboxArgument(prefix.mailbox, session) };
}

/** @see RFC 9051 §6.3.12, RFC 4315 §3 */
export async function append(
  { user, session, out }: AuthenticatedContext,
  args: AppendArgs,
): Promise<Completion> {
  const mailbox = mailboxArgument(args.mailbox, session);
  const received = args.messages.map(({ literal }) => receivedMessage(literal));
  for (const { failure } of received) if (failure !== undefined) throw failure;
  const messages = args.messages.map(({ flags, date }, i) => ({
    incoming: received[i].incoming,
    flags,
    date,
  }));
  const appended = await orTryCreate(user.account.append(mailbox, messages));
  const { uidValidity, uids } = appended;
  for (const message of received) message.stored = true;
  tellOverQuota(out, appended);
  return ok("APPEND completed", appendUidCode(uidValidity, uids));
}

function receivedMessage(literal: AppendArgs["messages"][number]["literal"]): ReceivedMessage {
  if ("message" in literal && literal.message instanceof ReceivedMessage) return literal.message;
  throw new SyntaxFault("Expected a message as a literal", 0);
}

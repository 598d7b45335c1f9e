/** APPEND and REPLACE. */

import { Pace } from "../../pace.ts";
import type { NewMessage } from "../../store/store.ts";
import {
  type AnnouncedText,
  type AppendArgs,
  type AppendMessage,
  appendPrefix,
  type ReplaceArgs,
  replacePrefix,
} from "../../wire/append_grammar.ts";
import { appendUidCode, type Completion, ok, statusLine } from "../../wire/response.ts";
import { type Scanner, SyntaxFault } from "../../wire/scanner.ts";
import {
  type AnnouncedLiteral,
  type AuthenticatedContext,
  Refusal,
  type SelectedContext,
  type Service,
} from "../command.ts";
import { mailboxArgument, orTryCreate } from "../mailbox_argument.ts";
import { tellOverQuota } from "../over_quota.ts";
import { type MessageLimits, requireWithinLimit } from "../message_limit.ts";
import { takeUrl, type UrlContext } from "../message_urls.ts";
import { emptyMessage, partsLeft, ReceivedMessage, receivedOf } from "../received_message.ts";
import { appendLimitOf } from "../append_limit.ts";
import type { Session } from "../session.ts";
import { expungeIssued, presentUids } from "../targets.ts";
import { isOffered } from "../withheld.ts";

/** Messages of one command. */
const MAX_MESSAGES = 1000;

/** What the receiving of messages needs to know of the endpoint. */
interface Receiving extends UrlContext {
  readonly service:
    & UrlContext["service"]
    & Pick<Service, "appendLimit" | "appendLimits" | "withheld" | keyof MessageLimits>;
}

/** Tells APPEND's messages from its other literals. */
export function announcedMessage(scanner: Scanner, session: Session): AnnouncedLiteral {
  return announced(appendPrefix(scanner), session);
}

/** Tells REPLACE's message from its other literals. */
export function announcedReplacement(scanner: Scanner, session: Session): AnnouncedLiteral {
  const { state } = session;
  if (state.name !== "selected") throw new SyntaxFault("No mailbox is selected", 0);
  state.view.requireWritable();
  return announced(replacePrefix(scanner), session);
}

function announced(text: AnnouncedText | undefined, session: Session): AnnouncedLiteral {
  if (text === undefined) return { kind: "argument" };
  if (text.utf8) requireUtf8(session);
  return { kind: "message", mailbox: mailboxArgument(text.mailbox, session), text };
}

/** @see RFC 6855 §4 */
function requireUtf8(session: Session): void {
  if (!session.utf8) throw new SyntaxFault("Expected ENABLE UTF8=ACCEPT before UTF8 data", 0);
}

/**
 * Makes ready for a literal of a message: the message so far, with what stands before that
 * literal.
 *
 * @param size octets of the literal
 * @throws {Refusal} if the client need not send it
 */
export async function receiveLiteral(
  { mailbox, text }: Extract<AnnouncedLiteral, { readonly kind: "message" }>,
  size: number,
  context: Receiving,
): Promise<ReceivedMessage> {
  const message = text.messages[text.messages.length - 1];
  if (size === 0 && !message.catenated) throw emptyMessage();
  requireFew(text.messages.length, context.service);
  const before = text.messages.at(-2);
  if (before !== undefined) await finish(context, before, text.messages);
  const received = receivedOf(message) ??
    await receive(context, mailbox, message, { binary: text.binary, replaces: !!text.replaces });
  try {
    await addUrls(context, message, received, text.messages);
    received.expect(size);
    if (received.failure !== undefined) throw received.failure;
  } catch (error) {
    await received.incoming.abort();
    throw error;
  }
  return received;
}

/** @throws {Refusal} */
function requireFew(messages: number, limits: MessageLimits): void {
  requireWithinLimit(messages, limits);
  if (messages > MAX_MESSAGES) {
    throw new Refusal(`At most ${MAX_MESSAGES} messages can be appended at once`, "LIMIT");
  }
}

async function receive(
  context: Receiving,
  mailbox: string,
  { catenated }: AppendMessage,
  { binary, replaces }: { readonly binary: boolean; readonly replaces: boolean },
): Promise<ReceivedMessage> {
  const { user, session, service } = context;
  const incoming = await orTryCreate(user.account.receive(mailbox, { replaces }));
  const utf8 = session.utf8 || !isOffered("UTF8=ACCEPT", context);
  const limit = appendLimitOf(service, mailbox);
  return new ReceivedMessage(incoming, limit, { binary: binary || catenated, utf8 });
}

/** The literals of a message are through: it need not be held in memory while others come. */
async function finish(
  context: Receiving,
  message: AppendMessage,
  all: readonly AppendMessage[],
): Promise<void> {
  const received = receivedOf(message);
  if (received === undefined) return;
  await addUrls(context, message, received, all);
  await received.rest();
}

/**
 * Adds what the URLs name that stand before the next literal, or after the last one. A few octets
 * of URLs must not fill a disk: all of a command bring no more than one message may have.
 */
async function addUrls(
  context: Receiving,
  message: AppendMessage,
  received: ReceivedMessage,
  others: readonly (AppendMessage | ReceivedMessage)[],
): Promise<void> {
  const left = partsLeft(message, received);
  if (left.length === 0) return;
  const room = context.service.appendLimit + received.copied - copiedBy(others);
  const pace = new Pace();
  for (const part of left) {
    if (part.kind !== "url") throw new SyntaxFault("Expected a message as a literal", 0);
    await takeUrl(part.url, context, (octets) => received.add(octets, room));
    if (pace.due()) await pace.turn();
  }
}

/** Octets that URLs brought to these messages so far. */
function copiedBy(messages: readonly (AppendMessage | ReceivedMessage)[]): number {
  return messages.reduce((sum, message) => {
    const received = message instanceof ReceivedMessage ? message : receivedOf(message);
    return sum + (received?.copied ?? 0);
  }, 0);
}

/** @see RFC 9051 §6.3.12, RFC 4315 §3, RFC 3502 §6.3.11, RFC 4469 §3 */
export async function append(
  context: AuthenticatedContext,
  args: AppendArgs,
): Promise<Completion> {
  const { user, session } = context;
  requireFew(args.messages.length, context.service);
  const mailbox = mailboxArgument(args.mailbox, session);
  return await withMessages(context, mailbox, args.messages, false, async (messages) => {
    const appended = await orTryCreate(user.account.append(mailbox, messages));
    const { uidValidity, uids } = appended;
    tellOverQuota(context.out, appended);
    session.notify?.made(mailbox, uids);
    return ok("APPEND completed", appendUidCode(uidValidity, uids));
  });
}

/** APPENDUID goes before the EXPUNGE. @see RFC 8508 §4 */
export async function replace(context: SelectedContext, args: ReplaceArgs): Promise<Completion> {
  const { view, session, byUid, out } = context;
  view.requireWritable();
  const mailbox = mailboxArgument(args.mailbox, session);
  const { present, gone } = presentUids(view, view.resolve(args.set, byUid));
  if (gone) throw expungeIssued();
  if (present.length === 0) throw new Refusal("There is no such message", "NONEXISTENT");
  return await withMessages(context, mailbox, [args.message], true, async ([message]) => {
    const replaced = await orTryCreate(view.mailbox.replace(present[0], mailbox, message));
    const { uidValidity, uids } = replaced;
    tellOverQuota(out, replaced);
    session.notify?.made(mailbox, uids);
    out.text(statusLine("*", "OK", "The new message is there", appendUidCode(uidValidity, uids)));
    return ok(`${context.command} completed`);
  });
}

/** Runs `work` with whole messages; leaves no trace of them if it fails. */
async function withMessages(
  context: AuthenticatedContext,
  mailbox: string,
  messages: readonly AppendMessage[],
  replaces: boolean,
  work: (messages: readonly NewMessage[]) => Promise<Completion>,
): Promise<Completion> {
  const received: ReceivedMessage[] = [];
  try {
    const whole: NewMessage[] = [];
    for (const message of messages) {
      const one = receivedOf(message) ??
        await receive(context, mailbox, message, { binary: false, replaces });
      received.push(one);
      await addUrls(context, message, one, received);
      await (messages.length > 1 ? one.rest() : one.end());
      const { flags, date } = message;
      whole.push({ incoming: one.incoming, flags, date });
    }
    const completion = await work(whole);
    for (const one of received) one.stored = true;
    return completion;
  } finally {
    for (const { stored, incoming } of received) if (!stored) await incoming.abort();
  }
}

/** What URLs of CATENATE name: messages of the same user, or parts of them. @see RFC 4469 §3 */

import { type Mailbox, type StoredMessage, StoreError } from "../store/store.ts";
import type { Section } from "../wire/fetch_grammar.ts";
import { type ImapUrl, parseImapUrl } from "../wire/imap_url.ts";
import { badUrlCode } from "../wire/response.ts";
import { Refusal, type Service } from "./command.ts";
import { sectionOctets } from "./sections.ts";
import type { Session, User } from "./session.ts";

const WHOLE: Section = { part: [], text: "", fields: [] };

/** Who asks, and what of. */
export interface UrlContext {
  readonly user: User;
  readonly session: Session;
  readonly service: Pick<Service, "hostname">;
}

/**
 * Hands what a URL names to `take`, in pieces.
 *
 * @param bytes the URL as the client spelled it
 * @throws {Refusal} BADURL
 */
export async function takeUrl(
  bytes: string,
  context: UrlContext,
  take: (octets: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const url = parseImapUrl(bytes);
  if (url === undefined || !isHere(url, context)) throw badUrl(bytes);
  const mailbox = await openMailbox(bytes, url, context);
  try {
    if (url.uidValidity !== undefined && url.uidValidity !== mailbox.uidValidity) {
      throw badUrl(bytes);
    }
    const stored = await openMessage(bytes, url, mailbox);
    try {
      const octets = await octetsOf(url, mailbox, stored);
      if (octets === undefined) throw badUrl(bytes);
      await take(octets);
    } finally {
      stored.close();
    }
  } finally {
    mailbox.close();
  }
}

function badUrl(bytes: string): Refusal {
  return new Refusal("Nothing here has this URL", badUrlCode(bytes));
}

/** True if the URL names this server and this user, or none. */
function isHere({ server }: ImapUrl, { user, service }: UrlContext): boolean {
  return server === undefined ||
    (server.host === service.hostname.toLowerCase() &&
      (server.user === undefined || server.user === user.name));
}

async function openMailbox(bytes: string, url: ImapUrl, context: UrlContext): Promise<Mailbox> {
  const { state } = context.session;
  const selected = state.name === "selected" ? state.view.mailbox.name : undefined;
  const name = url.mailbox ?? selected;
  if (name === undefined) throw badUrl(bytes);
  try {
    return await context.user.account.open(name);
  } catch (error) {
    throw ofUrl(error, bytes);
  }
}

async function openMessage(
  bytes: string,
  { uid }: ImapUrl,
  mailbox: Mailbox,
): Promise<StoredMessage> {
  try {
    await mailbox.prepare([uid]);
    return await mailbox.read(uid);
  } catch (error) {
    throw ofUrl(error, bytes);
  }
}

/** What is not there makes the URL a bad one; a store that fails is another matter. */
function ofUrl(error: unknown, bytes: string): unknown {
  const missing = error instanceof StoreError &&
    (error.code === "no-mailbox" || error.code === "message-gone" || error.code === "bad-name");
  return missing ? badUrl(bytes) : error;
}

async function octetsOf(
  { uid, section = WHOLE, partial }: ImapUrl,
  mailbox: Mailbox,
  stored: StoredMessage,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const [cached] = await mailbox.cached(["parts"], uid, uid);
  return cached && sectionOctets(stored, section, cached.parts, partial);
}

/** CAPABILITY, NOOP, ID, ENABLE, STARTTLS, COMPRESS, UNAUTHENTICATE, LOGOUT. */

import type { EnableArgs, IdArgs } from "../../wire/command_grammar.ts";
import {
  bad,
  capabilityCode,
  type Completion,
  ok,
  statusLine,
  string,
} from "../../wire/response.ts";
import { type AuthenticatedContext, type Context, Refusal } from "../command.ts";
import { quirksOf } from "../client_quirks.ts";
import { tellingModseq } from "../condstore.ts";
import { enableAll } from "../enableables.ts";
import { isOffered, withDependents } from "../withheld.ts";

/** @see RFC 9051 §6.1.1 */
export function capability(capabilities: (context: Context) => readonly string[]) {
  return (context: Context): Completion => {
    if (context.session.state.name === "not-authenticated") {
      context.session.askedCapabilities = true;
    }
    context.out.text(`* CAPABILITY ${capabilities(context).join(" ")}\r\n`);
    return ok("CAPABILITY completed");
  };
}

/** NOOP and CHECK: a moment at which the client wants to hear the news. */
export async function noop(context: Context): Promise<Completion> {
  const { state } = context.session;
  if (state.name === "selected") await state.view.mailbox.refresh();
  return ok(`${context.command} completed`);
}

/** Characters of a client's name and version that are kept, and of each field in the log. */
const LONGEST_CLIENT = 100;

/**
 * Those with a meaning; arguments of a command and environments may hold secrets, and so may fields
 * of a client's own.
 *
 * @see RFC 2971 §3.3
 */
const LOGGED_FIELDS = [
  "name",
  "version",
  "os",
  "os-version",
  "vendor",
  "support-url",
  "address",
  "date",
  "command",
];

/**
 * Capabilities that are not offered to a client which breaks on them are told anew, since it has
 * heard of them before.
 *
 * @see RFC 2971 §3.1
 */
export function id(capabilities: (context: Context) => readonly string[]) {
  return (context: Context, args: IdArgs): Completion => {
    const { session, service, log, out } = context;
    const fields = new Map<string, string>();
    for (const [name, value] of args.fields) {
      if (value !== undefined) fields.set(name.toLowerCase(), value);
    }
    const [name, version] = [fields.get("name"), fields.get("version")];
    if (name !== undefined) {
      session.client = [name, version ?? []].flat().join(" ").slice(0, LONGEST_CLIENT);
    }
    // Once, since it costs nothing to ask again and again, also for whoever has not logged in.
    if (!session.identified) log.info("client", loggedOf(fields));
    session.identified = true;
    out.text(`* ID (${string("name")} ${string("imapd")})\r\n`);
    const quirks = service.clientQuirks ? quirksOf(fields) : [];
    if (quirks.some((capability) => isOffered(capability, context))) {
      session.withheld = withDependents([...session.withheld, ...quirks]);
      out.text(`* CAPABILITY ${capabilities(context).join(" ")}\r\n`);
    }
    return ok("ID completed");
  };
}

function loggedOf(fields: ReadonlyMap<string, string>): Record<string, string> {
  const logged: Record<string, string> = {};
  for (const field of LOGGED_FIELDS) {
    const value = fields.get(field);
    if (value !== undefined) logged[`client_${field}`] = value.slice(0, LONGEST_CLIENT);
  }
  return logged;
}

/** @see RFC 5161 §3.1 */
export function enable(context: AuthenticatedContext, args: EnableArgs): Completion {
  const offered = args.capabilities.filter((name) => isOffered(name, context));
  const fresh = tellingModseq(context, () => enableAll(context, offered));
  context.out.text(`* ENABLED${fresh.map((name) => ` ${name}`).join("")}\r\n`);
  return ok("ENABLE completed");
}

/** @see RFC 9051 §6.2.1 */
export function startTls(context: Context): Completion {
  if (context.session.secure) return bad("TLS is already active");
  if (!context.service.tls || context.dialogue.startTls === undefined) {
    throw new Refusal("TLS is not configured", "CANNOT");
  }
  context.dialogue.startTls();
  return ok("Begin the TLS handshake now");
}

/** @see RFC 4978 §3 */
export function compress({ dialogue, session }: AuthenticatedContext): Completion {
  if (session.compressed) throw new Refusal("DEFLATE is active already", "COMPRESSIONACTIVE");
  dialogue.compress(true);
  return ok("DEFLATE active");
}

/** Compression ends with the user's session; TLS stays. @see RFC 8437 §3, §4.1 */
export function unauthenticate(capabilities: (context: Context) => readonly string[]) {
  return (context: AuthenticatedContext): Completion => {
    const { dialogue, session, log, user } = context;
    session.unauthenticate();
    dialogue.compress(false);
    log.info("unauthenticated", { user: user.name, remote: session.remote });
    return ok("UNAUTHENTICATE completed", capabilityCode(capabilities(context)));
  };
}

/** @see RFC 9051 §6.1.3 */
export function logout(context: Context): Completion {
  context.out.text(statusLine("*", "BYE", "Logging out"));
  context.session.enter({ name: "logout" });
  return ok("LOGOUT completed");
}

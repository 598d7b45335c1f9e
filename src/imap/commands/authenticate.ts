/** LOGIN and AUTHENTICATE. */

import type { AuthResult } from "../../auth/auth.ts";
import type { SaslMechanism } from "../../auth/sasl.ts";
import { StoreError } from "../../store/store.ts";
import type { AuthenticateArgs, LoginArgs } from "../../wire/command_grammar.ts";
import { decodeBase64 } from "../../wire/grammar.ts";
import { bad, capabilityCode, type Completion, ok } from "../../wire/response.ts";
import { decodeUtf8 } from "../../wire/scanner.ts";
import { type Context, Refusal } from "../command.ts";

/** Capabilities as the client has them once it is logged in. */
export type CapabilityList = (context: Context) => readonly string[];

/** True when passwords may be sent on this connection. */
export function mayAuthenticate(
  { session, service }: Pick<Context, "session" | "service">,
): boolean {
  return session.secure || service.insecureAuth;
}

/** @see RFC 9051 §6.2.3 */
export function login(capabilities: CapabilityList) {
  return async (context: Context, args: LoginArgs): Promise<Completion> => {
    requirePrivacy(context);
    const username = decodeUtf8(args.username);
    const password = decodeUtf8(args.password);
    if (username === undefined || password === undefined) {
      return bad("Expected a user name and a password in UTF-8");
    }
    const { service, session } = context;
    const result = await service.auth.checkPassword(username, password, session);
    return await finish(context, result, capabilities);
  };
}

/** @see RFC 9051 §6.2.2, RFC 4959 §3 */
export function authenticate(
  mechanisms: ReadonlyMap<string, SaslMechanism>,
  capabilities: CapabilityList,
) {
  return async (context: Context, args: AuthenticateArgs): Promise<Completion> => {
    requirePrivacy(context);
    const mechanism = mechanisms.get(args.mechanism.toUpperCase());
    if (mechanism === undefined) throw new Refusal("Unsupported mechanism", "CANNOT");
    const result = await exchange(context, mechanism, args.initialResponse);
    if (result.type === "cancelled") return bad("Authentication cancelled");
    if (result.type === "malformed") return bad(result.detail);
    return await finish(context, result.result, capabilities);
  };
}

type ExchangeResult =
  | { readonly type: "done"; readonly result: AuthResult }
  | { readonly type: "malformed"; readonly detail: string }
  | { readonly type: "cancelled" };

async function exchange(
  { dialogue, service, session }: Context,
  mechanism: SaslMechanism,
  initial: string | undefined,
): Promise<ExchangeResult> {
  const running = mechanism.begin();
  let response = initial === undefined ? undefined : decodeBase64(initial);
  if (initial !== undefined && response === undefined) return NOT_BASE64;
  for (;;) {
    const step = running.respond(response);
    if (step.type === "malformed") return step;
    if (step.type === "credentials") {
      const verify = (name: string, password: string) =>
        service.auth.checkPassword(name, password, session);
      return { type: "done", result: await step.check(verify) };
    }
    await dialogue.prompt(btoa(String.fromCharCode(...step.data)));
    const line = await dialogue.line();
    if (line === "*") return { type: "cancelled" };
    response = decodeBase64(line);
    if (response === undefined) return NOT_BASE64;
  }
}

const NOT_BASE64 = { type: "malformed", detail: "Expected base64" } as const;

function requirePrivacy(context: Context): void {
  if (mayAuthenticate(context)) return;
  throw new Refusal("Use TLS first: passwords are not taken in the clear", "PRIVACYREQUIRED");
}

async function finish(
  context: Context,
  result: AuthResult,
  capabilities: CapabilityList,
): Promise<Completion> {
  const { session, service, log } = context;
  if (!result.ok) {
    log.warn("authentication failed", { reason: result.detail, remote: session.remote });
    if (result.reason === "unavailable") {
      throw new Refusal("Authentication is not available now, try later", "UNAVAILABLE");
    }
    throw new Refusal("Invalid credentials", "AUTHENTICATIONFAILED");
  }
  const account = await openAccount(context, result.username);
  session.enter({ name: "authenticated", user: { name: result.username, account } });
  const { remote, secure } = session;
  log.info("logged in", { user: result.username, remote, secure });
  return ok(`Logged in to ${service.hostname}`, capabilityCode(capabilities(context)));
}

async function openAccount({ service, log }: Context, username: string) {
  try {
    return await service.store.account(username);
  } catch (error) {
    if (error instanceof StoreError && error.code === "bad-name") {
      log.warn("no account can have this name", { user: username });
      throw new Refusal("Invalid credentials", "AUTHENTICATIONFAILED");
    }
    throw error;
  }
}

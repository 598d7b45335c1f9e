/** LOGIN and AUTHENTICATE. */

import type {
  AuthFailure,
  AuthFailureReason,
  AuthResult,
  ClientInfo,
  Guess,
} from "../../auth/auth.ts";
import { encodeBase64 } from "../../auth/sasl/base64.ts";
import {
  type Attempt,
  MalformedResponse,
  type SaslMechanism,
  type SaslServer,
} from "../../auth/sasl/mechanism.ts";
import { offeredMechanisms } from "../../auth/sasl/mechanisms.ts";
import { StoreError } from "../../store/store.ts";
import type { AuthenticateArgs, LoginArgs } from "../../wire/command_grammar.ts";
import { decodeBase64 } from "../../wire/grammar.ts";
import { bad, capabilityCode, type Completion, ok, type PlainCode } from "../../wire/response.ts";
import { decodeUtf8, SyntaxFault } from "../../wire/scanner.ts";
import { type Context, type Dialogue, Refusal } from "../command.ts";
import { isOffered } from "../withheld.ts";

/** Capabilities as the client has them once it is logged in. */
export type CapabilityList = (context: Context) => readonly string[];

type Connected = Pick<Context, "session" | "service">;

/** True when a client may log in on this connection as it is. */
export function mayAuthenticate({ session, service }: Connected): boolean {
  return session.secure || service.insecureAuth;
}

/** True when LOGIN may be used. */
export function mayLogIn(connected: Connected): boolean {
  return mayAuthenticate(connected) && connected.service.login.can.password;
}

/** Mechanisms of SASL that may be used now, strongest first. */
export function mechanisms(connected: Connected): readonly SaslMechanism[] {
  if (!mayAuthenticate(connected)) return [];
  const { session: { channel }, service: { login, saslLogin } } = connected;
  return offeredMechanisms({ can: login.can, channel, saslLogin })
    .filter(({ name }) => isOffered(`AUTH=${name}`, connected));
}

/** @see RFC 9051 §6.2.3 */
export function login(capabilities: CapabilityList) {
  return async (context: Context, args: LoginArgs): Promise<Completion> => {
    requirePrivacy(context);
    if (!mayLogIn(context)) throw new Refusal("Passwords are not taken here", "CANNOT");
    const name = decodeUtf8(args.username);
    const password = decodeUtf8(args.password);
    if (name === undefined || password === undefined) {
      return bad("Expected a user name and a password in UTF-8");
    }
    const paced = unhurried(context);
    const result = await paced.login.password(name, password, context.session);
    return await finish(context, paced, { name, result }, undefined, capabilities);
  };
}

/** @see RFC 9051 §6.2.2, RFC 4959 §3 */
export function authenticate(capabilities: CapabilityList) {
  return async (context: Context, args: AuthenticateArgs): Promise<Completion> => {
    requirePrivacy(context);
    const mechanism = mechanisms(context).find(({ name }) => name === args.mechanism);
    if (mechanism === undefined) throw new Refusal("Unsupported mechanism", "CANNOT");
    try {
      const paced = unhurried(context);
      const attempt = await exchange(context, paced, mechanism, args.initialResponse);
      return await finish(context, paced, attempt, mechanism.name, capabilities);
    } catch (error) {
      if (error instanceof MalformedResponse) return bad(error.message);
      throw error;
    }
  };
}

interface PacedLogin extends Pick<SaslServer, "login" | "turn"> {
  /** The attempt, from when it is known whom it is at. */
  guess(name: string): Guess;
  /** The password, where the client sent one. */
  secret?: string;
}

/** The login of the endpoint for one attempt, which it checks when penalties let it in. */
function unhurried({ service: { login }, session, dialogue }: Context): PacedLogin {
  let made: Guess | undefined;
  const guess = (name: string) => made ??= login.penalties.guess(name, session.remote);
  const turn = async (name: string): Promise<AuthFailure | undefined> => {
    for (;;) {
      const answer = guess(name).ask();
      if (answer === "now") return undefined;
      if (answer === "never") return CROWDED;
      await dialogue.pause(answer.milliseconds, answer.wakers);
    }
  };
  const standing = (name: string, { remote, secure, id }: ClientInfo): ClientInfo => {
    return { remote, secure, id, standing: guess(name).standing };
  };
  const paced: PacedLogin = {
    guess,
    turn,
    login: {
      can: login.can,
      penalties: login.penalties,
      password: async (name, password, client) => {
        paced.secret = password;
        return await turn(name) ?? await login.password(name, password, standing(name, client));
      },
      token: async (token, name, client) =>
        await turn(name) ?? await login.token(token, name, client),
      scramKeys: (name, hash) => login.scramKeys(name, hash),
      proven: (name) => login.proven(name),
    },
  };
  return paced;
}

const CROWDED: AuthFailure = {
  ok: false,
  reason: "unavailable",
  detail: "too many attempts after failed logins",
};

async function exchange(
  context: Context,
  { login, turn }: PacedLogin,
  mechanism: SaslMechanism,
  initial: string | undefined,
): Promise<Attempt> {
  const { dialogue, session } = context;
  const server: SaslServer = {
    ...{ login, turn },
    client: session,
    channel: session.channel,
    nonce: () => encodeBase64(crypto.getRandomValues(new Uint8Array(24))),
  };
  const first = initial === undefined ? undefined : octetsOf(initial);
  const running = mechanism.begin(first, server);
  let step = await running.next();
  while (!step.done) {
    await dialogue.prompt(encodeBase64(step.value));
    step = await running.next(await response(dialogue));
  }
  return step.value;
}

async function response(dialogue: Dialogue): Promise<Uint8Array> {
  const line = await dialogue.line();
  if (line === "*") throw new SyntaxFault("Authentication cancelled", 0);
  return octetsOf(line);
}

function octetsOf(text: string): Uint8Array {
  const octets = decodeBase64(text);
  if (octets === undefined) throw new MalformedResponse("Expected base64");
  return octets;
}

function requirePrivacy(context: Context): void {
  if (mayAuthenticate(context)) return;
  throw new Refusal("Use TLS first: passwords are not taken in the clear", "PRIVACYREQUIRED");
}

/** What a client is told. @see RFC 5530 §3 */
const FAILURES: Readonly<Record<AuthFailureReason, { text: string; code: PlainCode }>> = {
  "bad-credentials": { text: "Invalid credentials", code: "AUTHENTICATIONFAILED" },
  "unavailable": { text: "Authentication is not available now, try later", code: "UNAVAILABLE" },
  "expired": { text: "The account or its password has expired", code: "EXPIRED" },
  "not-authorized": { text: "Acting for another user is not allowed", code: "AUTHORIZATIONFAILED" },
};

async function finish(
  context: Context,
  paced: PacedLogin,
  attempt: Attempt,
  mechanism: string | undefined,
  capabilities: CapabilityList,
): Promise<Completion> {
  const { session, service, log } = context;
  const result = await withAccount(context, attempt.result);
  const outcome = result.ok ? "ok" : result.reason === "unavailable" ? "unavailable" : "failed";
  service.meter.login(mechanism ?? "LOGIN", outcome, session.remote);
  if (!result.ok) return await refuse(context, paced, attempt, result, mechanism);
  paced.guess(attempt.name).succeeded();
  const { username, account } = result;
  const leave = service.userConnections.logIn(username, session.remote);
  if (leave === undefined) {
    log.warn("too many connections", {
      user: username,
      remote: session.remote,
      of: "user",
    });
    throw new Refusal("You have too many connections from this address", "LIMIT");
  }
  session.enter({ name: "authenticated", user: { name: username, account, leave } });
  log.info("logged in", {
    mechanism,
    user: username,
    remote: session.remote,
    secure: session.secure,
  });
  const now = capabilities(context);
  // Who asks for them by the command may not know the response code.
  if (session.askedCapabilities) context.out.text(`* CAPABILITY ${now.join(" ")}\r\n`);
  return ok(`Logged in to ${service.hostname}`, capabilityCode(now));
}

/** Logs and counts a failure before anything of it is told: who goes away then has made it, too. */
async function refuse(
  { session, log, dialogue }: Context,
  paced: PacedLogin,
  { name, challenge }: Attempt,
  { reason, detail }: AuthFailure,
  mechanism: string | undefined,
): Promise<never> {
  // Programs that ban addresses read the end of the line of failures. Who could not be checked
  // has done nothing wrong, and must not be banned.
  const event = reason === "unavailable" ? "authentication not possible" : "authentication failed";
  log.warn(event, { mechanism }, {
    reason: detail,
    src_ip: session.source,
    username: shortened(name),
  });
  if (reason !== "unavailable") session.failedLogins++;
  const guess = paced.guess(name);
  if (reason === "bad-credentials") await dialogue.pause(guess.failed(paced.secret));
  else if (reason === "unavailable") await dialogue.pause(guess.unchecked());
  // Who has proven who they are has not guessed.
  else guess.withdraw();
  if (challenge !== undefined) {
    await dialogue.prompt(encodeBase64(challenge));
    await response(dialogue);
  }
  const { text, code } = FAILURES[reason];
  throw new Refusal(text, code);
}

async function withAccount({ service }: Context, result: AuthResult) {
  if (!result.ok) return result;
  try {
    return { ...result, account: await service.store.account(result.username) };
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "bad-name")) throw error;
    const detail = "no account can have this name";
    return { ok: false, reason: "bad-credentials", detail } as const;
  }
}

/** Characters of a name that the log shows: a client can send as many as a line has. */
const SHOWN = 255;

function shortened(name: string): string {
  return name.length <= SHOWN ? name : `${name.slice(0, SHOWN)}…`;
}

/** What a SASL mechanism is, and what it is given. @see RFC 4422 */

import type { AuthFailure, AuthResult, Checks, ClientInfo, Login, SaslChannel } from "../auth.ts";

/** The server's side of one exchange. */
export interface SaslServer {
  readonly login: Login;
  readonly client: ClientInfo;
  readonly channel: SaslChannel;
  /**
   * Settles when it may be looked at whether somebody is `name`, or with why not. For mechanisms
   * that look themselves; what {@link login} checks waits there.
   */
  turn(name: string): Promise<AuthFailure | undefined>;
  /** Printable ASCII without comma, never the same twice. */
  nonce(): string;
}

/** What decides whether a mechanism is offered. */
export interface SaslSituation {
  readonly can: Checks;
  readonly channel: SaslChannel;
  /** The endpoint's setting `sasl_login`. */
  readonly saslLogin: boolean;
}

/** What came of an exchange. */
export interface Attempt {
  /** Whom the client claimed to be, for the log. */
  readonly name: string;
  readonly result: AuthResult;
  /** What a client is still told, and has to answer, before it hears that it was refused. */
  readonly challenge?: Uint8Array;
}

/**
 * One exchange: yields challenges, is given the client's responses, and returns what came of it.
 *
 * @throws {MalformedResponse}
 */
export type SaslExchange = AsyncGenerator<Uint8Array, Attempt, Uint8Array>;

export interface SaslMechanism {
  readonly name: string;
  offered(situation: SaslSituation): boolean;
  /** @param initial what the client said before it was asked, if anything */
  begin(initial: Uint8Array | undefined, server: SaslServer): SaslExchange;
}

/** A response that no client of the mechanism sends. Sentence case, no period, no secret. */
export class MalformedResponse extends Error {
  override name = "MalformedResponse";
}

/** The challenge of mechanisms in which the client speaks first. */
export const NO_CHALLENGE: Uint8Array = new Uint8Array(0);

/** An attempt that failed. @param detail for the log */
export function refusedAttempt(name: string, detail: string): Attempt {
  return { name, result: { ok: false, reason: "bad-credentials", detail } };
}

/** Of who has shown who it is, but may not act for whom it wants to. @param detail for the log */
export function unauthorizedAttempt(name: string, detail: string): Attempt {
  return { name, result: { ok: false, reason: "not-authorized", detail } };
}

/** No mechanism lets one user act for another. */
export const NO_PROXY = "acting for another user is not offered";

/** Text of a response. @throws {MalformedResponse} naming what was `expected` if it is not UTF-8 */
export function textOf(response: Uint8Array, expected: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(response);
  } catch (error) {
    throw new MalformedResponse(`Expected ${expected} in UTF-8`, { cause: error });
  }
}

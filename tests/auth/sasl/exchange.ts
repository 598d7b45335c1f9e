/** Plays the client in one exchange of a SASL mechanism. */

import type { AuthFailure, SaslChannel } from "../../../src/auth/auth.ts";
import { EndpointLogin } from "../../../src/auth/login.ts";
import {
  type Attempt,
  MalformedResponse,
  type SaslMechanism,
} from "../../../src/auth/sasl/mechanism.ts";
import { memoryLog } from "../../../src/log.ts";
import { fakeAuthenticator, type Known, SAME_NAMES } from "../authenticators.ts";

/** A response, or what makes one of the last challenge. */
export type Response = string | Uint8Array | ((challenge: string) => string);

/** What an exchange left. */
export interface Played {
  readonly challenges: readonly string[];
  /** A string is why a response was malformed; undefined: the mechanism wants more responses. */
  readonly end: Attempt | string | undefined;
}

export interface Scene {
  readonly known: Known;
  readonly channel?: SaslChannel;
  /** Why nothing is looked at now. */
  readonly busy?: AuthFailure;
  /** The server's part of the nonce. */
  readonly nonce?: string;
}

/** Begins `mechanism` with `initial` and gives it `responses` in turn, until it has enough. */
export async function play(
  mechanism: SaslMechanism,
  { known, channel = {}, nonce = "server", busy }: Scene,
  initial: string | Uint8Array | undefined,
  ...responses: readonly Response[]
): Promise<Played> {
  const login = new EndpointLogin({
    auth: fakeAuthenticator(known),
    names: SAME_NAMES,
    accountFault: () => undefined,
    secret: new Uint8Array(32),
    log: memoryLog([]),
  });
  const client = { remote: "192.0.2.1", secure: true, id: "1" };
  const running = mechanism.begin(initial === undefined ? undefined : octets(initial), {
    ...{ login, client, channel },
    turn: () => Promise.resolve(busy),
    nonce: () => nonce,
  });
  const challenges: string[] = [];
  try {
    let step = await running.next();
    for (const response of responses) {
      if (step.done) break;
      const challenge = new TextDecoder().decode(step.value);
      challenges.push(challenge);
      step = await running.next(
        octets(typeof response === "function" ? response(challenge) : response),
      );
    }
    if (step.done) {
      const { challenge, ...end } = step.value;
      const told = challenge === undefined ? [] : [new TextDecoder().decode(challenge)];
      return { challenges: [...challenges, ...told], end };
    }
    return { challenges: [...challenges, new TextDecoder().decode(step.value)], end: undefined };
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    return { challenges, end: error.message };
  }
}

function octets(response: string | Uint8Array): Uint8Array {
  return typeof response === "string" ? new TextEncoder().encode(response) : response;
}

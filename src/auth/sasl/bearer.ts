/** OAUTHBEARER and XOAUTH2: a token stands for the user. */

import type { AuthResult } from "../auth.ts";
import {
  type Attempt,
  MalformedResponse,
  NO_CHALLENGE,
  type SaslMechanism,
  type SaslServer,
  textOf,
} from "./mechanism.ts";

/**
 * `n,a=NAME,^Ahost=…^Aport=…^Aauth=Bearer TOKEN^A^A`
 *
 * @see RFC 7628 §3.1
 */
export const oauthBearer: SaslMechanism = {
  name: "OAUTHBEARER",
  offered: ({ can }) => can.token,
  async *begin(initial, server) {
    const message = messageOf(initial ?? (yield NO_CHALLENGE), "OAUTHBEARER's message");
    const header = message.first.match(/^[ny],(?:a=([^,]+))?,$/);
    const auth = message.fields.get("auth");
    if (header === null || auth === undefined) throw message.fault;
    const name = (header[1] ?? "").replaceAll("=2C", ",").replaceAll("=3D", "=");
    return await check(server, name, auth, { status: "invalid_token", schemes: "bearer" });
  },
};

/** `user=NAME^Aauth=Bearer TOKEN^A^A`, as Google made it. */
export const xoauth2: SaslMechanism = {
  name: "XOAUTH2",
  offered: ({ can }) => can.token,
  async *begin(initial, server) {
    const message = messageOf(initial ?? (yield NO_CHALLENGE), "XOAUTH2's message");
    const user = message.first.match(/^user=(.*)$/);
    const auth = message.fields.get("auth");
    if (user === null || auth === undefined) throw message.fault;
    return await check(server, user[1], auth, { status: "401", schemes: "bearer" });
  },
};

interface Message {
  /** What stands before the first ^A. */
  readonly first: string;
  /** What stands between it and the ^A^A at the end; names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** For what has a message's form and not its content. */
  readonly fault: MalformedResponse;
}

/** @throws {MalformedResponse} */
function messageOf(response: Uint8Array, expected: string): Message {
  const fault = new MalformedResponse(`Expected ${expected}`);
  const text = textOf(response, expected);
  const [first, ...fields] = text.split("\x01");
  const pairs = fields.slice(0, -2).map((field) => field.match(/^([A-Za-z]+)=(.*)$/s));
  const whole = text.endsWith("\x01\x01") && !text.includes("\0") && !pairs.includes(null);
  if (!whole) throw fault;
  const entries = pairs.flatMap((pair) =>
    pair === null ? [] : [[pair[1].toLowerCase(), pair[2]] as const]
  );
  return { first, fields: new Map(entries), fault };
}

/** A refused client is told why in JSON, and answers that before it gets its NO. */
async function check(
  { login, client }: SaslServer,
  name: string,
  auth: string,
  error: Readonly<Record<string, string>>,
): Promise<Attempt> {
  const token = auth.match(/^Bearer +([A-Za-z0-9._~+/-]+=*)$/i)?.[1];
  const result: AuthResult = token === undefined
    ? { ok: false, reason: "bad-credentials", detail: "no bearer token" }
    : await login.token(token, name, client);
  if (result.ok || result.reason !== "bad-credentials") return { name, result };
  return { name, result, challenge: new TextEncoder().encode(JSON.stringify(error)) };
}

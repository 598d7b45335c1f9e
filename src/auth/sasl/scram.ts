/** SCRAM: the client proves that it knows the password, and so does the server. @see RFC 5802 */

import type { SaslChannel, ScramHash, ScramKeys } from "../auth.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { equalBytes, scramDigest, scramHmac } from "./scram_keys.ts";
import {
  type Attempt,
  MalformedResponse,
  NO_CHALLENGE,
  NO_PROXY,
  refusedAttempt,
  type SaslExchange,
  type SaslMechanism,
  type SaslServer,
  textOf,
} from "./mechanism.ts";

/** @param plus with channel binding @see RFC 5802 §6, RFC 7677 */
export function scram(hash: ScramHash, plus: boolean): SaslMechanism {
  return {
    name: `SCRAM-${hash}${plus ? "-PLUS" : ""}`,
    offered: ({ can, channel }) =>
      can.scram.includes(hash) && (!plus || channel.serverEndPoint !== undefined),
    begin: (initial, server) => exchange(hash, plus, initial, server),
  };
}

async function* exchange(
  hash: ScramHash,
  plus: boolean,
  initial: Uint8Array | undefined,
  server: SaslServer,
): SaslExchange {
  const first = clientFirst(textOf(initial ?? (yield NO_CHALLENGE), "SCRAM's first message"));
  const { name } = first;
  const fault = first.authzid !== "" && first.authzid !== name
    ? NO_PROXY
    : bindingFault(first.binding, plus, server.channel);
  if (fault !== undefined) return refusedAttempt(name, fault);
  const found = await server.login.scramKeys(name, hash);
  if (!found.ok) return { name, result: found };
  const { keys, known } = found;

  const nonce = first.nonce + server.nonce();
  const told = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations}`;
  const last = clientFinal(textOf(yield utf8(told), "SCRAM's last message"));
  // Not before: who asks and then says nothing must keep nobody waiting.
  const refusedTurn = await server.turn(name);
  if (refusedTurn !== undefined) return { name, result: refusedTurn };
  const message = `${first.bare},${told},${last.withoutProof}`;
  const proven = await proves(keys, message, last.proof);
  const bound = boundTo(first, server.channel);
  const refused = refusal(name, [
    [last.nonce === nonce, "the nonce is not the one that was given"],
    [equalBytes(last.binding, bound), "the channel binding differs: somebody may be in between"],
    [known, `no keys of SCRAM-${hash}, or unknown user`],
    [proven, "wrong password"],
  ]);
  if (refused !== undefined) return refused;
  const result = await server.login.proven(name);
  if (!result.ok) return { name, result };

  const signature = await scramHmac(hash, keys.serverKey, message);
  const end = yield utf8(`v=${encodeBase64(signature)}`);
  if (end.length > 0) throw new MalformedResponse("Expected an empty response to SCRAM's end");
  return { name, result };
}

function refusal(name: string, checks: readonly [boolean, string][]): Attempt | undefined {
  const failed = checks.find(([held]) => !held);
  return failed && refusedAttempt(name, failed[1]);
}

/** What the client says of channel binding: `n`, `y`, or the type that it uses. */
type BindingFlag = "n" | "y" | { readonly type: string };

interface ClientFirst {
  readonly binding: BindingFlag;
  readonly authzid: string;
  readonly name: string;
  readonly nonce: string;
  /** Up to the second comma. */
  readonly header: string;
  /** After it. */
  readonly bare: string;
}

/**
 * client-first-message = gs2-cbind-flag "," [authzid] "," [reserved-mext ","] username "," nonce
 *
 * @see RFC 5802 §7
 */
function clientFirst(text: string): ClientFirst {
  const match = text.match(
    /^((?:([ny])|p=([A-Za-z0-9.-]+)),(?:a=([^,]+))?,)(n=([^,]+),r=([!-+\--~]+)(?:,[^]*)?)$/,
  );
  const name = saslName(match?.[6]);
  const authzid = saslName(match?.[4] ?? "");
  if (match === null || name === undefined || authzid === undefined) {
    throw new MalformedResponse("Expected SCRAM's first message, without mandatory extensions");
  }
  const [, header, flag, type, , bare, , nonce] = match;
  const binding = flag === "n" || flag === "y" ? flag : { type };
  return { binding, authzid, name, nonce, header, bare };
}

/** A name in which `=2C` stands for a comma and `=3D` for an equals sign. */
function saslName(text: string | undefined): string | undefined {
  if (text === undefined || /=(?!2C|3D)|\0/.test(text)) return undefined;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

interface ClientFinal {
  /** What the channel is bound to, as the client has it. */
  readonly binding: Uint8Array;
  readonly nonce: string;
  readonly proof: Uint8Array;
  readonly withoutProof: string;
}

/** client-final-message = channel-binding "," nonce ["," extensions] "," proof */
function clientFinal(text: string): ClientFinal {
  const match = text.match(/^(c=([A-Za-z0-9+/=]*),r=([!-+\--~]+)(?:,[^]*)?),p=([A-Za-z0-9+/=]+)$/);
  const binding = match && decodeBase64(match[2]);
  const proof = match && decodeBase64(match[4]);
  if (!match || !binding || !proof) throw new MalformedResponse("Expected SCRAM's last message");
  return { binding, nonce: match[3], proof, withoutProof: match[1] };
}

/** The one type of channel binding on offer. */
const SERVER_END_POINT = "tls-server-end-point";

/**
 * Who takes mechanisms out of the server's list must not get away with it: a client that could
 * have bound the channel, and thinks that the server cannot, says `y`.
 *
 * @see RFC 5802 §6
 */
function bindingFault(
  flag: BindingFlag,
  plus: boolean,
  channel: SaslChannel,
): string | undefined {
  if (typeof flag === "object") {
    if (!plus) return "channel binding without -PLUS";
    return flag.type === SERVER_END_POINT ? undefined : "an unknown type of channel binding";
  }
  if (plus) return "-PLUS without channel binding";
  if (flag === "n" || channel.serverEndPoint === undefined) return undefined;
  return "the client was not shown -PLUS, which is offered: somebody may be in between";
}

/** What the client's `c=` must be. */
function boundTo({ header, binding }: ClientFirst, channel: SaslChannel): Uint8Array {
  const end = typeof binding === "object" ? channel.serverEndPoint ?? [] : [];
  return Uint8Array.of(...utf8(header), ...end);
}

/** Whether `proof` shows that the client knows the password of `keys`. @see RFC 5802 §3 */
async function proves(keys: ScramKeys, message: string, proof: Uint8Array): Promise<boolean> {
  const signature = await scramHmac(keys.hash, keys.storedKey, message);
  const clientKey = signature.map((octet, i) => octet ^ (proof[i] ?? 0));
  const stored = await scramDigest(keys.hash, clientKey);
  return equalBytes(stored, keys.storedKey) && proof.length === signature.length;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

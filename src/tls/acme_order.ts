/** Has a certificate made: order, proof of each name, request, download. @see RFC 8555 §7.4 */

import type { KeyObject } from "node:crypto";
import { type AcmeAnswer, type AcmeClient, field, problemOf } from "./acme_client.ts";
import type { Responder } from "./acme_challenge.ts";
import { base64url, keyAuthorization } from "./jws.ts";
import { makeRequest } from "./x509.ts";

export interface OrderOptions {
  /** DNS names. */
  readonly names: readonly string[];
  /** The account's, which the proofs are made from. */
  readonly accountKey: KeyObject;
  /** The certificate's. */
  readonly key: KeyObject;
  readonly responder: Responder;
  /** Resolves after so many milliseconds; rejects when the work is to end. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

/** Milliseconds between two looks at what the CA is doing, where it names no time. */
const FIRST_LOOK = 1000;
const LATER_LOOKS = 5000;
const LONGEST_PAUSE = 60_000;
/** How often is looked before the CA is given up. */
const LOOKS = 60;

/**
 * Returns the certificate with its chain as PEM.
 *
 * @throws {AcmeProblem} when the CA refuses
 * @throws {Error} when it cannot be reached, or a challenge cannot be answered
 */
export async function orderCertificate(
  client: AcmeClient,
  options: OrderOptions,
): Promise<string> {
  const created = await client.newOrder(options.names);
  const url = created.location;
  if (url === undefined) throw new Error("The CA gave no URL for the order");
  for (const authorization of strings(created.json, "authorizations")) {
    await authorize(client, authorization, options);
  }
  const ready = await settled(client, url, ["pending"], options.wait);
  if (status(ready) === "ready") {
    const csr = base64url(makeRequest(options.names, options.key));
    await client.post(string(ready.json, "finalize"), { csr });
  }
  const order = await settled(client, url, ["ready", "processing"], options.wait);
  if (status(order) !== "valid") throw refusal(order, "order");
  return (await client.post(string(order.json, "certificate"))).text;
}

/** Proves one name, unless the CA still knows it from before. @see RFC 8555 §7.5.1 */
async function authorize(client: AcmeClient, url: string, options: OrderOptions): Promise<void> {
  const found = await client.post(url);
  if (status(found) === "valid") return;
  const { type, answer } = options.responder;
  const challenges = list(found.json, "challenges");
  const challenge = challenges.find((each) => field(each, "type") === type);
  const name = string(field(found.json, "identifier"), "value");
  if (challenge === undefined) {
    const offered = challenges.map((each) => field(each, "type")).join(", ");
    throw new Error(`The CA does not offer ${type} for ${name}, but ${offered || "nothing"}`);
  }
  const token = string(challenge, "token");
  const done = await answer({
    name,
    token,
    keyAuthorization: keyAuthorization(token, options.accountKey),
  });
  try {
    await client.post(string(challenge, "url"), {});
    const authorization = await settled(client, url, ["pending"], options.wait);
    if (status(authorization) !== "valid") {
      const failed = list(authorization.json, "challenges").find((each) => field(each, "error"));
      throw problemOf(field(failed, "error"), `${name} is ${status(authorization)}`);
    }
  } finally {
    await done();
  }
}

/** Looks at an order or authorization until its status is not one of `passing` any more. */
async function settled(
  client: AcmeClient,
  url: string,
  passing: readonly string[],
  wait: OrderOptions["wait"],
): Promise<AcmeAnswer> {
  for (let looks = 1; looks <= LOOKS; looks++) {
    const answer = await client.post(url);
    if (!passing.includes(status(answer))) return answer;
    const pause = answer.retryAfter ?? (looks < 10 ? FIRST_LOOK : LATER_LOOKS);
    await wait(Math.min(pause, LONGEST_PAUSE));
  }
  throw new Error(`The CA did not come to an end with ${url}`);
}

function refusal(order: AcmeAnswer, what: string) {
  return problemOf(field(order.json, "error"), `The ${what} is ${status(order)}`);
}

function status({ json }: AcmeAnswer): string {
  return string(json, "status");
}

function string(json: unknown, name: string): string {
  const value = field(json, name);
  if (typeof value === "string") return value;
  throw new Error(`Expected an answer of the CA with the text "${name}", got none`);
}

function list(json: unknown, name: string): readonly unknown[] {
  const value = field(json, name);
  return Array.isArray(value) ? value : [];
}

function strings(json: unknown, name: string): readonly string[] {
  return list(json, name).filter((each) => typeof each === "string");
}

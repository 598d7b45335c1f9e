/** The operation behind `imapd deliver`. */

import type { DeliveryOutcome, IncomingDelivery, Recipient } from "../delivery/delivery.ts";
import { WireForm } from "../message/wire_form.ts";
import type { AdminContext, OpenDelivery, Operation } from "./operation.ts";

/** Whom a message is for. Its octets are the input; lines may end in LF. */
export interface DeliverParams {
  /** Addresses, which `delivery_map` leads to accounts; or accounts' names without an `@`. */
  readonly recipients: readonly string[];
  /** The address that the message for the first of them was sent to, where that is another one. */
  readonly original?: string;
  /** "" is the null sender; absent: the message keeps the Return-Path that it has. */
  readonly sender?: string;
  /** In place of the one that the address asks for. INBOX where there is no such mailbox. */
  readonly mailbox?: string;
  /** The account is made if it is not there. */
  readonly create: boolean;
  /** Name of a storage block; the first one by default. */
  readonly storage?: string;
}

/** What came of it for one recipient. */
export type DeliverResult = DeliveryOutcome;

/** Stores one message. What is told as stored is durable. Yields in the order of recipients. */
export const deliver: Operation<DeliverParams, DeliverResult> = {
  async *run(context, params, input) {
    let outcomes: readonly DeliveryOutcome[];
    try {
      outcomes = await delivered(context, params, input);
    } finally {
      // Who still writes would hear only that the connection is gone.
      for await (const _ of input);
    }
    yield* outcomes;
  },
};

async function delivered(
  context: AdminContext,
  params: DeliverParams,
  input: AsyncIterable<unknown>,
): Promise<readonly DeliveryOutcome[]> {
  const delivery = await context.delivery(params.storage);
  try {
    const found: (Recipient | undefined)[] = [];
    for (const [i, name] of params.recipients.entries()) {
      const address = i === 0 ? params.original ?? name : name;
      found.push(await recipientOf(context, delivery, name, address, params));
    }
    const recipients = found.filter((each) => each !== undefined);
    const outcomes = recipients.length === 0
      ? []
      : [...await stored(delivery, recipients, params, input)];
    return found.map((each) => each && outcomes.shift() || UNKNOWN);
  } finally {
    await delivery.close();
  }
}

const UNKNOWN: DeliveryOutcome = {
  ok: false,
  reason: "no-account",
  permanent: true,
  text: "No such recipient here",
};

async function recipientOf(
  { storage }: AdminContext,
  delivery: OpenDelivery,
  name: string,
  address: string,
  params: DeliverParams,
): Promise<Recipient | undefined> {
  const { create } = params;
  const isAccount = !name.includes("@") && await storage(params.storage).exists(name);
  const found = isAccount
    ? { address, account: name, create }
    : await delivery.recipient(name, create);
  return found && { ...found, address, mailbox: params.mailbox ?? found.mailbox };
}

async function stored(
  delivery: OpenDelivery,
  recipients: readonly Recipient[],
  { sender }: DeliverParams,
  input: AsyncIterable<unknown>,
): Promise<readonly DeliveryOutcome[]> {
  const id = crypto.randomUUID().slice(0, 8);
  let incoming: IncomingDelivery | undefined;
  let octets = 0;
  const wireForm = new WireForm();
  try {
    for await (const piece of input) {
      if (!(piece instanceof Uint8Array)) throw new TypeError("Expected octets of a message");
      if (piece.length === 0) continue;
      incoming ??= await delivery.begin({
        sender,
        recipients,
        arrival: { id, time: Date.now() },
        fromMbox: true,
      });
      const wire = wireForm.push(piece);
      octets += wire.length;
      if (octets <= delivery.limit) await incoming.write(wire);
    }
  } catch (error) {
    await incoming?.abort();
    throw error;
  }
  if (octets > delivery.limit) {
    await incoming?.abort();
    return recipients.map(() => tooBig(delivery.limit));
  }
  return await incoming?.end() ?? recipients.map(() => NOTHING);
}

/** Nobody sends this: whoever should have written the message has died, and may do so again. */
const NOTHING: DeliveryOutcome = {
  ok: false,
  reason: "unavailable",
  permanent: false,
  text: "Expected a message, got no octets",
};

function tooBig(limit: number): DeliveryOutcome {
  const text = `Message is too big: the limit is ${limit} octets`;
  return { ok: false, reason: "too-big", permanent: true, text };
}

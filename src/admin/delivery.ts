/** The operation behind `imapd deliver`. */

import type { DeliveryOutcome, Recipient } from "../delivery/delivery.ts";
import { WireForm } from "../message/wire_form.ts";
import type { AdminContext, OpenDelivery, Operation } from "./operation.ts";

/** Whom a message is for. Its octets are the input; lines may end in LF. */
export interface DeliverParams {
  /** An address, which `delivery_map` leads to an account; or an account's name without an `@`. */
  readonly recipient: string;
  /** The address that the message was sent to, where that is another one. */
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

/** What came of it. */
export type DeliverResult = DeliveryOutcome;

/** Stores one message. What is told as stored is durable. */
export const deliver: Operation<DeliverParams, DeliverResult> = {
  async *run(context, params, input) {
    let outcome: DeliveryOutcome;
    try {
      outcome = await delivered(context, params, input);
    } finally {
      // Who still writes would hear only that the connection is gone.
      for await (const _ of input);
    }
    yield outcome;
  },
};

async function delivered(
  context: AdminContext,
  params: DeliverParams,
  input: AsyncIterable<unknown>,
): Promise<DeliveryOutcome> {
  const delivery = await context.delivery(params.storage);
  try {
    const recipient = await recipientOf(context, delivery, params);
    if (recipient !== undefined) return await stored(delivery, recipient, params, input);
    return { ok: false, reason: "no-account", permanent: true, text: "No such recipient here" };
  } finally {
    await delivery.close();
  }
}

async function recipientOf(
  { storage }: AdminContext,
  delivery: OpenDelivery,
  params: DeliverParams,
): Promise<Recipient | undefined> {
  const { recipient: name, original: address = name, create } = params;
  const isAccount = !name.includes("@") && await storage(params.storage).exists(name);
  const found = isAccount
    ? { address, account: name, create }
    : await delivery.recipient(name, create);
  return found && { ...found, address, mailbox: params.mailbox ?? found.mailbox };
}

async function stored(
  delivery: OpenDelivery,
  recipient: Recipient,
  { sender }: DeliverParams,
  input: AsyncIterable<unknown>,
): Promise<DeliveryOutcome> {
  const id = crypto.randomUUID().slice(0, 8);
  const incoming = await delivery.begin({
    sender,
    recipients: [recipient],
    arrival: { id, time: Date.now() },
    fromMbox: true,
  });
  const wireForm = new WireForm();
  try {
    for await (const piece of input) {
      if (!(piece instanceof Uint8Array)) throw new TypeError("Expected octets of a message");
      await incoming.write(wireForm.push(piece));
    }
  } catch (error) {
    await incoming.abort();
    throw error;
  }
  const [outcome] = await incoming.end();
  return outcome;
}

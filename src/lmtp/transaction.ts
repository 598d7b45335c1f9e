/** What a client has said of a message, from MAIL to the end of DATA. */

import type {
  Delivery,
  DeliveryFault,
  DeliveryOutcome,
  IncomingDelivery,
  Recipient,
} from "../delivery/delivery.ts";
import type { Arrival } from "../delivery/trace_fields.ts";
import { type Reply, reply } from "./reply.ts";

/** The transaction that MAIL began. */
export interface Transaction {
  readonly sender: string;
  readonly utf8: boolean;
  /** One for each RCPT that was accepted, in their order; an address may be there twice. */
  readonly recipients: Recipient[];
}

/** The message of a transaction while it comes. */
export class Reception {
  #octets = 0;
  #tooBig = false;

  private constructor(
    private readonly delivery: IncomingDelivery,
    private readonly transaction: Transaction,
    private readonly limit: number,
    private readonly id: string,
  ) {}

  /** @param limit octets of a message */
  static async begin(
    delivery: Delivery,
    transaction: Transaction,
    arrival: Arrival,
    limit: number,
  ): Promise<Reception> {
    const { sender, recipients } = transaction;
    const incoming = await delivery.begin({ sender, recipients, arrival });
    return new Reception(incoming, transaction, limit, arrival.id);
  }

  /** Octets that have come. */
  get octets(): number {
    return this.#octets;
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#octets += piece.length;
    if (this.#tooBig) return;
    if (this.#octets > this.limit) {
      this.#tooBig = true;
      await this.delivery.abort();
      return;
    }
    if (piece.length > 0) await this.delivery.write(piece);
  }

  /** One reply for each accepted RCPT, in their order. @see RFC 2033 §4.2 */
  async end(): Promise<readonly Reply[]> {
    if (this.#tooBig) return this.transaction.recipients.map(() => tooBig(this.limit));
    const outcomes = await this.delivery.end();
    return outcomes.map((outcome) => replyOf(outcome, this.id));
  }

  async abort(): Promise<void> {
    await this.delivery.abort();
  }
}

/** @see RFC 1870 §6 */
export function tooBig(limit: number): Reply {
  return reply(552, "5.3.4", `Message is too big: the limit is ${limit} octets`);
}

const FAULTS: Readonly<Record<DeliveryFault, { readonly code: number; readonly detail: string }>> =
  {
    "no-account": { code: 50, detail: "1.1" },
    "over-quota": { code: 52, detail: "2.2" },
    "no-room": { code: 52, detail: "3.1" },
    "too-big": { code: 52, detail: "3.4" },
    "unavailable": { code: 51, detail: "3.0" },
  };

function replyOf(outcome: DeliveryOutcome, id: string): Reply {
  if (outcome.ok) return reply(250, "2.0.0", `Saved as ${id}`);
  const { code, detail } = FAULTS[outcome.reason];
  const digit = outcome.permanent ? 5 : 4;
  return reply(digit * 100 + code, `${digit}.${detail}`, outcome.text);
}

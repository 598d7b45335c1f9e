/** The contract of delivery: from a recipient's address to a message in a mailbox. */

import type { Arrival } from "./trace_fields.ts";

/** Who gets mail for an address. */
export interface Recipient {
  /** As it was given. */
  readonly address: string;
  readonly account: string;
  /** What the address asks for; mail goes to INBOX where there is no such mailbox. */
  readonly mailbox?: string;
  /** The account is made if it is not there. */
  readonly create: boolean;
}

/** What is known of a message before it comes. */
export interface Envelope {
  /** Without angle brackets; "" is the null sender; absent: the message keeps its Return-Path. */
  readonly sender?: string;
  readonly recipients: readonly Recipient[];
  readonly arrival: Arrival;
  /** The message may have a line of an mbox file on top, which is dropped. */
  readonly fromMbox?: boolean;
}

/** Why a message was not stored. */
export type DeliveryFault =
  | "no-account" // there is none of that name, and none is made
  | "over-quota" // the account's own limit
  | "no-room" // the disk is full
  | "too-big" // for the disk, or for what may be delivered
  | "unavailable"; // the store fails

/** What came of a message for one recipient. */
export type DeliveryOutcome =
  | { readonly ok: true; readonly account: string; readonly mailbox: string; readonly uid: number }
  | {
    readonly ok: false;
    readonly reason: DeliveryFault;
    /** False: it may be tried again later. */
    readonly permanent: boolean;
    /** For whoever reads the MTA's log. */
    readonly text: string;
  };

/** A message on its way to its recipients; ends by {@link end} or {@link abort}. */
export interface IncomingDelivery {
  /** Takes a piece; never fails, as other recipients may still get the message. */
  write(piece: Uint8Array): Promise<void>;
  /** Stores the message. What is told as stored is durable. @returns in the order of recipients */
  end(): Promise<readonly DeliveryOutcome[]>;
  /** Forgets it, with no trace left. */
  abort(): Promise<void>;
}

/** Delivers into the accounts of one storage. */
export interface Delivery {
  /**
   * Who gets mail for `address`; undefined if nobody does.
   *
   * @param create whether accounts that are not there yet are recipients too
   * @throws {Error} when it cannot be found out now
   */
  recipient(address: string, create: boolean): Promise<Recipient | undefined>;
  /** Begins with a message. Recipients that are one mailbox get it once. */
  begin(envelope: Envelope): Promise<IncomingDelivery>;
}

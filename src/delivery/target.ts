/** One mailbox that gets a message. */

import type { Log, LogFields } from "../log.ts";
import { type Account, type IncomingMessage, type Store, StoreError } from "../store/store.ts";
import { mailboxOf } from "./address.ts";
import type { DeliveryFault, DeliveryOutcome, Recipient } from "./delivery.ts";

/** What all targets of a message share. */
export interface TargetContext {
  readonly store: Store;
  readonly log: Log;
  /** Whether mail for accounts over their quota is refused for good. */
  readonly refusesOverQuota: boolean;
}

const NO_FLAGS = { system: 0, keywords: [] } as const;

/** Stores one message in one mailbox. In turn: {@link open}, {@link write}, {@link finish}. */
export class Target {
  #account: Account | undefined;
  #incoming: IncomingMessage | undefined;
  #mailbox = "INBOX";
  #octets = 0;
  #failed: DeliveryOutcome & { readonly ok: false } | undefined;

  constructor(private readonly context: TargetContext, private readonly recipient: Recipient) {}

  /** @param trace header fields that come first. Never fails: see {@link finish}. */
  async open(trace: string): Promise<void> {
    const { store } = this.context;
    const { account: name, mailbox, create } = this.recipient;
    await this.#tried(async () => {
      // It may have been removed since it was found.
      if (!create && !await store.exists(name)) {
        this.#failed = failure("no-account", true, "No such recipient here");
        return;
      }
      this.#account = await store.account(name);
      this.#mailbox = mailboxIn(this.#account, mailbox);
      this.#incoming = await this.#account.receive(this.#mailbox);
      await this.#incoming.write(new TextEncoder().encode(trace));
    });
    this.#octets += trace.length;
  }

  /** Takes a piece. Never fails. */
  async write(piece: Uint8Array): Promise<void> {
    this.#octets += piece.length;
    if (this.#failed !== undefined) return;
    await this.#tried(async () => await this.#incoming?.write(piece));
  }

  /**
   * Stores the message. Once settled it is durable, if it is stored at all.
   *
   * @param fields for the log
   * @param started when the delivery began, by `performance.now()`
   */
  async finish(fields: LogFields, started: number): Promise<DeliveryOutcome> {
    const { account: name, address } = this.recipient;
    let uid = 0;
    await this.#tried(async () => {
      if (this.#account === undefined || this.#incoming === undefined) return;
      const message = { incoming: this.#incoming, flags: NO_FLAGS };
      const { uids } = await this.#account.append(this.#mailbox, [message]);
      uid = uids[0];
    });
    const mailbox = this.#mailbox;
    const ms = Math.round(performance.now() - started);
    const known = { account: name, mailbox, to: address, octets: this.#octets, ...fields, ms };
    if (this.#failed !== undefined) {
      const { reason, text } = this.#failed;
      this.context.log.warn("not delivered", { ...known, reason, error: text });
      return this.#failed;
    }
    this.context.log.info("delivered", { ...known, uid });
    return { ok: true, account: name, mailbox, uid };
  }

  /** Forgets the message, unless it is stored. */
  async abort(): Promise<void> {
    await this.#incoming?.abort();
  }

  async #tried(work: () => Promise<void>): Promise<void> {
    if (this.#failed !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.#failed = this.#failureOf(error);
      await this.#incoming?.abort();
    }
  }

  #failureOf(error: unknown): DeliveryOutcome & { readonly ok: false } {
    if (!(error instanceof StoreError)) {
      this.context.log.bug(error);
      return failure("unavailable", false, "The delivery failed");
    }
    // A full disk is nobody's quota, and will not stay full.
    if (error.code === "over-quota" && error.cause !== undefined) {
      return failure("no-room", false, error.message);
    }
    if (error.code === "over-quota") {
      return failure("over-quota", this.context.refusesOverQuota, error.message);
    }
    if (error.code === "too-big") return failure("too-big", true, error.message);
    return failure("unavailable", false, error.message);
  }
}

/** The outcome of a message that was not stored. */
export function failure(
  reason: DeliveryFault,
  permanent: boolean,
  text: string,
): DeliveryOutcome & { readonly ok: false } {
  return { ok: false, reason, permanent, text };
}

/** Where mail for a mailbox goes: INBOX where there is none of that name. */
export function mailboxIn(account: Account, wanted: string | undefined): string {
  if (wanted === undefined) return "INBOX";
  const selectable = account.list().filter((each) => each.selectable);
  return mailboxOf(wanted, selectable.map(({ name }) => name)) ?? "INBOX";
}

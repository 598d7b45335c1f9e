/** {@link Delivery} into a store. */

import type { Log, LogFields } from "../log.ts";
import type { Normalization } from "../names/normalization.ts";
import type { Store } from "../store/store.ts";
import type { Table } from "../tables/table.ts";
import { addressText, type RecipientAddress, recipientAddress, withoutDetail } from "./address.ts";
import type {
  Delivery,
  DeliveryOutcome,
  Envelope,
  IncomingDelivery,
  Recipient,
} from "./delivery.ts";
import { HeaderFilter } from "./header_filter.ts";
import { Spool } from "./spool.ts";
import { failure, mailboxIn, Target, type TargetContext } from "./target.ts";
import { traceFields } from "./trace_fields.ts";

/** Copies of a message that are stored at a time. */
const AT_ONCE = 8;

/** Settings of a {@link StoreDelivery}. */
export interface StoreDeliveryOptions {
  readonly store: Store;
  /** From an address in its normal form to an account. */
  readonly map: Table;
  readonly normalize: Normalization;
  /** Between a user's name and a mailbox, such as "+"; "" if there is none. */
  readonly separator: string;
  readonly refusesOverQuota: boolean;
  /** Why no account can have this name; undefined if one can. */
  readonly accountFault: (name: string) => string | undefined;
  /** This server's name, for Received. */
  readonly hostname: string;
  /** Folder for messages that come to several mailboxes. */
  readonly spoolFolder: string;
  readonly log: Log;
}

/** Finds accounts by addresses, and stores messages in them. */
export class StoreDelivery implements Delivery {
  constructor(private readonly options: StoreDeliveryOptions) {}

  /** As {@link Delivery} of the same settings, with lines of its own in the log. */
  logging(log: Log): StoreDelivery {
    return new StoreDelivery({ ...this.options, log });
  }

  async recipient(address: string, create: boolean): Promise<Recipient | undefined> {
    const parsed = recipientAddress(address);
    if (parsed === undefined) return undefined;
    if (!isPostmaster(parsed)) return await this.#find(address, parsed, create);
    const spellings = [
      { local: POSTMASTER },
      { local: POSTMASTER, domain: this.options.hostname },
    ];
    for (const making of create ? [false, true] : [false]) {
      for (const spelling of spellings) {
        const found = await this.#find(address, spelling, making);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  async #find(
    address: string,
    parsed: RecipientAddress,
    create: boolean,
  ): Promise<Recipient | undefined> {
    const whole = await this.#accountOf(addressText(parsed));
    if (whole?.exists) return { address, account: whole.name, create };
    const cut = withoutDetail(parsed, this.options.separator);
    const base = cut && await this.#accountOf(addressText(cut.base));
    const found = base ?? whole;
    if (found === undefined || !found.exists && !create) return undefined;
    return { address, account: found.name, mailbox: base && (cut?.detail || undefined), create };
  }

  async begin(envelope: Envelope): Promise<IncomingDelivery> {
    const { options } = this;
    const { copies, copyOf } = await this.#copies(envelope.recipients);
    const targets = copies.map((recipient) => new Target(options, recipient));
    const traces = copies.map(({ address }) =>
      traceFields(envelope.sender, address, options.hostname, envelope.arrival)
    );
    if (targets.length > 1) {
      return new Incoming(options, envelope, copyOf, new Spooled(options, targets, traces));
    }
    await targets[0].open(traces[0]);
    return new Incoming(options, envelope, copyOf, new Direct(targets[0]));
  }

  /** One recipient for each mailbox that gets the message, and which of them each one has. */
  async #copies(recipients: readonly Recipient[]): Promise<Copies> {
    const copies: Recipient[] = [];
    const byPlace = new Map<string, number>();
    const copyOf: number[] = [];
    for (const recipient of recipients) {
      const { account } = recipient;
      const alone = recipients.every((each) =>
        each.account !== account || each.mailbox === recipient.mailbox
      );
      // Where the address of a mailbox that is not there leads to INBOX, it is INBOX's.
      const place = JSON.stringify([account, alone || await this.#mailboxOf(recipient)]);
      const copy = byPlace.get(place) ?? copies.push(recipient) - 1;
      byPlace.set(place, copy);
      copyOf.push(copy);
    }
    return { copies, copyOf };
  }

  async #mailboxOf({ account: name, mailbox, create }: Recipient): Promise<string> {
    const { store } = this.options;
    if (mailbox === undefined) return "INBOX";
    try {
      if (!create && !await store.exists(name)) return "INBOX";
      return mailboxIn(await store.account(name), mailbox);
    } catch {
      // The target fails for the same reason, and tells it.
      return "INBOX";
    }
  }

  async #accountOf(address: string): Promise<{ name: string; exists: boolean } | undefined> {
    const { map, normalize, store, accountFault } = this.options;
    // Normal forms of addresses have none for this one, which needs no domain.
    const key = normalize(address) ?? (address === POSTMASTER ? address : undefined);
    const name = key === undefined ? undefined : await map.lookup(key);
    if (name === undefined || accountFault(name) !== undefined) return undefined;
    return { name, exists: await store.exists(name) };
  }
}

/** Whoever answers for this server has mail to this name, in whatever case. @see RFC 5321 §4.5.1 */
const POSTMASTER = "postmaster";

function isPostmaster({ local, domain }: RecipientAddress): boolean {
  return domain === undefined && local.toLowerCase() === POSTMASTER;
}

interface Copies {
  readonly copies: readonly Recipient[];
  /** By the recipient's index, that of its copy. */
  readonly copyOf: readonly number[];
}

/** Where the octets of a message go. */
interface Sink {
  write(piece: Uint8Array): Promise<void>;
  /** One outcome for each copy. */
  finish(fields: LogFields, started: number): Promise<readonly DeliveryOutcome[]>;
  abort(): Promise<void>;
}

class Incoming implements IncomingDelivery {
  readonly #filter: HeaderFilter;
  readonly #started = performance.now();

  constructor(
    private readonly context: TargetContext,
    private readonly envelope: Envelope,
    private readonly copyOf: readonly number[],
    private readonly sink: Sink,
  ) {
    this.#filter = new HeaderFilter({
      dropMboxLine: envelope.fromMbox ?? false,
      dropReturnPath: envelope.sender !== undefined,
    });
  }

  async write(piece: Uint8Array): Promise<void> {
    const kept = this.#filter.push(piece);
    if (kept.length > 0) await this.sink.write(kept);
  }

  async end(): Promise<readonly DeliveryOutcome[]> {
    const rest = this.#filter.end();
    if (rest.length > 0) await this.sink.write(rest);
    const outcomes = await this.sink.finish({
      from: this.envelope.sender,
      message_id: this.#filter.messageId,
    }, this.#started);
    return this.copyOf.map((copy) => outcomes[copy]);
  }

  async abort(): Promise<void> {
    this.context.log.debug("message forgotten", { from: this.envelope.sender });
    await this.sink.abort();
  }
}

/** One mailbox gets the message while it comes. */
class Direct implements Sink {
  constructor(private readonly target: Target) {}

  write(piece: Uint8Array): Promise<void> {
    return this.target.write(piece);
  }

  async finish(fields: LogFields, started: number): Promise<readonly DeliveryOutcome[]> {
    return [await this.target.finish(fields, started)];
  }

  abort(): Promise<void> {
    return this.target.abort();
  }
}

/** Several mailboxes get the message after it has come, so that they need no memory of their own. */
class Spooled implements Sink {
  readonly #spool: Spool;
  #broken: unknown;

  constructor(
    private readonly options: StoreDeliveryOptions,
    private readonly targets: readonly Target[],
    private readonly traces: readonly string[],
  ) {
    this.#spool = new Spool(options.spoolFolder);
  }

  async write(piece: Uint8Array): Promise<void> {
    if (this.#broken !== undefined) return;
    try {
      await this.#spool.write(piece);
    } catch (error) {
      this.#broken = error;
      this.options.log.error("message cannot be spooled", { error: String(error) });
    }
  }

  async finish(fields: LogFields, started: number): Promise<readonly DeliveryOutcome[]> {
    const outcomes: DeliveryOutcome[] = [];
    const waiting = [...this.targets.entries()];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [i, target] = next;
        outcomes[i] = await this.#store(
          target,
          this.traces[i],
          (each) => each.finish(fields, started),
        );
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } finally {
      this.#spool.close();
    }
    return outcomes;
  }

  abort(): Promise<void> {
    this.#spool.close();
    return Promise.resolve();
  }

  async #store(
    target: Target,
    trace: string,
    finish: (target: Target) => Promise<DeliveryOutcome>,
  ): Promise<DeliveryOutcome> {
    if (this.#broken !== undefined) return failure("no-room", false, "The message cannot be kept");
    await target.open(trace);
    try {
      for await (const piece of this.#spool.read()) await target.write(piece);
    } catch (error) {
      await target.abort();
      this.options.log.error("spooled message cannot be read", { error: String(error) });
      return failure("unavailable", false, "The message cannot be read again");
    }
    return await finish(target);
  }
}

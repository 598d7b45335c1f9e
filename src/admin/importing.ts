/** Operations that take in mail from elsewhere. */

import { type Account, type ForeignUids, type NewMessage, StoreError } from "../store/store.ts";
import type { AccountParams } from "./lookup.ts";
import { AdminError, type Operation } from "./operation.ts";
import type { FlagsItem, MailboxItem, MessageItem, TransferItem } from "./transfer_items.ts";

/** Messages in one append: enough that the disk is waited for seldom. */
const BATCH_MESSAGES = 400;
const BATCH_OCTETS = 32 * 1024 * 1024;

/** Which mailbox is asked about. */
export interface KnownParams extends AccountParams {
  readonly mailbox: string;
}

/** A message that was taken in before. */
export interface KnownMessage {
  readonly key: string;
  readonly unchanged: boolean;
}

/** Of the keys in the input, those that the mailbox took in before. Makes nothing. */
export const knownMessages: Operation<KnownParams, KnownMessage> = {
  async *run({ storage }, params, input) {
    const store = storage(params.storage);
    if (!await store.exists(params.account)) return;
    const account = await store.account(params.account);
    await account.refresh();
    if (!account.info(params.mailbox)?.selectable) return;
    for await (const keys of input) {
      const found = await account.taken(params.mailbox, keys as readonly string[]);
      for (const [key, { unchanged }] of found) yield { key, unchanged };
    }
  },
};

/** What became of the stream so far. */
export type ImportResult =
  | {
    readonly kind: "mailbox";
    readonly name: string;
    readonly created: boolean;
    /** Why the mailbox cannot have the UIDVALIDITY and UIDs of its origin. */
    readonly lostUids?: string;
  }
  | {
    readonly kind: "stored";
    readonly messages: number;
    readonly octets: number;
    /** Messages whose UID could not be kept. */
    readonly renumbered: number;
    /** Messages that were there already. */
    readonly known: number;
  }
  | { readonly kind: "flags"; readonly updated: number }
  | {
    readonly kind: "failed";
    readonly mailbox: string;
    readonly key?: string;
    readonly reason: string;
  };

/**
 * Stores a stream of {@link TransferItem}, some hundred messages at a time. What it has told of is
 * durable; what was taken in before is not taken in again, and nothing is removed.
 */
export const importMessages: Operation<AccountParams, ImportResult> = {
  async *run({ storage }, params, input) {
    const account = await storage(params.storage).account(params.account);
    await account.refresh();
    const taking = new Taking(account);
    try {
      for await (const item of input as AsyncIterable<TransferItem>) yield* taking.take(item);
      yield* taking.leave();
    } finally {
      await taking.abort();
    }
  },
};

interface Arrived {
  readonly item: MessageItem;
  readonly incoming: NewMessage["incoming"];
  octets: number;
}

/** The state between two items of a stream. */
class Taking {
  readonly #account: Account;
  #mailbox: string | undefined;
  #uids: ForeignUids | undefined;
  #keepsUids = false;
  /** The mailbox cannot be made: what is for it is dropped. */
  #dropping = false;
  #batch: Arrived[] = [];
  #flags: FlagsItem[] = [];
  #octets = 0;
  #arriving: Arrived | undefined;

  constructor(account: Account) {
    this.#account = account;
  }

  async *take(item: TransferItem): AsyncGenerator<ImportResult, void> {
    const entering = !(item instanceof Uint8Array) && item.kind === "mailbox";
    if (this.#dropping && !entering) return;
    if (item instanceof Uint8Array) return await this.#write(item);
    switch (item.kind) {
      case "mailbox":
        yield* this.leave();
        return yield* this.#enter(item);
      case "message":
        this.#arriving = {
          item,
          incoming: await this.#account.receive(this.#name()),
          octets: 0,
        };
        return;
      case "end":
        this.#complete();
        break;
      case "broken":
        return yield await this.#broken(item.reason);
      case "flags":
        this.#flags.push(item);
    }
    const count = Math.max(this.#batch.length, this.#flags.length);
    if (count >= BATCH_MESSAGES || this.#octets >= BATCH_OCTETS) yield* this.#flush();
  }

  /** Stores what is left of the mailbox. Its UIDNEXT is raised last: below it no UID can be kept. */
  async *leave(): AsyncGenerator<ImportResult, void> {
    yield* this.#flush();
    if (this.#keepsUids && this.#uids !== undefined) {
      await this.#account.adoptUids(this.#name(), this.#uids);
    }
    this.#uids = undefined;
  }

  async *#flush(): AsyncGenerator<ImportResult, void> {
    if (this.#batch.length > 0) yield* this.#append();
    if (this.#flags.length > 0) yield* this.#update();
  }

  /** Forgets what is not stored. */
  async abort(): Promise<void> {
    const open = this.#arriving === undefined ? this.#batch : [...this.#batch, this.#arriving];
    this.#batch = [];
    this.#arriving = undefined;
    for (const { incoming } of open) await incoming.abort();
  }

  #name(): string {
    if (this.#mailbox !== undefined) return this.#mailbox;
    throw new AdminError("Expected a mailbox before its messages, got none");
  }

  async *#enter(
    { name, specialUse, subscribed, uids }: MailboxItem,
  ): AsyncGenerator<ImportResult, void> {
    const created = !this.#account.info(name)?.selectable;
    this.#dropping = false;
    try {
      if (created) await this.#create(name, specialUse);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "bad-name") throw error;
      this.#dropping = true;
      return yield { kind: "failed", mailbox: name, reason: error.message };
    }
    if (subscribed) await this.#account.subscribe(name);
    this.#keepsUids = uids !== undefined &&
      await this.#account.adoptUids(name, { uidValidity: uids.uidValidity });
    this.#uids = uids;
    this.#mailbox = name;
    const lostUids = uids !== undefined && !this.#keepsUids
      ? "The mailbox has had other UIDs here"
      : undefined;
    yield { kind: "mailbox", name, created, lostUids };
  }

  async #create(name: string, specialUse: MailboxItem["specialUse"]): Promise<void> {
    const uses = new Set(this.#account.list().flatMap((info) => info.specialUse));
    await this.#account.create(name, specialUse.filter((use) => !uses.has(use)));
  }

  async #write(octets: Uint8Array): Promise<void> {
    if (this.#arriving === undefined) throw new AdminError("Expected a message before its octets");
    this.#arriving.octets += octets.length;
    await this.#arriving.incoming.write(octets);
  }

  #complete(): void {
    if (this.#arriving === undefined) throw new AdminError("Expected a message before its end");
    this.#octets += this.#arriving.octets;
    this.#batch.push(this.#arriving);
    this.#arriving = undefined;
  }

  async #broken(reason: string): Promise<ImportResult> {
    const arriving = this.#arriving;
    this.#arriving = undefined;
    await arriving?.incoming.abort();
    return { kind: "failed", mailbox: this.#name(), key: arriving?.item.key, reason };
  }

  async *#append(): AsyncGenerator<ImportResult, void> {
    const mailbox = this.#name();
    const all = this.#batch;
    const known = await this.#account.taken(mailbox, all.map(({ item }) => item.key));
    const fresh: Arrived[] = [];
    const keys = new Set(known.keys());
    for (const arrived of all) {
      if (keys.has(arrived.item.key)) await arrived.incoming.abort();
      else fresh.push(arrived);
      keys.add(arrived.item.key);
    }
    try {
      const renumbered = await this.#store(mailbox, fresh);
      const octets = fresh.reduce((sum, one) => sum + one.octets, 0);
      const again = all.length - fresh.length;
      yield { kind: "stored", messages: fresh.length, octets, renumbered, known: again };
    } catch (error) {
      // What the store refuses for good; of a full disk or a lost mailbox the rest would fail, too.
      if (!(error instanceof StoreError) || error.code !== "too-many") throw error;
      for (const { item } of fresh) {
        yield { kind: "failed", mailbox, key: item.key, reason: error.message };
      }
    } finally {
      this.#batch = [];
      this.#octets = 0;
    }
  }

  /** @returns how many got another UID than they had */
  async #store(mailbox: string, fresh: readonly Arrived[]): Promise<number> {
    if (fresh.length === 0) return 0;
    const messages = fresh.map(({ incoming, item: { key, uid, flags, date } }) => ({
      incoming,
      key,
      flags,
      date,
      uid: this.#keepsUids ? uid : undefined,
    }));
    const { uids } = await this.#account.append(mailbox, messages);
    return fresh.filter(({ item }, i) => item.uid !== undefined && item.uid !== uids[i]).length;
  }

  async *#update(): AsyncGenerator<ImportResult, void> {
    const name = this.#name();
    const items = this.#flags;
    this.#flags = [];
    const known = await this.#account.taken(name, items.map(({ key }) => key));
    const mailbox = await this.#account.open(name);
    let updated = 0;
    try {
      await mailbox.refresh();
      const { uids, flags, keywordSets, count } = mailbox.messages;
      const indexes = new Map(Array.from(uids.subarray(0, count), (uid, i) => [uid, i]));
      for (const { key, flags: wanted } of items) {
        const taken = known.get(key);
        const index = taken?.unchanged ? indexes.get(taken.uid) : undefined;
        if (taken === undefined || index === undefined) continue;
        const has = mailbox.keywordSet(keywordSets[index]);
        if (flags[index] === wanted.system && sameWords(has, wanted.keywords)) continue;
        await mailbox.store([taken.uid], { mode: "replace", ...wanted });
        updated++;
      }
    } finally {
      mailbox.close();
    }
    yield { kind: "flags", updated };
  }
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  const folded = (words: readonly string[]) =>
    [...new Set(words.map((word) => word.toLowerCase()))].sort().join(" ");
  return folded(a) === folded(b);
}

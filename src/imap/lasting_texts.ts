/** What FETCH answers of messages and what never changes, kept in memory as it goes over the wire. */

import type { CachedItems, Mailbox, MessageColumns } from "../store/store.ts";
import { lowerBound } from "../wire/number_set.ts";

interface Keyed {
  /** Items with the same key have the same texts. */
  readonly key: string;
}

/** An item whose text is the same as long as its message is there. */
export interface LastingItem extends Keyed {
  readonly cached: readonly (keyof CachedItems)[];
  readonly textOf: (cached: Partial<CachedItems>) => string;
}

/** What is asked of a mailbox. */
export type TextSource = Pick<Mailbox, "messages" | "cached">;

/** Messages of a block, about: what is read, kept and forgotten at once. */
const BLOCK = 512;

/** UIDs of a block for each message, at most: where they lie apart it has fewer messages. */
const MOST_SPARSE = 4;

/** Less than this part of a block is read by itself, where the block is not kept. */
const SMALL_PART = 4;

/** Octets of a block besides its text, for each message. */
const PER_MESSAGE = 8;

/** Texts of one item, of messages with UIDs that are close together. */
export class TextBlock {
  readonly #uids: Uint32Array;
  /** The text of message `n` begins here, and ends where the next one begins. */
  readonly #starts: Uint32Array;
  readonly #text: string;
  /** Where the text that was asked for last lies: mostly it is the next one's turn. */
  #next = 0;

  constructor(uids: Uint32Array, texts: readonly string[]) {
    this.#uids = uids;
    this.#starts = new Uint32Array(texts.length + 1);
    for (let at = 0; at < texts.length; at++) {
      this.#starts[at + 1] = this.#starts[at] + texts[at].length;
    }
    this.#text = texts.join("");
  }

  get octets(): number {
    return this.#text.length + this.#uids.length * PER_MESSAGE;
  }

  /** The text of a message; undefined if it is not there. */
  of(uid: number): string | undefined {
    const at = this.#placeOf(uid);
    return at < 0 ? undefined : this.#text.substring(this.#starts[at], this.#starts[at + 1]);
  }

  has(uid: number): boolean {
    return this.#placeOf(uid) >= 0;
  }

  #placeOf(uid: number): number {
    const uids = this.#uids;
    let at = this.#next;
    if (uids[at] !== uid) {
      at = lowerBound(uids, uids.length, uid);
      if (at === uids.length || uids[at] !== uid) return -1;
    }
    this.#next = at + 1;
    return at;
  }
}

/** The blocks of one mailbox. */
interface MailboxTexts {
  /** UIDs of a block. */
  readonly span: number;
  readonly blocks: Map<string, TextBlock>;
}

/** Texts of all mailboxes, for all sessions, up to a number of octets: those not used for longest go. */
export class LastingTexts {
  readonly #mailboxes = new WeakMap<MessageColumns, MailboxTexts>();
  /** Blocks by the maps that they are in, those used last at the end. */
  readonly #used = new Map<TextBlock, { readonly of: MailboxTexts; readonly name: string }>();
  readonly #budget: number;
  #octets = 0;

  constructor(budget = 64 * 1024 * 1024) {
    this.#budget = budget;
  }

  /** Cuts ascending UIDs into runs that each lie in one block. */
  *runs(uids: readonly number[], { messages }: TextSource): Generator<readonly number[]> {
    const { span } = this.#textsOf(messages);
    for (let start = 0; start < uids.length;) {
      const limit = (Math.floor(uids[start] / span) + 1) * span;
      let end = start + 1;
      while (end < uids.length && uids[end] < limit) end++;
      yield uids.slice(start, end);
      start = end;
    }
  }

  /**
   * For each item a block that has its texts of these messages, but for messages that are gone.
   *
   * @param uids a run of {@link runs}
   */
  async of(
    items: readonly LastingItem[],
    uids: readonly number[],
    mailbox: TextSource,
  ): Promise<readonly TextBlock[]> {
    const blocks = this.#blocks(items, uids, mailbox);
    const lacking = items.filter((_, at) => blocks[at] === undefined);
    if (lacking.length === 0) return blocks as TextBlock[];
    const whole = this.#rangeOf(uids, mailbox);
    const most = isMost(uids, whole, mailbox.messages);
    const range = most ? whole : { first: uids[0], last: uids[uids.length - 1] };
    const made = await read(lacking, range, mailbox);
    if (most) this.#keep(lacking, made, uids, mailbox);
    return items.map((item, at) => blocks[at] ?? made[lacking.indexOf(item)]);
  }

  /** Blocks with the texts of all these messages, if there is one for each item. */
  find(
    items: readonly Keyed[],
    uids: readonly number[],
    mailbox: TextSource,
  ): readonly TextBlock[] | undefined {
    const blocks = this.#blocks(items, uids, mailbox);
    return blocks.every((block) => block !== undefined) ? blocks : undefined;
  }

  /**
   * Keeps texts that were made of these messages, if they are worth it.
   *
   * @param texts of each item in the order of `uids`
   * @param uids messages of one run of {@link runs}
   */
  keep(
    items: readonly Keyed[],
    texts: readonly (readonly string[])[],
    uids: readonly number[],
    mailbox: TextSource,
  ): void {
    if (uids.length === 0) return;
    if (!isMost(uids, this.#rangeOf(uids, mailbox), mailbox.messages)) return;
    const all = Uint32Array.from(uids);
    this.#keep(items, texts.map((of) => new TextBlock(all, of)), uids, mailbox);
  }

  #rangeOf(uids: readonly number[], { messages }: TextSource): UidRange {
    const { span } = this.#textsOf(messages);
    const first = Math.floor(uids[0] / span) * span;
    return { first: Math.max(1, first), last: first + span - 1 };
  }

  #textsOf(messages: MessageColumns): MailboxTexts {
    let texts = this.#mailboxes.get(messages);
    if (texts === undefined) {
      const { uids, count } = messages;
      const spread = count === 0 ? 1 : (uids[count - 1] - uids[0] + 1) / count;
      const span = BLOCK * Math.min(MOST_SPARSE, Math.ceil(spread));
      this.#mailboxes.set(messages, texts = { span, blocks: new Map() });
    }
    return texts;
  }

  #blocks(
    items: readonly Keyed[],
    uids: readonly number[],
    mailbox: TextSource,
  ): (TextBlock | undefined)[] {
    const { blocks } = this.#textsOf(mailbox.messages);
    const { first } = this.#rangeOf(uids, mailbox);
    return items.map(({ key }) => {
      const block = blocks.get(`${first} ${key}`);
      // It may be from before some of them arrived, or were read.
      if (block === undefined || !uids.every((uid) => block.has(uid))) return undefined;
      const place = this.#used.get(block);
      if (place !== undefined) {
        this.#used.delete(block);
        this.#used.set(block, place);
      }
      return block;
    });
  }

  #keep(
    items: readonly Keyed[],
    blocks: readonly TextBlock[],
    uids: readonly number[],
    mailbox: TextSource,
  ): void {
    const texts = this.#textsOf(mailbox.messages);
    const { first } = this.#rangeOf(uids, mailbox);
    for (const [at, block] of blocks.entries()) {
      this.#keepOne(texts, `${first} ${items[at].key}`, block);
    }
  }

  #keepOne(texts: MailboxTexts, name: string, block: TextBlock): void {
    this.#forget(texts.blocks.get(name));
    for (const [oldest, { of }] of this.#used) {
      if (this.#octets + block.octets <= this.#budget) break;
      // Who goes through a mailbox that is too large would find only what it is about to forget.
      if (of === texts) return;
      this.#forget(oldest);
    }
    if (this.#octets + block.octets > this.#budget) return;
    texts.blocks.set(name, block);
    this.#used.set(block, { of: texts, name });
    this.#octets += block.octets;
  }

  #forget(block: TextBlock | undefined): void {
    const place = block && this.#used.get(block);
    if (block === undefined || place === undefined) return;
    this.#used.delete(block);
    place.of.blocks.delete(place.name);
    this.#octets -= block.octets;
  }
}

interface UidRange {
  readonly first: number;
  readonly last: number;
}

/** Whether so many of a block are wanted that it pays to read the rest too. */
function isMost(
  uids: readonly number[],
  { first, last }: UidRange,
  { uids: all, count }: MessageColumns,
) {
  const there = lowerBound(all, count, last + 1) - lowerBound(all, count, first);
  return uids.length * SMALL_PART >= there;
}

async function read(
  items: readonly LastingItem[],
  { first, last }: UidRange,
  mailbox: TextSource,
): Promise<readonly TextBlock[]> {
  const keys = [...new Set(items.flatMap(({ cached }) => cached))];
  const rows = await mailbox.cached(keys, first, last);
  const uids = Uint32Array.from(rows, ({ uid }) => uid);
  return items.map(({ textOf }) => new TextBlock(uids, rows.map(textOf)));
}

import assert from "node:assert/strict";
import { type LastingItem, LastingTexts, type TextSource } from "../../src/imap/lasting_texts.ts";
import type { CachedItems, MessageColumns } from "../../src/store/store.ts";

const ENVELOPE: LastingItem = {
  key: "ENVELOPE",
  cached: ["envelope"],
  textOf: ({ envelope }) => `ENVELOPE ${envelope}`,
};
const HEADER: LastingItem = {
  key: "HEADER",
  cached: ["header"],
  textOf: ({ header }) => `HEADER ${header}`,
};

/** A mailbox that counts how often it is read. */
class Box {
  reads: string[] = [];
  /** UIDs of messages that nobody has read yet. */
  readonly unread = new Set<number>();
  readonly messages: MessageColumns & { uids: Uint32Array; count: number };

  constructor(uids: readonly number[]) {
    this.messages = { uids: Uint32Array.from(uids), count: uids.length } as typeof this.messages;
  }

  set(uids: readonly number[]): void {
    Object.assign(this.messages, { uids: Uint32Array.from(uids), count: uids.length });
  }

  get source(): TextSource {
    const cached = (items: readonly (keyof CachedItems)[], first: number, last: number) => {
      this.reads.push(`${items} ${first}:${last}`);
      return Promise.resolve(
        [...this.messages.uids].filter((uid) => uid >= first && uid <= last)
          .filter((uid) => !this.unread.has(uid))
          .map((uid) => ({ uid, envelope: `(${uid})`, header: `H${uid}` })),
      );
    };
    return { messages: this.messages, cached: cached as unknown as TextSource["cached"] };
  }
}

async function textsOf(
  texts: LastingTexts,
  box: Box,
  uids: readonly number[],
  items: readonly LastingItem[] = [ENVELOPE],
): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (const run of texts.runs(uids, box.source)) {
    const blocks = await texts.of(items, run, box.source);
    for (const uid of run) found.push(blocks.map((block) => block.of(uid)).join(" "));
  }
  return found;
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

Deno.test("LastingTexts.of: reads a block once, whoever asks for it", async () => {
  const [texts, box] = [new LastingTexts(), new Box(range(1, 1000))];
  const all = await textsOf(texts, box, range(1, 1000));
  assert.deepEqual(all, range(1, 1000).map((uid) => `ENVELOPE (${uid})`));
  assert.deepEqual(box.reads, ["envelope 1:511", "envelope 512:1023"]);
  assert.deepEqual(await textsOf(texts, box, [7, 1000]), [
    "ENVELOPE (7)",
    "ENVELOPE (1000)",
  ]);
  assert.equal(box.reads.length, 2);
});

Deno.test("LastingTexts.of: reads only the items that it lacks", async () => {
  const [texts, box] = [new LastingTexts(), new Box(range(1, 100))];
  await textsOf(texts, box, range(1, 100));
  const [first] = await textsOf(texts, box, range(1, 100), [HEADER, ENVELOPE]);
  assert.equal(first, "HEADER H1 ENVELOPE (1)");
  assert.deepEqual(box.reads, ["envelope 1:511", "header 1:511"]);
});

Deno.test("LastingTexts.of: reads few messages by themselves and keeps nothing of them", async () => {
  const [texts, box] = [new LastingTexts(), new Box(range(1, 500))];
  for (let time = 0; time < 2; time++) await textsOf(texts, box, [10, 12]);
  assert.deepEqual(box.reads, ["envelope 10:12", "envelope 10:12"]);
});

Deno.test("LastingTexts.of: follows arrivals, expunges and messages that are read later", async () => {
  const [texts, box] = [new LastingTexts(), new Box(range(1, 100))];
  box.unread.add(50);
  await textsOf(texts, box, range(1, 49));
  box.unread.delete(50);
  assert.deepEqual(
    await textsOf(texts, box, [49, 50, 51]),
    range(49, 51).map((u) => `ENVELOPE (${u})`),
  );
  box.set([1, ...range(90, 101)]);
  assert.deepEqual(
    await textsOf(texts, box, [1, ...range(90, 101)]),
    [1, ...range(90, 101)].map((uid) => `ENVELOPE (${uid})`),
  );
  assert.equal(box.reads.length, 3);
  assert.deepEqual(await textsOf(texts, box, [1, 2, 101]), ["ENVELOPE (1)", "", "ENVELOPE (101)"]);
});

Deno.test("LastingTexts.of: keeps no more than its budget, and what is used", async () => {
  const texts = new LastingTexts(30_000);
  const [large, small] = [new Box(range(1, 5000)), new Box(range(1, 100))];
  await textsOf(texts, small, range(1, 100));
  for (let time = 0; time < 2; time++) {
    large.reads = [];
    const found = await textsOf(texts, large, range(1, 5000));
    assert.equal(found[4999], "ENVELOPE (5000)");
  }
  // Two blocks of it have room, and they stay although the others come by.
  assert.equal(large.reads.length, 8);
  assert.equal(large.reads[0], "envelope 1024:1535");
});

Deno.test("LastingTexts.runs: cuts where UIDs lie far apart, too", async () => {
  const uids = range(1, 100).map((at) => at * 1_000_000);
  const [texts, box] = [new LastingTexts(), new Box(uids)];
  assert.deepEqual(await textsOf(texts, box, uids), uids.map((uid) => `ENVELOPE (${uid})`));
  assert.equal([...texts.runs([4294967295], box.source)].length, 1);
});

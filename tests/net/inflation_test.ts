import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from "node:zlib";
import { deflated } from "../../src/net/deflated.ts";
import { Inflation } from "../../src/net/inflation.ts";

/** Reads all that comes out of an inflation, piece by piece. */
class Reader {
  readonly socket: Socket = new PassThrough() as unknown as Socket;
  readonly pieces: Uint8Array[] = [];
  readonly inflation: Inflation;
  error: Error | undefined;
  #wake: () => void = () => {};

  constructor(first: Uint8Array = new Uint8Array(0)) {
    this.inflation = new Inflation(this.socket, first, {
      bytes: (bytes) => {
        this.pieces.push(bytes);
        this.#wake();
      },
      failed: (error) => {
        this.error = error;
        this.#wake();
      },
    });
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString("latin1");
  }

  /** Asks for pieces until `enough`. */
  async until(enough: () => boolean): Promise<void> {
    while (!enough()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.inflation.resume();
      if (!enough()) await promise;
    }
  }
}

/** What a client's one lasting stream makes of some writes, each flushed by `flush`. */
async function stream(writes: readonly string[], flush: number): Promise<Buffer> {
  const deflate = createDeflateRaw();
  const out: Buffer[] = [];
  deflate.on("data", (bytes: Buffer) => out.push(bytes));
  for (const text of writes) {
    deflate.write(Buffer.from(text, "latin1"));
    await new Promise<void>((resolve) => deflate.flush(flush, () => resolve()));
  }
  deflate.destroy();
  return Buffer.concat(out);
}

const COMMANDS = Array.from(
  { length: 200 },
  (_, i) => `a${i} UID FETCH ${i * 7}:${i * 9} (UID FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO)])\r\n`,
);

for (const [name, flush] of [["sync", 2], ["full", 3], ["partial", 1]] as const) {
  for (const size of [1, 7, 100, 5000, 100_000]) {
    Deno.test(`Inflation: reads a stream with ${name} flushes in pieces of ${size}`, async () => {
      const packed = await stream(COMMANDS, flush);
      const reader = new Reader();
      for (let at = 0; at < packed.length; at += size) {
        reader.socket.push(packed.subarray(at, at + size));
      }
      const whole = COMMANDS.join("");
      await reader.until(() => reader.text.length >= whole.length || reader.error !== undefined);
      assert.equal(reader.error, undefined);
      assert.equal(reader.text, whole);
      reader.inflation.close();
    });
  }
}

Deno.test("Inflation: goes on after flushes that look like the middle of a block", async () => {
  // The mark stands within stored blocks, where it means nothing.
  const mark = "\x00\x00\xff\xff";
  const writes = Array.from({ length: 50 }, (_, i) => `${mark.repeat(i % 5)}${i}${mark}`);
  const stored = Buffer.concat(
    writes.map((text) =>
      deflateRawSync(Buffer.from(text, "latin1"), { level: 0, finishFlush: constants.Z_SYNC_FLUSH })
    ),
  );
  for (const size of [1, 3, 8, 9, 500]) {
    const reader = new Reader();
    for (let at = 0; at < stored.length; at += size) {
      reader.socket.push(stored.subarray(at, at + size));
    }
    await reader.until(() => reader.text.length >= writes.join("").length);
    assert.equal(reader.text, writes.join(""));
    reader.inflation.close();
  }
});

Deno.test("Inflation: reads megabytes, and what refers back to them", async () => {
  const line = Array.from({ length: 400 }, (_, i) => String((i * i * 7919) % 10_007)).join(" ");
  const writes = Array.from({ length: 600 }, (_, i) => `${i} ${line}\r\n`);
  const packed = await stream([...writes, "end\r\n", line, "again\r\n"], 2);
  const reader = new Reader(packed.subarray(0, 1000));
  reader.socket.push(packed.subarray(1000));
  await reader.until(() => reader.text.endsWith("again\r\n"));
  assert.equal(reader.text, [...writes, "end\r\n", line, "again\r\n"].join(""));
  reader.inflation.close();
});

Deno.test("Inflation: lets a bomb out only as fast as it is asked to", async () => {
  const bomb = deflateRawSync(Buffer.alloc(32 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
  const reader = new Reader(bomb);
  await reader.until(() => reader.pieces.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(reader.pieces.length <= 2, `got ${reader.pieces.length} pieces`);
  await reader.until(() => reader.pieces.length >= 64);
  assert.ok(reader.pieces.every(({ length }) => length <= 16 * 1024));
  reader.inflation.close();
});

Deno.test("Inflation: fails for what is no DEFLATE", async () => {
  const reader = new Reader(Buffer.from("a NOOP\r\nb NOOP\r\n"));
  await reader.until(() => reader.error !== undefined);
  assert.equal(reader.text, "");
});

Deno.test("Inflation.close: gives back what follows the flush of the last command", async () => {
  const packed = await stream(["a UNAUTHENTICATE\r\n"], 2);
  const reader = new Reader(Buffer.concat([packed, Buffer.from("b NOOP\r\n")]));
  await reader.until(() => reader.text !== "");
  assert.equal(reader.text, "a UNAUTHENTICATE\r\n");
  assert.equal(Buffer.from(reader.inflation.close()).toString(), "b NOOP\r\n");
});

Deno.test("Inflation.close: gives back what follows the end of the stream", async () => {
  const packed = deflateRawSync(Buffer.from("a UNAUTHENTICATE\r\n"));
  const reader = new Reader(Buffer.concat([packed, Buffer.from("b NOOP\r\n")]));
  await reader.until(() => reader.text !== "");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(reader.text, "a UNAUTHENTICATE\r\n");
  assert.equal(Buffer.from(reader.inflation.close()).toString(), "b NOOP\r\n");
});

Deno.test("deflated: is one stream, however much is written at once", () => {
  const texts = ["* OK first\r\n", "x".repeat(200_000), "* OK last\r\n"];
  const packed = Buffer.concat(texts.map((text) => deflated(Buffer.from(text))));
  const whole = inflateRawSync(Buffer.concat([packed, Buffer.from([0x03, 0x00])]));
  assert.equal(whole.toString(), texts.join(""));
});

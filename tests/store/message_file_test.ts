import assert from "node:assert/strict";
import * as fs from "node:fs";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { toWireForm } from "../../src/message/wire_form.ts";
import {
  digestFile,
  indexFile,
  openMessageFile,
  WHOLE_OCTETS,
} from "../../src/store/maildir/message_file.ts";
import { PIECE, PieceOffsets, WireOffsets } from "../../src/store/maildir/wire_offsets.ts";
import { type StoredMessage, StoreError, type StoreErrorCode } from "../../src/store/store.ts";

function makeFolder() {
  const path = Deno.makeTempDirSync({ prefix: "imapd-message-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function hasCode(code: StoreErrorCode) {
  return (error: unknown) =>
    error instanceof StoreError && error.code === code && !error.message.includes("/");
}

async function readRange(message: StoredMessage, start: number, end: number) {
  const pieces: Uint8Array[] = [];
  for await (const piece of message.read(start, end)) pieces.push(piece);
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Much faster than `deepEqual` for large arrays. */
function assertSame(got: Uint8Array, wanted: Uint8Array, what: string): void {
  assert.equal(got.length, wanted.length, what);
  assert.ok(got.every((byte, at) => byte === wanted[at]), what);
}

/** Bytes with many CRs and LFs in every order, the same in each run. */
function roughBytes(octets: number, alphabet = "\r\nab\n"): Uint8Array {
  let seed = 1;
  return Uint8Array.from({ length: octets }, () => {
    seed = (seed * 48271) % 0x7fffffff;
    return alphabet.charCodeAt(seed % alphabet.length);
  });
}

const ascii = (text: string) => new TextEncoder().encode(text);

Deno.test("openMessageFile gives a small message whole", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  Deno.writeTextFileSync(path, "Subject: x\r\n\r\nbody\r\n");
  const message = openMessageFile(path, { size: 20, bareLf: false });
  assert.deepEqual(message.whole, ascii("Subject: x\r\n\r\nbody\r\n"));
  assert.equal(message.size, 20);
  assert.deepEqual(await readRange(message, 14, 18), ascii("body"));
  assert.deepEqual(await readRange(message, 18, 100), ascii("\r\n"));
  assert.deepEqual(await readRange(message, 20, 30), ascii(""));
  message.close();
});

Deno.test("openMessageFile gives bare LFs as CRLF", () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  Deno.writeTextFileSync(path, "A: x\n\nbody\r\nend\n");
  const message = openMessageFile(path, { size: 19, bareLf: true });
  assert.deepEqual(message.whole, ascii("A: x\r\n\r\nbody\r\nend\r\n"));
});

Deno.test("openMessageFile reads the empty message", async () => {
  using folder = makeFolder();
  Deno.writeTextFileSync(`${folder.path}/a`, "");
  const message = openMessageFile(`${folder.path}/a`, { size: 0, bareLf: false });
  assert.equal(message.whole?.length, 0);
  assert.equal((await indexFile(`${folder.path}/a`)).size, 0);
});

Deno.test("openMessageFile reads any range of a large message", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  for (const bareLf of [false, true]) {
    const file = roughBytes(WHOLE_OCTETS + 3 * PIECE + 77, bareLf ? undefined : "abcd");
    const wire = toWireForm(file);
    Deno.writeFileSync(path, file);
    const known = { size: wire.length, bareLf };
    const offsets = new WireOffsets();
    const edge = fc.oneof(
      fc.nat(wire.length + 10),
      fc.constantFrom(0, 1, PIECE - 1, PIECE, PIECE + 1, wire.length - 1, wire.length),
    );
    await fc.assert(
      fc.asyncProperty(edge, edge, fc.boolean(), async (a, b, remember) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const message = openMessageFile(path, known, remember ? offsets : undefined);
        try {
          assert.equal(message.whole, undefined);
          assert.equal(message.size, wire.length);
          assertSame(
            await readRange(message, start, end),
            wire.slice(start, end),
            `${start} ${end}`,
          );
        } finally {
          message.close();
        }
      }),
      { numRuns: 30 },
    );
  }
});

Deno.test("openMessageFile keeps a CRLF that lies across two pieces", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const file = new Uint8Array(4 * PIECE).fill(65);
  file.set(ascii("\r\n"), PIECE - 1);
  file.set(ascii("\r"), 2 * PIECE - 1);
  file.set(ascii("\n"), 3 * PIECE);
  Deno.writeFileSync(path, file);
  const offsets = new WireOffsets();
  for (let run = 0; run < 2; run++) {
    const message = openMessageFile(path, { size: file.length + 1, bareLf: true }, offsets);
    assertSame(await readRange(message, 0, Infinity), toWireForm(file), "whole");
    assertSame(
      await readRange(message, PIECE - 1, PIECE + 2),
      ascii("\r\nA"),
      "around the first edge",
    );
    assertSame(
      await readRange(message, 3 * PIECE - 1, 3 * PIECE + 3),
      ascii("A\r\nA"),
      "around the added CR",
    );
    message.close();
  }
});

Deno.test("openMessageFile refuses a file of another size", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  for (const size of [100, WHOLE_OCTETS + 100]) {
    for (const [fileSize, bareLf] of [[size - 1, false], [size + 1, false], [size + 1, true]]) {
      Deno.writeFileSync(path, new Uint8Array(Number(fileSize)).fill(65));
      const known = { size, bareLf: Boolean(bareLf) };
      assert.throws(() => openMessageFile(path, known), hasCode("unreadable"));
    }
  }
  // A large file with bare LFs shows it only while it is read.
  for (const lines of [1, 3]) {
    const file = new Uint8Array(WHOLE_OCTETS + 100).fill(65).fill(10, 0, lines);
    Deno.writeFileSync(path, file);
    const message = openMessageFile(path, { size: file.length + 2, bareLf: true });
    await assert.rejects(readRange(message, 0, message.size), hasCode("unreadable"));
    message.close();
  }
});

Deno.test("openMessageFile notices a file that shrinks while it is read", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const file = new Uint8Array(WHOLE_OCTETS + 100).fill(65);
  Deno.writeFileSync(path, file);
  const message = openMessageFile(path, { size: file.length, bareLf: false });
  Deno.truncateSync(path, 1000);
  await assert.rejects(readRange(message, 0, message.size), hasCode("unreadable"));
  message.close();
});

Deno.test("openMessageFile refuses all but plain files, and waits for none", async () => {
  using folder = makeFolder();
  const path = (name: string) => `${folder.path}/${name}`;
  Deno.writeFileSync(path("file"), new Uint8Array(100));
  Deno.symlinkSync(path("file"), path("link"));
  Deno.mkdirSync(path("directory"));
  new Deno.Command("mkfifo", { args: [path("fifo")] }).outputSync();
  for (const name of ["link", "directory", "fifo"]) {
    for (const size of [0, 100, WHOLE_OCTETS + 1]) {
      const known = { size, bareLf: false };
      assert.throws(() => openMessageFile(path(name), known), hasCode("unreadable"), name);
    }
    await assert.rejects(indexFile(path(name)), hasCode("unreadable"), name);
  }
});

Deno.test("openMessageFile says when the message is gone", async () => {
  for (const size of [100, WHOLE_OCTETS + 1]) {
    const open = () => openMessageFile("/no/such/cur/a:2,", { size, bareLf: false });
    assert.throws(open, hasCode("message-gone"));
  }
  await assert.rejects(indexFile("/no/such/cur/a:2,"), hasCode("message-gone"));
});

Deno.test("openMessageFile goes on reading a message that was removed", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const file = roughBytes(WHOLE_OCTETS + 1, "abc");
  Deno.writeFileSync(path, file);
  const message = openMessageFile(path, { size: file.length, bareLf: false });
  Deno.removeSync(path);
  assertSame(await readRange(message, 0, message.size), file, "whole");
  message.close();
});

Deno.test("StoredMessage.close lets a read under way end, and no other begin", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const file = roughBytes(WHOLE_OCTETS + 1, "abc");
  Deno.writeFileSync(path, file);
  const message = openMessageFile(path, { size: file.length, bareLf: false });
  const pieces = message.read(0, message.size)[Symbol.asyncIterator]();
  const first = pieces.next();
  message.close();
  message.close();
  assertSame((await first).value, file.slice(0, PIECE), "first piece");
  await assert.rejects(pieces.next(), /closed/);
});

Deno.test("openMessageFile takes linear work for many small ranges", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const file = roughBytes(32 * PIECE, "abcdefgh\n");
  Deno.writeFileSync(path, file);
  const wire = toWireForm(file);
  const offsets = new WireOffsets();
  const opened = offsets.of("a", file.length);
  let starts = 0;
  for (let at = 0; at < wire.length; at += PIECE / 2) {
    const message = openMessageFile(path, { size: wire.length, bareLf: true }, offsets);
    assertSame(
      await readRange(message, at, at + PIECE / 2),
      wire.slice(at, at + PIECE / 2),
      `${at}`,
    );
    message.close();
    // The next range starts in a piece that is known, or right after it.
    const piece = opened.pieceAt(at + PIECE / 2);
    assert.ok(at + PIECE / 2 - opened.startOf(piece) <= 2 * PIECE);
    starts = Math.max(starts, piece);
  }
  assert.equal(starts, 32);
});

Deno.test("WireOffsets remembers the files used last, and none that changed", () => {
  const offsets = new WireOffsets();
  const first = offsets.of("first", 10);
  assert.equal(offsets.of("first", 10), first);
  assert.notEqual(offsets.of("first", 11), first);
  for (let i = 0; i < 31; i++) offsets.of(`other${i}`, 10);
  assert.notEqual(offsets.of("first", 10), first);
});

Deno.test("PieceOffsets learns pieces in turn only", () => {
  const offsets = new PieceOffsets();
  offsets.learn(1, new Uint8Array(5));
  assert.equal(offsets.pieceAt(1000), 0);
  offsets.learn(0, ascii("abc\r"));
  offsets.learn(0, ascii("again"));
  assert.equal(offsets.pieceAt(3), 0);
  assert.equal(offsets.pieceAt(4), 1);
  assert.equal(offsets.startOf(1), 4);
  assert.deepEqual([offsets.afterCr(0), offsets.afterCr(1)], [false, true]);
});

Deno.test("indexFile, digestFile: files of any size are summarised alike", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  const head = ascii("Subject: large\nDate: Mon, 7 Feb 1994 21:52:25 -0800\n\n");
  for (const octets of [10, PIECE - head.length, 3 * PIECE + 5]) {
    const file = new Uint8Array(head.length + octets).fill(65);
    file.set(head);
    Deno.writeFileSync(path, file);
    const summary = await indexFile(path);
    const { size, digest } = summary;
    assert.deepEqual(await digestFile(path), { size, digest });
    assert.equal(summary.size, toWireForm(file).length);
    assert.equal(summary.bareLf, true);
    assert.match(summary.envelope, /"large"/);
    assert.equal(summary.sentDay, 8803);
  }
});

Deno.test("indexFile lets the event loop turn while it reads a large file", async () => {
  using folder = makeFolder();
  const path = `${folder.path}/a`;
  fs.writeFileSync(path, roughBytes(256 * PIECE, "abc \n"));
  let turns = 0;
  let done = false;
  const turn = () => {
    turns++;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  await indexFile(path);
  done = true;
  assert.ok(turns > 1, `${turns} turns`);
});

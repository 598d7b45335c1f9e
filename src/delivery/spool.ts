/** A message that several accounts get, until all of it is there. */

import * as fs from "node:fs";
import { Buffer } from "node:buffer";

/** Octets that are kept in memory; a longer message goes to a file. */
const HELD_OCTETS = 256 * 1024;

const STEP = 64 * 1024;

/**
 * Keeps octets until they are read, as often as need be. Its file has no name, so nothing stays of
 * it however the process ends.
 */
export class Spool {
  readonly #folder: string;
  #held: Uint8Array[] = [];
  #octets = 0;
  #fd: number | undefined;

  /** @param folder where the file is made */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {Error} when there is no room */
  async write(piece: Uint8Array): Promise<void> {
    this.#octets += piece.length;
    if (this.#fd === undefined && this.#octets <= HELD_OCTETS) {
      this.#held.push(piece.slice());
      return;
    }
    if (this.#fd === undefined) {
      this.#fd = await openUnnamed(this.#folder);
      for (const each of this.#held) await writeAll(this.#fd, each);
      this.#held = [];
    }
    await writeAll(this.#fd, piece);
  }

  /** All that was written, in pieces. @throws {Error} when the file cannot be read */
  async *read(): AsyncGenerator<Uint8Array> {
    yield* this.#held;
    if (this.#fd === undefined) return;
    for (let at = 0; at < this.#octets;) {
      const piece = await readAt(this.#fd, at, Math.min(STEP, this.#octets - at));
      if (piece.length === 0) throw new Error("Expected more octets in the spooled message");
      at += piece.length;
      yield piece;
    }
  }

  /** Forgets all. */
  close(): void {
    this.#held = [];
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

async function openUnnamed(folder: string): Promise<number> {
  const path = await Deno.makeTempFile({ dir: folder, prefix: "message-" });
  try {
    return fs.openSync(path, "r+");
  } finally {
    await Deno.remove(path);
  }
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await new Promise<number>((resolve, reject) => {
      const done = (error: Error | null, count: number) => error ? reject(error) : resolve(count);
      fs.write(fd, bytes, at, bytes.length - at, null, done);
    });
  }
}

function readAt(fd: number, position: number, length: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const buffer = Buffer.alloc(length);
    fs.read(fd, buffer, 0, length, position, (error, count) => {
      if (error) reject(error);
      else resolve(buffer.subarray(0, count));
    });
  });
}

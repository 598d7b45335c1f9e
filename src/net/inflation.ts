/** The client's half of COMPRESS. @see RFC 4978 §4 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { createInflateRaw, type InflateRaw, inflateRawSync } from "node:zlib";
import { ByteQueue } from "../wire/byte_queue.ts";

/** Octets that may lie compressed before the client is made to wait. */
const READ_AHEAD = 64 * 1024;

/** Octets of a stream that are taken at once, and that come out of it at once. */
const PIECE = 16 * 1024;

/** How far a stream may refer back. @see RFC 1951 §2 */
const WINDOW = 32 * 1024;

/** Octets that are kept to learn whether the stream can be put down. */
const LONGEST_PACKED = 16 * 1024;
const LONGEST_PLAIN = 64 * 1024;

/** The end of a sync flush: an empty stored block. */
const MARK = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** A last block without anything in it, as it begins at a whole octet. */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);

const NOTHING = new Uint8Array(0);

/** Who reads what comes out. */
export interface InflationReader {
  bytes(bytes: Uint8Array): void;
  failed(error: Error): void;
}

/**
 * Reads a socket that sends DEFLATE. It gives one piece each time it is asked to {@link resume}: so
 * what a few octets swell to stays bounded, and what follows a command that ends the compression is
 * not inflated.
 *
 * An inflater is 50 KB; so it is dropped where the stream stands between two blocks, at a whole
 * octet, and another one goes on from the last 32 KB. Those are given to it as a block of its stream,
 * since Deno's takes no dictionary. Whether the stream stands there zlib does not tell: it is found
 * out where a flush seems to end, by a last block put after a copy of what was read.
 */
export class Inflation {
  readonly #socket: Socket;
  readonly #reader: InflationReader;
  #raw = new ByteQueue();
  #inflater: InflateRaw | undefined;
  #given = 0;
  /** Octets to come out of it that are only what came out before. */
  #known = 0;
  #feeding = false;
  #wanted = false;
  #ended = false;
  #closed = false;
  /** What came out before {@link #packed}, as far as a stream may refer back. */
  #window: Uint8Array = NOTHING;
  /** What went in since, and what came out. */
  #packed: Uint8Array[] = [];
  #plain: Uint8Array[] = [];
  #packedSize = 0;
  #plainSize = 0;
  /** Nothing is missing from {@link #packed} and {@link #plain}. */
  #complete = true;

  /** @param first what was read from the socket already */
  constructor(socket: Socket, first: Uint8Array, reader: InflationReader) {
    this.#socket = socket;
    this.#reader = reader;
    if (first.length > 0) this.#raw.push(first);
    socket.on("data", this.#onData);
  }

  /** Asks for another piece. */
  resume(): void {
    this.#wanted = true;
    this.#step();
  }

  /** Gives what comes next only when it is asked to. */
  pause(): void {
    this.#wanted = false;
    this.#inflater?.pause();
  }

  /** Reads no more. @returns what came after the octets that were inflated */
  close(): Uint8Array {
    this.#closed = true;
    this.#socket.off("data", this.#onData);
    this.#drop();
    return this.#raw.take(this.#raw.length);
  }

  #onData = (bytes: Uint8Array): void => {
    this.#raw.push(bytes);
    if (this.#raw.length > READ_AHEAD) this.#socket.pause();
    this.#step();
  };

  #step(): void {
    if (this.#closed || !this.#wanted) return;
    // What waits in it comes out, and then the rest of what it was given.
    this.#inflater?.resume();
    if (this.#feeding || (this.#inflater?.readableLength ?? 0) > 0) return;
    if (this.#ended) return this.#failed(new Error("The client ended its compressed stream"));
    const piece = this.#raw.take(nextPiece(this.#raw));
    if (this.#raw.length <= READ_AHEAD && this.#socket.isPaused()) this.#socket.resume();
    if (piece.length > 0) this.#feed(piece);
  }

  #feed(piece: Uint8Array): void {
    const inflater = this.#inflater ??= this.#begin();
    this.#feeding = true;
    this.#given += piece.length;
    this.#notePacked(piece);
    inflater.resume();
    inflater.write(piece, () => {
      if (inflater !== this.#inflater) return;
      this.#feeding = false;
      const left = this.#given - inflater.bytesWritten;
      if (left > 0) this.#putBack(piece, left);
      else if (endsFlush(piece)) this.#checkpoint(inflater);
      this.#step();
    });
  }

  #begin(): InflateRaw {
    const inflater = createInflateRaw({ chunkSize: PIECE });
    const before = storedBlock(this.#window);
    this.#given = before.length;
    this.#known = this.#window.length;
    inflater.on("data", (bytes: Uint8Array) => {
      if (inflater !== this.#inflater) return;
      const fresh = bytes.subarray(this.#known);
      this.#known -= bytes.length - fresh.length;
      if (fresh.length === 0) return;
      this.pause();
      this.#notePlain(fresh);
      this.#reader.bytes(fresh);
    });
    inflater.on("error", (error) => {
      if (inflater === this.#inflater) this.#failed(error);
    });
    inflater.on("end", () => {
      this.#ended = true;
      this.#step();
    });
    inflater.write(before);
    return inflater;
  }

  #failed(error: Error): void {
    this.close();
    this.#reader.failed(error);
  }

  #drop(): void {
    const inflater = this.#inflater;
    this.#inflater = undefined;
    this.#feeding = false;
    inflater?.destroy();
  }

  /** What follows the last block of a stream is not of it. */
  #putBack(piece: Uint8Array, count: number): void {
    const rest = this.#raw.take(this.#raw.length);
    this.#raw = new ByteQueue();
    for (const each of [piece.subarray(piece.length - count), rest]) {
      if (each.length > 0) this.#raw.push(each);
    }
  }

  #notePacked(piece: Uint8Array): void {
    this.#packedSize += piece.length;
    if (this.#packedSize > LONGEST_PACKED) this.#forget();
    else this.#packed.push(piece);
  }

  #notePlain(bytes: Uint8Array): void {
    this.#plain.push(bytes);
    this.#plainSize += bytes.length;
    if (this.#plainSize <= LONGEST_PLAIN) return;
    this.#forget();
    this.#plain = [tail(Buffer.concat(this.#plain))];
    this.#plainSize = WINDOW;
  }

  #forget(): void {
    this.#complete = false;
    this.#packed = [];
  }

  /** Puts the stream down if it can be known that it stands between two blocks. */
  #checkpoint(inflater: InflateRaw): void {
    if (inflater.readableLength > 0) return;
    const plain = Buffer.concat(this.#plain);
    if (this.#complete && this.#isBoundary(plain)) this.#drop();
    this.#window = tail(Buffer.concat([this.#window, plain]));
    this.#packed = [];
    this.#plain = [];
    this.#packedSize = 0;
    this.#plainSize = 0;
    this.#complete = true;
  }

  #isBoundary(plain: Uint8Array): boolean {
    const before = this.#window.length;
    const stream = Buffer.concat([storedBlock(this.#window), ...this.#packed, LAST_BLOCK]);
    try {
      const whole = inflateRawSync(stream, { maxOutputLength: before + plain.length + 1 });
      return whole.subarray(before).equals(plain);
    } catch {
      return false;
    }
  }
}

/** Up to the end of the next flush: what stands behind it may be no part of the stream. */
function nextPiece(raw: ByteQueue): number {
  const bytes = raw.peek(PIECE);
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(MARK);
  return at < 0 ? bytes.length : at + MARK.length;
}

/** At most 65,535 octets as they are, and not as the last block. @see RFC 1951 §3.2.4 */
function storedBlock(bytes: Uint8Array): Uint8Array {
  const low = bytes.length & 0xff;
  const high = bytes.length >> 8;
  return Buffer.concat([Buffer.from([0, low, high, low ^ 0xff, high ^ 0xff]), bytes]);
}

function endsFlush(piece: Uint8Array): boolean {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    .subarray(-MARK.length).equals(MARK);
}

/** A copy of the last octets, so that what it is cut from can go. */
function tail(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.subarray(Math.max(0, bytes.length - WINDOW)));
}

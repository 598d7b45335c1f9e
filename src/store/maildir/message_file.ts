/** Message files as they are read: in wire form, whole or in pieces. */

import { Pace } from "../../pace.ts";
import * as fs from "node:fs";
import { toWireForm } from "../../message/wire_form.ts";
import { type StoredMessage, StoreError } from "../store.ts";
import { readErrorOf } from "./disk_error.ts";
import {
  FileDigest,
  FileIndexer,
  type IndexedMessage,
  type MessageDigest,
} from "./file_indexer.ts";
import { baseOf } from "./file_name.ts";
import { beginsInCrlf, PIECE, type PieceOffsets, WireOffsets } from "./wire_offsets.ts";

/** Messages up to this size, in octets of wire form, are read at once. */
export const WHOLE_OCTETS = 256 * 1024;

const DOING = "reading the message";

/**
 * Neither follows a symbolic link, which could lead out of the Maildir, nor waits for somebody to
 * write to a FIFO.
 */
const SAFELY = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** What the index knows of a message file. */
export interface KnownFile {
  /** RFC822.SIZE: octets in wire form. */
  readonly size: number;
  /** The file has LFs without CR. */
  readonly bareLf: boolean;
  /** Where its text may be put. */
  readonly room?: Uint8Array;
}

/**
 * Opens a message file; one of up to {@link WHOLE_OCTETS} is read at once and given as `whole`.
 *
 * @param offsets of the file's mailbox: makes ranges of large files with bare LFs cheap
 * @throws {StoreError} `message-gone` if there is no such file; `unreadable` if it is not a plain
 * file, or not of the size known
 */
export function openMessageFile(
  path: string,
  known: KnownFile,
  offsets: WireOffsets = new WireOffsets(),
): StoredMessage {
  try {
    if (known.size <= WHOLE_OCTETS) return new WholeMessage(readWhole(path, known));
    return openLarge(path, known, offsets);
  } catch (error) {
    throw readErrorOf(error, DOING);
  }
}

function readWhole(path: string, known: KnownFile): Uint8Array {
  const fd = fs.openSync(path, SAFELY);
  try {
    // One octet more than there should be tells whether the file has grown, without an fstat.
    const most = known.size + 1;
    const { room } = known;
    const bytes = room && room.length >= most ? room.subarray(0, most) : new Uint8Array(most);
    const enough = known.bareLf ? bytes.length : Math.max(known.size, 1);
    const file = bytes.subarray(0, readSync(fd, bytes, enough));
    const wire = known.bareLf ? toWireForm(file) : file;
    if (wire.length !== known.size) throw changed(known.size, wire.length);
    return wire;
  } finally {
    fs.closeSync(fd);
  }
}

/** Reads until `enough` octets or the end. */
function readSync(fd: number, into: Uint8Array, enough: number): number {
  let filled = 0;
  while (filled < enough) {
    const count = fs.readSync(fd, into, filled, into.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function changed(wanted: number, got: number): StoreError {
  return new StoreError(
    "unreadable",
    `The message file has changed: expected ${wanted} octets, got ${got}`,
  );
}

function openLarge(path: string, known: KnownFile, offsets: WireOffsets): StoredMessage {
  const file = openPlain(path);
  if (!known.bareLf && file.size === known.size) return new LargeMessage(file);
  // Each bare LF adds one octet, so a file can at most double.
  if (known.bareLf && file.size < known.size && file.size * 2 >= known.size) {
    const base = baseOf(path.slice(path.lastIndexOf("/") + 1));
    return new LargeLfMessage(file, known.size, offsets.of(base, file.size));
  }
  file.close();
  throw changed(known.size, file.size);
}

function openPlain(path: string): OpenFile {
  const { fd, size } = plainFile(path);
  return new OpenFile(fd, size);
}

/**
 * Opens what has to be a plain file.
 *
 * @returns with `modified` in seconds since 1970; the caller closes `fd`
 * @throws {StoreError} `unreadable`; the system's error
 */
export function plainFile(path: string): { fd: number; size: number; modified: number } {
  const fd = fs.openSync(path, SAFELY);
  const stat = fs.fstatSync(fd);
  if (stat.isFile()) return { fd, size: stat.size, modified: stat.mtimeMs / 1000 };
  fs.closeSync(fd);
  throw new StoreError("unreadable", "The message is not a plain file");
}

/** A descriptor that is closed only after the last read under way: its number may be reused at once. */
class OpenFile {
  readonly size: number;
  readonly #fd: number;
  #reads = 0;
  #closed = false;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  /** All octets at once, on this thread. */
  whole(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    const count = readSync(this.#fd, bytes, bytes.length);
    if (count < bytes.length) throw changed(bytes.length, count);
    return bytes;
  }

  /** Octets from `start` up to `end`, or to the end of the file as it was when opened. */
  async read(start: number, end: number): Promise<Uint8Array> {
    if (this.#closed) throw new Error("Message must be open to be read: it is closed");
    const bytes = new Uint8Array(Math.min(end, this.size) - start);
    this.#reads++;
    try {
      for (let filled = 0; filled < bytes.length;) {
        const count = await readAt(this.#fd, bytes.subarray(filled), start + filled);
        if (count === 0) throw changed(this.size, start + filled);
        filled += count;
      }
      return bytes;
    } catch (error) {
      throw readErrorOf(error, DOING);
    } finally {
      this.#reads--;
      if (this.#closed && this.#reads === 0) fs.closeSync(this.#fd);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#reads === 0) fs.closeSync(this.#fd);
  }
}

function readAt(fd: number, into: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(
      fd,
      into,
      0,
      into.length,
      position,
      (error, count) => error ? reject(error) : resolve(count),
    );
  });
}

class WholeMessage implements StoredMessage {
  constructor(readonly whole: Uint8Array) {}

  get size(): number {
    return this.whole.length;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    if (start < end) yield this.whole.subarray(start, end);
  }

  close(): void {}
}

/** A large file that lies in wire form. */
class LargeMessage implements StoredMessage {
  readonly size: number;
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    this.#file = file;
    this.size = file.size;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    const last = Math.min(end, this.size);
    for (let at = start; at < last; at += PIECE) {
      yield await this.#file.read(at, Math.min(at + PIECE, last));
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** A large file whose bare LFs become CRLF while it is read. */
class LargeLfMessage implements StoredMessage {
  readonly #file: OpenFile;
  readonly #offsets: PieceOffsets;

  constructor(file: OpenFile, readonly size: number, offsets: PieceOffsets) {
    this.#file = file;
    this.#offsets = offsets;
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    const last = Math.min(end, this.size);
    let piece = this.#offsets.pieceAt(start);
    let at = this.#offsets.startOf(piece);
    while (at < last) {
      const wire = await this.#wirePiece(piece);
      const from = Math.max(start - at, 0);
      if (from < wire.length) yield wire.subarray(from, Math.min(last - at, wire.length));
      at += wire.length;
      piece++;
    }
  }

  async #wirePiece(piece: number): Promise<Uint8Array> {
    const position = piece * PIECE;
    const bytes = await this.#file.read(position, position + PIECE);
    const wire = beginsInCrlf(bytes, this.#offsets.afterCr(piece))
      ? afterLf(bytes)
      : toWireForm(bytes);
    this.#offsets.learn(piece, wire);
    const end = this.#offsets.startOf(piece) + wire.length;
    const atEnd = position + PIECE >= this.#file.size;
    if (atEnd ? end !== this.size : end >= this.size) throw changed(this.size, end);
    return wire;
  }

  close(): void {
    this.#file.close();
  }
}

/** The wire form of a piece whose first octet is the LF of a CRLF. */
function afterLf(piece: Uint8Array): Uint8Array {
  const rest = toWireForm(piece.subarray(1));
  const wire = new Uint8Array(rest.length + 1);
  wire[0] = piece[0];
  wire.set(rest, 1);
  return wire;
}

/**
 * Makes the summary of a message file that another program delivered.
 *
 * @throws {StoreError} `message-gone`, `unreadable`
 */
export async function indexFile(path: string): Promise<IndexedMessage> {
  const indexer = new FileIndexer();
  await readInto(indexer, path);
  return indexer.end();
}

/**
 * Makes only what tells whether a message file is as it was.
 *
 * @throws {StoreError} `message-gone`, `unreadable`
 */
export async function digestFile(path: string): Promise<MessageDigest> {
  const digest = new FileDigest();
  await readInto(digest, path);
  return digest.end();
}

/**
 * Reads a whole message file. One of more than {@link WHOLE_OCTETS} is read in pieces, and the event
 * loop has its turn after each; the way to another thread and back takes longer than to read a small
 * one.
 */
async function readInto(reader: Pick<FileIndexer, "push">, path: string): Promise<void> {
  let file: OpenFile | undefined;
  try {
    file = openPlain(path);
    if (file.size <= WHOLE_OCTETS) return reader.push(file.whole());
    const pace = new Pace();
    for (let at = 0; at < file.size; at += PIECE) {
      reader.push(await file.read(at, at + PIECE));
      // Deno may read at once, without a turn of the event loop.
      if (pace.due()) await pace.turn();
    }
  } catch (error) {
    throw readErrorOf(error, DOING);
  } finally {
    file?.close();
  }
}

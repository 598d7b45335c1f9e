/** A message on its way to a Maildir folder: first in memory or `tmp/`, then durable, then in place. */

import * as fs from "node:fs";
import { dirname } from "node:path";
import { createOwnedFile, makeOwnedFolder } from "../../ownership.ts";
import type { IncomingMessage } from "../store.ts";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import { FileIndexer, type IndexedMessage } from "./file_indexer.ts";
import { indexFile } from "./message_file.ts";

/** Octets that are kept in memory; a longer message goes to its file in steps of this size. */
export const HELD_OCTETS = 256 * 1024;

const FIRST_BUFFER = 16 * 1024;

/** Octets of a summary that is kept while its message rests; a larger one is made again. */
const RESTING_OCTETS = 32 * 1024;

/** A file of ours in `tmp/` again; never through a link that was put in its place. */
const APPENDING = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NOFOLLOW;

const DOING = "storing the message";

/** What is known of a message once it is durable in `tmp/`. */
export interface FinishedFile {
  /** Octets of the file; RFC822.SIZE is `summary.size`. */
  readonly size: number;
  readonly summary: IndexedMessage;
}

/**
 * One message file that is being written. In turn: {@link write} until all is there,
 * {@link finish}, {@link place}; or {@link abort} at any time before `place` succeeded.
 */
export class IncomingFile implements IncomingMessage {
  readonly #folder: string;
  readonly #tmpPath: string;
  /** Undefined once the message rests or is finished. */
  #indexer: FileIndexer | undefined = new FileIndexer();
  /** What the indexer made of a message that rests, unless it is large. */
  #summary: IndexedMessage | undefined;
  #state: "open" | "finished" | "placed" | "failed" | "aborted" = "open";
  #buffer: Uint8Array = new Uint8Array(0);
  #buffered = 0;
  #size = 0;
  #fd: number | undefined;
  /** The file in `tmp/` is this one's, to be removed by `abort`. */
  #made = false;
  /** Disk work under way, which `abort` has to wait for. */
  #work: Promise<unknown> | undefined;
  #placedPath = "";
  readonly #synced: (seconds: number) => void;

  /**
   * @param folder path of the Maildir folder, which has `tmp`, `new` and `cur`
   * @param name unique, as of `FileNames`
   * @param synced is told how many seconds the disk took
   */
  constructor(folder: string, name: string, synced: (seconds: number) => void = () => {}) {
    this.#synced = synced;
    this.#folder = folder;
    this.#tmpPath = `${folder}/tmp/${name}`;
  }

  /** Octets written so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes in a piece, which the caller may change afterwards; must not be called again before
   * the returned promise, if any, has settled.
   *
   * @throws {StoreError} `over-quota`, `no-mailbox`, `unavailable`
   */
  write(chunk: Uint8Array): Promise<void> | void {
    this.#expect("open");
    if (this.#indexer === undefined) throw new Error("Incoming file must not rest yet: it does");
    this.#size += chunk.length;
    this.#indexer.push(chunk);
    if (this.#buffered + chunk.length <= HELD_OCTETS) return this.#hold(chunk);
    return this.#track(this.#spill(chunk));
  }

  /**
   * All is written: moves what is in memory to the file, and lets go of both until {@link finish}.
   *
   * @throws {StoreError} `over-quota`, `no-mailbox`, `unavailable`
   */
  rest(): Promise<void> {
    this.#expect("open");
    return this.#track(this.#rest());
  }

  /**
   * Makes the message durable in `tmp/`; its directory entry is not, as it is about to move.
   *
   * @param modified time that the file shall bear, in seconds since 1970: other Maildir programs,
   * and an index made anew, take it for INTERNALDATE
   * @throws {StoreError} `over-quota`, `no-mailbox`, `unavailable`
   */
  finish(modified?: number): Promise<FinishedFile> {
    this.#expect("open");
    this.#state = "finished";
    return this.#track(this.#finish(modified));
  }

  /**
   * Moves the file to its place. The caller makes the directory durable: {@link syncDirectory}.
   *
   * @throws {StoreError} `no-mailbox`, `over-quota`, `unavailable`
   */
  // deno-lint-ignore require-await -- synchronous inside, since a rename takes microseconds
  async place(directory: "cur" | "new", file: string): Promise<void> {
    this.#expect("finished");
    const path = `${this.#folder}/${directory}/${file}`;
    this.#rename(this.#tmpPath, path);
    this.#placedPath = path;
    this.#state = "placed";
  }

  /**
   * Undoes {@link place}, for a message whose commit failed: it can be placed again or aborted.
   *
   * @throws {StoreError} `no-mailbox`, `unavailable`
   */
  // deno-lint-ignore require-await -- as in place
  async takeBack(): Promise<void> {
    this.#expect("placed");
    this.#rename(this.#placedPath, this.#tmpPath);
    this.#state = "finished";
  }

  /** Leaves no trace, unless the message is in its place already. Never fails. */
  async abort(): Promise<void> {
    if (this.#state === "placed" || this.#state === "aborted") return;
    this.#state = "aborted";
    await this.#work?.catch(() => {});
    this.#close();
    this.#buffer = new Uint8Array(0);
    if (!this.#made) return;
    try {
      fs.unlinkSync(this.#tmpPath);
    } catch {
      // Gone, or on a disk that refuses all: old files in tmp/ are anybody's to remove.
    }
  }

  #expect(state: "open" | "finished" | "placed"): void {
    if (this.#state !== state) {
      throw new Error(`Incoming file must be ${state}: it is ${this.#state}`);
    }
    if (this.#work !== undefined) {
      throw new Error("Incoming file must be at rest: a write is under way");
    }
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#work = work;
    try {
      return await work;
    } catch (error) {
      if (this.#state !== "aborted") this.#state = "failed";
      throw storeErrorOf(error, DOING);
    } finally {
      this.#work = undefined;
    }
  }

  #hold(chunk: Uint8Array): void {
    const needed = this.#buffered + chunk.length;
    if (needed > this.#buffer.length) {
      const capacity = Math.max(needed, this.#buffer.length * 2, FIRST_BUFFER);
      const larger = new Uint8Array(Math.min(capacity, HELD_OCTETS));
      larger.set(this.#buffer.subarray(0, this.#buffered));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#buffered);
    this.#buffered = needed;
  }

  async #spill(chunk: Uint8Array): Promise<void> {
    const fd = this.#open();
    await writeAll(fd, this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
    if (chunk.length < HELD_OCTETS) this.#hold(chunk);
    else await writeAll(fd, chunk);
  }

  async #rest(): Promise<void> {
    await this.#writeHeld();
    this.#close();
    const summary = this.#summarized();
    // It can be as large as the message, and there may be a thousand of them.
    if (summary !== undefined && octetsOf(summary) <= RESTING_OCTETS) this.#summary = summary;
  }

  async #finish(modified: number | undefined): Promise<FinishedFile> {
    await this.#writeHeld();
    const fd = this.#open();
    if (modified !== undefined) fs.futimesSync(fd, modified, modified);
    const started = performance.now();
    const synced = fsync(fd).then(() => this.#synced((performance.now() - started) / 1000));
    // Made while the other thread syncs.
    const summary = this.#summary ?? this.#summarized();
    await synced;
    this.#close();
    return { size: this.#size, summary: summary ?? await indexFile(this.#tmpPath) };
  }

  #summarized(): IndexedMessage | undefined {
    const summary = this.#indexer?.end();
    this.#indexer = undefined;
    return summary;
  }

  async #writeHeld(): Promise<void> {
    const held = this.#buffer.subarray(0, this.#buffered);
    if (this.#fd === undefined) writeAllSync(this.#open(), held);
    else await writeAll(this.#fd, held);
    this.#buffered = 0;
    this.#buffer = new Uint8Array(0);
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd;
    this.#fd = this.#made
      ? fs.openSync(this.#tmpPath, APPENDING)
      : createFile(this.#tmpPath, `${this.#folder}/tmp`);
    this.#made = true;
    return this.#fd;
  }

  #close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    fs.closeSync(fd);
  }

  #rename(from: string, to: string): void {
    try {
      fs.renameSync(from, to);
    } catch (error) {
      throw storeErrorOf(error, DOING);
    }
  }
}

/** Octets that a summary has, about. */
function octetsOf({ envelope, bodystructure, header, parts }: IndexedMessage): number {
  return 3 * (envelope.length + bodystructure.length + header.length + parts.length);
}

/** Makes a new file; `tmp/` too, which some programs drop when it is empty. */
function createFile(path: string, tmp: string): number {
  try {
    return createOwnedFile(path, 0o600);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    // Only in its folder: that of a mailbox removed meanwhile must not come back.
    fs.statSync(dirname(tmp));
    makeOwnedFolder(tmp, 0o700);
    return createOwnedFile(path, 0o600);
  }
}

/** The synchronous way is for small files: a write to the page cache takes less than a thread's turn. */
function writeAllSync(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at);
}

async function writeAll(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await new Promise<number>((resolve, reject) => {
      fs.write(
        fd,
        bytes,
        at,
        bytes.length - at,
        null,
        (error, count) => error ? reject(error) : resolve(count),
      );
    });
  }
}

/** Makes an open file durable, on another thread. @throws {Error} the system's */
export function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => error ? reject(error) : resolve());
  });
}

/**
 * Makes the entries of a directory durable.
 *
 * @param here on this thread, which it holds meanwhile
 * @throws {StoreError} `no-mailbox`, `unavailable`
 */
export async function syncDirectory(path: string, here = false): Promise<void> {
  let fd: number | undefined;
  try {
    fd = fs.openSync(path, "r");
    if (here) fs.fsyncSync(fd);
    else await fsync(fd);
  } catch (error) {
    // Some network file systems can't; there is nothing more to do on them.
    if (errnoOf(error) !== "EINVAL") throw storeErrorOf(error, DOING);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

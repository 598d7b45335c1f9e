/**
 * Linux's directory notifications, by foreign function calls.
 *
 * `Deno.watchFs` is no way to watch many folders: it compares each event with each watched path
 * by opening both (measured with Deno 2.9.6 and 1,000 folders: 20 to 35 ms of processor time per
 * event, and events lost in bursts). One watch here costs microseconds, one event no more.
 *
 * @see inotify(7)
 */

import { cString, openSystemLibrary } from "../../system_library.ts";

const CLOEXEC = 0x80000;
const NONBLOCK = 0x800;

const CREATE = 0x100;
const DELETE = 0x200;
const DELETE_SELF = 0x400;
const MOVED_FROM = 0x40;
const MOVED_TO = 0x80;
const MOVE_SELF = 0x800;
const CLOSE_WRITE = 0x8;
const ONLYDIR = 0x1000000;
const OVERFLOW = 0x4000;
const IGNORED = 0x8000;

const WANTED = CREATE | DELETE | MOVED_FROM | MOVED_TO | MOVE_SELF | CLOSE_WRITE | ONLYDIR;

/** Octets of `struct inotify_event` before the name. */
const EVENT_HEADER = 16;

const SYMBOLS = {
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  inotify_rm_watch: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // Off the main thread: it waits there for the next event.
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
} as const;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

/** One notification. */
export type DirectoryEvent =
  /** An entry came, went or was written; "" for the directory itself, and for what is not UTF-8. */
  | { readonly kind: "entry"; readonly watch: number; readonly file: string }
  /** The directory is gone, and its watch with it. */
  | { readonly kind: "gone"; readonly watch: number }
  /** Events were lost, of any watch. */
  | { readonly kind: "overflow" }
  /** The system gave up: there are no watches any more, and no further events. */
  | { readonly kind: "ended" };

/** Milliseconds between two waits. */
const PAUSE = 5;

/** Waits that may fail in a row; a signal can interrupt one. */
const MAX_FAILURES = 10;

/** `struct pollfd` has the events that are wanted, and those that came, in one word. */
const POLLIN = 0x1;
const POLL_FAILED = 0x38 << 16;

/** Octets of an event at most: with less room left there may be more of them. */
const LARGEST_EVENT = 512;

/** One inotify instance. While it is open it keeps the process alive. */
export class Inotify {
  readonly #libc: Libc;
  readonly #fd: number;
  /** A watch of "/": its end is an event too, which ends the waiting. */
  readonly #waker: number;
  readonly #tell: (event: DirectoryEvent) => void;
  readonly #buffer = new Uint8Array(64 * 1024);
  readonly #waiting: Promise<void>;
  #closing = false;
  #endPause = () => {};

  private constructor(
    libc: Libc,
    fd: number,
    waker: number,
    onEvent: (event: DirectoryEvent) => void,
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#waker = waker;
    this.#tell = onEvent;
    this.#waiting = this.#wait();
  }

  /** Undefined where there is none: another system, no permission, too many of this user. */
  static open(onEvent: (event: DirectoryEvent) => void): Inotify | undefined {
    if (Deno.build.os !== "linux") return undefined;
    const libc = openSystemLibrary("libc.so.6", SYMBOLS);
    if (libc === undefined) return undefined;
    const fd = libc.symbols.inotify_init1(CLOEXEC | NONBLOCK);
    if (fd >= 0) {
      const waker = libc.symbols.inotify_add_watch(fd, cString("/"), DELETE_SELF);
      if (waker >= 0) return new Inotify(libc, fd, waker, onEvent);
      libc.symbols.close(fd);
    }
    libc.close();
    return undefined;
  }

  /**
   * Watches a directory. One that is watched already, by whatever path, has the same number.
   *
   * @returns undefined if it is no directory, or the user has no watches left
   */
  add(directory: string): number | undefined {
    if (this.#closing) return undefined;
    const path = cString(directory);
    const watch = this.#libc.symbols.inotify_add_watch(this.#fd, path, WANTED);
    return watch < 0 ? undefined : watch;
  }

  /** Ends a watch; a number that is no watch any more does no harm. */
  remove(watch: number): void {
    if (!this.#closing) this.#libc.symbols.inotify_rm_watch(this.#fd, watch);
  }

  /** Ends all; settles when the last wait has ended. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#endPause();
      this.#libc.symbols.inotify_rm_watch(this.#fd, this.#waker);
    }
    return this.#waiting;
  }

  /** Tells of all that happened until now, and was not told of yet. */
  drain(): void {
    const buffer = this.#buffer;
    for (let more = !this.#closing; more;) {
      const count = Number(this.#libc.symbols.read(this.#fd, buffer, BigInt(buffer.length)));
      more = count > buffer.length - LARGEST_EVENT;
      if (count > 0) { for (const event of parseEvents(buffer.slice(0, count))) this.#tell(event); }
    }
  }

  async #wait(): Promise<void> {
    const waiting = new Int32Array(2);
    let failures = 0;
    while (!this.#closing && failures < MAX_FAILURES) {
      waiting.set([this.#fd, POLLIN]);
      const ready = await this.#libc.symbols.poll(waiting, 1n, -1);
      failures = ready > 0 && !(waiting[1] & POLL_FAILED) ? 0 : failures + 1;
      this.drain();
      await this.#pause();
    }
    const gaveUp = !this.#closing;
    this.#closing = true;
    this.#libc.symbols.close(this.#fd);
    this.#libc.close();
    if (gaveUp) this.#tell({ kind: "ended" });
  }

  /** What comes in short order is read at once: each wait is a way to another thread and back. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#endPause = resolve;
      if (this.#closing) resolve();
      else setTimeout(resolve, PAUSE);
    });
  }
}

/** Reads a run of `struct inotify_event`, which are in the machine's (little-endian) order. */
function* parseEvents(bytes: Uint8Array): Generator<DirectoryEvent> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + EVENT_HEADER <= bytes.length;) {
    const watch = view.getInt32(at, true);
    const mask = view.getUint32(at + 4, true);
    const nameEnd = at + EVENT_HEADER + view.getUint32(at + 12, true);
    const name = bytes.subarray(at + EVENT_HEADER, nameEnd);
    at = nameEnd;
    if (mask & OVERFLOW) yield { kind: "overflow" };
    else if (mask & IGNORED) yield { kind: "gone", watch };
    else yield { kind: "entry", watch, file: nameText(name) };
  }
}

const UTF8 = new TextDecoder();

function nameText(padded: Uint8Array): string {
  const end = padded.indexOf(0);
  const text = UTF8.decode(end < 0 ? padded : padded.subarray(0, end));
  return text.includes("\ufffd") ? "" : text;
}

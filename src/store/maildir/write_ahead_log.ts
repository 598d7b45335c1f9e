/** The file that SQLite appends commits to. @see https://www.sqlite.org/wal.html */

import * as fs from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import { cString, openSystemLibrary } from "../../system_library.ts";
import { framesOf, type LogFrame } from "./log_frames.ts";
import type { CommitLog } from "./commit_log.ts";
import type { CommitNumbers, Numbering } from "./commit_numbers.ts";
import { SyncTimes } from "./traffic.ts";

const RDWR_CLOEXEC = 0x80002;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32", nonblocking: true },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** Syncs the index, on another thread. */
interface IndexSync {
  readonly libc: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly fd: number;
}

/** Makes the commits in an index's write-ahead log durable, and moves them to the index. */
export class WriteAheadLog implements CommitLog {
  #fd: number | undefined;
  #indexSync: IndexSync | undefined;
  readonly #times = new SyncTimes();
  /** Pages that were moved to the index may not be on the disk. */
  #indexInDoubt = false;
  /** A second name of the log, where SQLite must not remove it. */
  #kept: string | undefined;
  /** Tells how long the log is, without moving anything. */
  readonly #length: StatementSync | undefined;

  /**
   * @param index path of the index; SQLite keeps one log for it as long as it is open
   * @param synced is told how many seconds each sync took
   */
  constructor(
    private readonly index: string,
    private readonly database: DatabaseSync,
    readonly numbers: Numbering & Pick<CommitNumbers, "note" | "close">,
    private readonly synced: (seconds: number) => void,
    private readonly log: Log,
  ) {
    if (tellsLength(database)) this.#length = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#indexSync = openIndexSync(index);
  }

  pages(): number | undefined {
    const found = this.#length?.get();
    return found && Number(found.log) - Number(found.checkpointed);
  }

  /** @throws the system's error */
  sync(alone: boolean): Promise<void> | undefined {
    // SQLite has no locks on this file that a descriptor of ours could end by closing.
    const fd = this.#fd ??= fs.openSync(`${this.index}-wal`, "r");
    const started = performance.now();
    if (!alone || !this.#times.quick) return this.#syncApart(fd, started);
    fs.fdatasyncSync(fd);
    this.#took(started);
  }

  async #syncApart(fd: number, started: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      fs.fdatasync(fd, (error) => error ? reject(error) : resolve());
    });
    this.#took(started);
  }

  #took(started: number): void {
    const seconds = (performance.now() - started) / 1000;
    this.#times.add(seconds);
    this.synced(seconds);
  }

  /**
   * SQLite would sync the log before and the index after it, and hold the event loop meanwhile: so it
   * only copies the pages. The next commit overwrites the log, and so has to wait until the index is
   * durable.
   *
   * @throws {Error} SQLite's: the log is as it was; the system's: only {@link mend} helps
   */
  async checkpoint(): Promise<void> {
    const { database } = this;
    if (this.#indexSync === undefined) return database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    await this.sync(false);
    database.exec("PRAGMA synchronous = OFF");
    try {
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } finally {
      database.exec("PRAGMA synchronous = NORMAL");
    }
    const { libc, fd } = this.#indexSync;
    if (await libc.symbols.fdatasync(fd) === 0) return;
    this.#indexInDoubt = true;
    throw new Error("The index cannot be synced");
  }

  /**
   * Makes durable what a failed sync may have lost. After one the system may count pages as written
   * that are not, so that another sync would say that all is well: so all is written again.
   *
   * @throws {Error} the system's; where the log is not any more what was written to it
   * @see https://wiki.postgresql.org/wiki/Fsync_Errors
   */
  async mend(): Promise<void> {
    const path = `${this.index}-wal`;
    if (!fs.statSync(path, { throwIfNoEntry: false })?.size) return;
    const fd = fs.openSync(path, "r+");
    try {
      const octets = fs.readFileSync(fd);
      const frames = framesOf(octets);
      const known = Number(this.#length?.get()?.log ?? 0);
      if (frames.length < known) throw new Error("The log of the index lost what was in it");
      for (let at = 0; at < octets.length;) {
        at += fs.writeSync(fd, octets, at, octets.length - at, at);
      }
      await new Promise<void>((resolve, reject) => {
        fs.fdatasync(fd, (error) => error ? reject(error) : resolve());
      });
      if (this.#indexInDoubt) await this.#moveAgain(frames);
      this.log.info("wrote the log of the index again", { path, octets: octets.length });
    } finally {
      fs.closeSync(fd);
    }
  }

  /** SQLite itself believes that it did. */
  async #moveAgain(frames: readonly LogFrame[]): Promise<void> {
    if (this.#indexSync === undefined) return;
    const { libc: { symbols: { pwrite, fdatasync } }, fd } = this.#indexSync;
    for (const { page, octets } of frames) {
      const { length } = octets;
      const written = pwrite(
        fd,
        new Uint8Array(octets),
        BigInt(length),
        BigInt((page - 1) * length),
      );
      if (Number(written) !== length) throw new Error("The index cannot be written");
    }
    if (await fdatasync(fd) !== 0) throw new Error("The index cannot be synced");
    this.#indexInDoubt = false;
  }

  /**
   * Keeps the log beyond the closing of the database, which removes it: it may have what is nowhere
   * else.
   */
  keep(): void {
    const kept = keptName(this.index);
    try {
      fs.rmSync(kept, { force: true });
      fs.linkSync(`${this.index}-wal`, kept);
      this.#kept = kept;
    } catch (error) {
      // A disk that takes no name does not let SQLite remove one either.
      this.log.warn("cannot keep the log of the index", { path: kept, problem: String(error) });
    }
  }

  /** Once the database is closed, and nothing is being synced any more. */
  close(): void {
    try {
      if (this.#kept !== undefined) {
        // If SQLite could not remove it, it is there still.
        if (!fs.existsSync(`${this.index}-wal`)) linkBack(this.index);
        fs.rmSync(this.#kept);
      }
    } catch (error) {
      this.log.warn("cannot put the log of the index back", {
        path: this.#kept,
        problem: String(error),
      });
    }
    this.#kept = undefined;
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
    this.numbers.close();
    this.#indexSync?.libc.symbols.close(this.#indexSync.fd);
    this.#indexSync?.libc.close();
    this.#indexSync = undefined;
  }
}

function keptName(index: string): string {
  return `${index}-wal.kept`;
}

/**
 * Puts a log back that {@link WriteAheadLog.keep} kept, after a kill before its `close`. SQLite reads
 * whatever log is there, so one that is older than the index is removed: who wrote to the index since
 * had all that is in it.
 *
 * @throws {Error} the system's
 */
export function putLogBack(index: string): void {
  const kept = keptName(index);
  const found = fs.lstatSync(kept, { throwIfNoEntry: false });
  if (found === undefined) return;
  const log = fs.lstatSync(`${index}-wal`, { throwIfNoEntry: false });
  // Under both names before SQLite removes one: another process is about to, or was killed.
  if (log?.ino === found.ino) return;
  // SQLite removed the other name after its last write to the index, which set the ctime. That Deno
  // tells in seconds.
  const written = fs.lstatSync(index, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  const isOlder = Math.floor(written / 1000) > Math.floor(found.ctimeMs / 1000);
  if (log === undefined && found.isFile() && found.size > 0 && !isOlder) linkBack(index);
  fs.rmSync(kept, { force: true });
}

/** Whether {@link putLogBack} has something to do. */
export function isLogKept(index: string): boolean {
  return fs.lstatSync(keptName(index), { throwIfNoEntry: false }) !== undefined;
}

/** Not by renaming: another process may just have made a log of its own. */
function linkBack(index: string): void {
  fs.linkSync(keptName(index), `${index}-wal`);
}

/** From SQLite 3.51 on; an older one would make a checkpoint. */
function tellsLength(database: DatabaseSync): boolean {
  const version = String(database.prepare("SELECT sqlite_version() AS version").get()?.version);
  const [major, minor] = version.split(".").map(Number);
  return major > 3 || minor >= 51;
}

/**
 * By the C library: Deno's own way would close a duplicate of the descriptor, which drops the locks
 * that SQLite has on the file. For the same reason this one stays open as long as the index.
 *
 * @returns undefined where the C library may not be called
 */
function openIndexSync(index: string): IndexSync | undefined {
  const libc = openSystemLibrary("libc.so.6", SYMBOLS);
  const fd = libc?.symbols.open(cString(index), RDWR_CLOEXEC) ?? -1;
  if (libc && fd >= 0) return { libc, fd };
  libc?.close();
  return undefined;
}

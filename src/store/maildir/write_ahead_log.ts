/** The file that SQLite appends commits to. @see https://www.sqlite.org/wal.html */

import * as fs from "node:fs";
import { SyncTimes } from "./traffic.ts";
import type { CommitLog } from "./writer.ts";

/** Makes the commits in an index's write-ahead log durable. */
export class WriteAheadLog implements CommitLog {
  #fd: number | undefined;
  readonly #times = new SyncTimes();

  /**
   * @param index path of the index; SQLite keeps one log for it as long as it is open
   * @param synced is told how many seconds each sync took
   */
  constructor(
    private readonly index: string,
    private readonly synced: (seconds: number) => void,
  ) {}

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

  /** Once nothing is being synced any more. */
  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}

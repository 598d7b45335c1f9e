/** Makes directories durable, once for all who wait. */

import { StoreError } from "../store.ts";
import { syncDirectory } from "./incoming_file.ts";
import { SyncTimes, type Traffic } from "./traffic.ts";

/** Those who ask while a directory is being synced share the next sync of it. */
export class DirectorySyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();
  readonly #times = new SyncTimes();

  /** @param synced is told how many seconds each took */
  constructor(
    private readonly traffic: Traffic,
    private readonly synced: (seconds: number) => void,
  ) {}

  /**
   * Makes all entries that a directory has now durable.
   *
   * @throws {StoreError} `no-mailbox`, `unavailable`
   */
  sync(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (!running) {
      const syncing = this.#sync(path).finally(() => this.#running.delete(path));
      this.#running.set(path, syncing);
      return syncing;
    }
    let next = this.#next.get(path);
    if (!next) {
      next = running.catch(() => {}).then(() => {
        this.#next.delete(path);
        return this.sync(path);
      });
      this.#next.set(path, next);
    }
    return next;
  }

  /**
   * As {@link sync}, for a directory that other programs may have dropped, with what was in it.
   *
   * @throws {StoreError} `unavailable`
   */
  async syncIfThere(path: string): Promise<void> {
    try {
      await this.sync(path);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "no-mailbox")) throw error;
    }
  }

  async #sync(path: string): Promise<void> {
    const started = performance.now();
    await syncDirectory(path, this.traffic.alone && this.#times.quick);
    const seconds = (performance.now() - started) / 1000;
    this.#times.add(seconds);
    this.synced(seconds);
  }
}

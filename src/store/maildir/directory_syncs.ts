/** Makes directories durable, once for all who wait. */

import { syncDirectory } from "./incoming_file.ts";

/** Those who ask while a directory is being synced share the next sync of it. */
export class DirectorySyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** @param synced is told how many seconds each took */
  constructor(private readonly synced: (seconds: number) => void) {}

  /**
   * Makes all entries that a directory has now durable.
   *
   * @throws {StoreError} `no-mailbox`, `unavailable`
   */
  sync(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (!running) {
      const started = performance.now();
      const syncing = syncDirectory(path)
        .then(() => this.synced((performance.now() - started) / 1000)).finally(() =>
          this.#running.delete(path)
        );
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
}

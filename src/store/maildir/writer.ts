/** One queue of changes for each account, and the transactions they run in. */

import type { DatabaseSync } from "node:sqlite";
import { endOfTurn, Pace, yieldNow } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { CHECKPOINT_PAGES } from "./schema.ts";
import { isDamage, isSqliteError, sqliteRefusal } from "./sqlite_error.ts";

/** What a small operation leaves to do once its statements have run. */
export interface Effect<T> {
  readonly result: T;
  /** Changes what is in memory; must not throw. */
  apply?(): void;
}

/** Told when what is in memory may no longer match the index. */
export interface Recovery {
  /** Reads everything anew from the index. */
  reload(): void;
  /** The index turned out to be damaged. */
  damaged(error: unknown): void;
}

/** How an operation is committed. */
export interface CommitOptions {
  /** False spares the fsync where a power failure may undo it: what is lost is done again. */
  readonly durable?: boolean;
  /** How many messages it changes, about: a large commit is cut into turns. */
  readonly messages?: number;
}

interface Waiting {
  readonly durable: boolean;
  readonly small?: () => Effect<unknown>;
  readonly long?: () => Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface Done {
  readonly waiting: Waiting;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A small operation is one that takes well under this many milliseconds. */
const BATCH_MILLISECONDS = 6;

/** A transaction that changes more messages than this writes many pages. */
const LARGE = 200;

/**
 * Runs the operations of one account one after the other. Small ones that wait together share one
 * transaction and so one fsync; nobody gets a result before it is durable.
 */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #recovery: Recovery;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #asked = 0;
  #checkpoint = false;
  #durable = true;
  #closed = false;

  /** @param synced is told how many seconds each durable commit took */
  constructor(
    database: DatabaseSync,
    recovery: Recovery,
    private readonly synced: (seconds: number) => void,
  ) {
    this.#database = database;
    this.#recovery = recovery;
  }

  /** How many operations were asked for so far. */
  get asked(): number {
    return this.#asked;
  }

  /**
   * Runs `operation` in a transaction together with others. It must refuse (by a StoreError) before
   * it writes; if it throws, only its own statements are undone.
   *
   * @throws {StoreError} what `operation` threw; `over-quota`, `unavailable` when the commit fails
   */
  run<T>(operation: () => Effect<T>, { durable = true }: CommitOptions = {}): Promise<T> {
    return this.#enqueue<T>({ small: operation, durable });
  }

  /**
   * Runs `operation` while no other operation of the account runs. It takes its time in slices and
   * makes its changes with {@link transaction}; awaiting {@link run} inside would never end.
   */
  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#enqueue<T>({ long: operation, durable: true });
  }

  /** One transaction of an operation that runs {@link alone}. */
  async transaction<T>(
    statements: () => T | Promise<T>,
    { durable = true, messages = 0 }: CommitOptions = {},
  ): Promise<T> {
    this.#begin(durable);
    try {
      const result = await statements();
      if (messages > LARGE) await this.#commitLarge();
      else this.#commit();
      return result;
    } catch (error) {
      this.#rollBack();
      if (!(error instanceof StoreError)) this.#reload();
      throw error;
    }
  }

  #begin(durable: boolean): void {
    if (durable !== this.#durable) {
      this.#database.exec(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
      this.#durable = durable;
    }
    this.#database.exec("BEGIN IMMEDIATE");
  }

  #commit(): void {
    const started = performance.now();
    this.#database.exec("COMMIT");
    if (this.#durable) this.synced((performance.now() - started) / 1000);
  }

  /** Leaves the checkpoint, as long as the commit itself after many changes, to a turn of its own. */
  async #commitLarge(): Promise<void> {
    await yieldNow();
    this.#database.exec("PRAGMA wal_autocheckpoint = 0");
    try {
      this.#commit();
      this.#checkpoint = true;
    } finally {
      this.#database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    }
  }

  /** Settles when all that was asked for so far is done. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Lets what waits finish and refuses everything after it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
  }

  #enqueue<T>(operation: Pick<Waiting, "small" | "long" | "durable">): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new StoreError("unavailable", "The mail store is closing"));
    }
    return new Promise<T>((resolve, reject) => {
      this.#asked++;
      this.#queue.push({ ...operation, resolve: resolve as (value: unknown) => void, reject });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    const pace = new Pace();
    while (this.#queue.length > 0) {
      // What arrives in the same turn shares the commit.
      if (pace.due()) await pace.turn();
      else await endOfTurn();
      const next = this.#queue[0];
      if (next.long) {
        this.#queue.shift();
        await this.#runLong(next, next.long);
        await this.#checkpointApart();
      } else this.#runBatch();
    }
    this.#running = undefined;
  }

  async #runLong(waiting: Waiting, operation: () => Promise<unknown>): Promise<void> {
    try {
      waiting.resolve(await operation());
    } catch (error) {
      waiting.reject(this.#refusal(error));
    }
  }

  async #checkpointApart(): Promise<void> {
    if (!this.#checkpoint) return;
    this.#checkpoint = false;
    await yieldNow();
    try {
      this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (error) {
      // What is committed stays in the log; a later checkpoint or the next start takes it over.
      this.#refusal(error);
    }
  }

  #runBatch(): void {
    const done: Done[] = [];
    const taken: Waiting[] = [];
    try {
      this.#begin(this.#queue.some(({ small, durable }) => small && durable));
      const end = performance.now() + BATCH_MILLISECONDS;
      do {
        const next = this.#queue[taken.length];
        if (!next?.small) break;
        taken.push(next);
        done.push(this.#runOne(next, next.small));
      } while (performance.now() < end);
      this.#commit();
    } catch (error) {
      if (taken.length === 0) taken.push(this.#queue[0]);
      this.#rollBack();
      this.#reload();
      const refusal = this.#refusal(error);
      for (const { reject } of taken) reject(refusal);
      return;
    } finally {
      this.#queue = this.#queue.slice(taken.length);
    }
    for (const { waiting, result, error } of done) {
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(error);
    }
  }

  #runOne(waiting: Waiting, operation: () => Effect<unknown>): Done {
    this.#database.exec("SAVEPOINT operation");
    try {
      const { result, apply } = operation();
      this.#database.exec("RELEASE operation");
      apply?.();
      return { waiting, result };
    } catch (error) {
      // A full disk ends the whole transaction: then this throws too, and the batch fails.
      this.#database.exec("ROLLBACK TO operation; RELEASE operation");
      if (!(error instanceof StoreError)) this.#reload();
      return { waiting, error: this.#refusal(error) };
    }
  }

  /** An index that cannot even be read is no use any more. */
  #reload(): void {
    try {
      this.#recovery.reload();
    } catch (error) {
      this.#recovery.damaged(error);
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch (error) {
      // SQLite has already rolled back after some I/O errors.
      if (!isSqliteError(error)) throw error;
    }
  }

  #refusal(error: unknown): unknown {
    if (!isSqliteError(error)) return error;
    if (isDamage(error)) this.#recovery.damaged(error);
    return sqliteRefusal(error);
  }
}

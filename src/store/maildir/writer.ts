/** One queue of changes for each account, and the transactions they run in. */

import type { DatabaseSync } from "node:sqlite";
import { endOfTurn, Pace, yieldNow } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { CommitInDoubt, type CommitLog } from "./commit_log.ts";
import { closedMeanwhile } from "./disk_error.ts";
import { isDamage, isSqliteError, sqliteRefusal } from "./sqlite_error.ts";
import { Statements } from "./statements.ts";
import type { Traffic } from "./traffic.ts";

/** What a small operation leaves to do once its statements have run. */
export interface Effect<T> {
  readonly result: T;
  /** Changes what is in memory; must not throw. */
  apply?(): void;
}

/** Told when what is in memory may no longer match the index, and when the disk refuses. */
export interface Recovery {
  /**
   * Looks before each durable commit: one to a file that lost its name would be gone with it.
   *
   * @throws {StoreError} `unavailable` if the index is not where it was
   */
  assertInPlace(): void;
  /** Reads everything anew from the index. */
  reload(): void;
  /** The index turned out to be damaged. */
  damaged(error: unknown): void;
  /** What was committed cannot be made durable. */
  inDoubt(error: unknown): void;
  /** The disk, or the user's share of it, has no room left. */
  isFull(): boolean;
  /** Gives back some of the room that was kept on the disk; false if there is none. */
  makeRoom(): boolean;
}

/** How an operation is committed. */
export interface CommitOptions {
  /** False spares the fsync where a power failure may undo it: what is lost is done again. */
  readonly durable?: boolean;
  /** How many messages it changes, about: a large commit is cut into turns. */
  readonly messages?: number;
  /** It removes something: on a full disk it gets the room that is kept for that. */
  readonly makesRoom?: boolean;
}

interface Waiting {
  readonly durable: boolean;
  readonly makesRoom: boolean;
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

/** A transaction that changes more messages than this is committed in a turn of its own. */
const LARGE = 200;

/** Pages of the log after which they are moved: more would hold the event loop. */
const CHECKPOINT_PAGES = 1000;
const LONG_LOG_PAGES = 10 * CHECKPOINT_PAGES;

/** Milliseconds between two tries to make durable what the disk refused. */
const MENDING_PAUSE = 1000;

/**
 * Runs the operations of one account one after the other. Small ones that wait together share one
 * transaction and so one fsync; nobody gets a result before it is durable.
 *
 * SQLite itself writes a commit to its log without fsync; the log is then synced on another thread,
 * so that the disk does not hold the event loop, and all that comes meanwhile shares the next commit.
 */
export class Writer {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #recovery: Recovery;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #asked = 0;
  #syncing: Promise<void> | undefined;
  /** Rows that were changed when the log was last synced, and at the last checkpoint. */
  #synced = 0;
  #checkpointed = 0;
  /** How many operations the last durable commit had. */
  #before = 0;
  /** What was committed may not be durable: nothing more is committed before it is. */
  #inDoubt = false;
  #mendAgain = 0;
  #closed = false;

  constructor(
    database: DatabaseSync,
    recovery: Recovery,
    private readonly log: CommitLog,
    private readonly traffic: Traffic,
  ) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.#recovery = recovery;
  }

  /**
   * Set while changes that can be seen already are not durable yet: what is told of them has to
   * wait for it. Rejects if they can't be made durable.
   */
  get syncing(): Promise<void> | undefined {
    return this.#syncing;
  }

  /** Nothing is under way: what is read is what was committed. */
  get resting(): boolean {
    return this.#running === undefined;
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
  run<T>(
    operation: () => Effect<T>,
    { durable = true, makesRoom = false }: CommitOptions = {},
  ): Promise<T> {
    return this.#enqueue<T>({ small: operation, durable, makesRoom });
  }

  /**
   * Runs `operation` while no other operation of the account runs. It takes its time in slices and
   * makes its changes with {@link transaction}; awaiting {@link run} inside would never end.
   */
  alone<T>(operation: () => Promise<T>): Promise<T> {
    return this.#enqueue<T>({ long: operation, durable: true, makesRoom: false });
  }

  /**
   * One transaction of an operation that runs {@link alone}; `statements` may run more than once.
   *
   * @throws {StoreError} `over-quota`, `unavailable`; {@link CommitInDoubt}
   */
  async transaction<T>(
    statements: () => T | Promise<T>,
    options: CommitOptions = {},
  ): Promise<T> {
    await this.#settleDoubt();
    // A long operation may go on for minutes, with the log growing meanwhile. Not after it: the last
    // transaction of an operation is what its client waits for.
    await this.#checkpointAfter(LONG_LOG_PAGES);
    for (let tries = 0;; tries++) {
      try {
        return await this.#transact(statements, options);
      } catch (error) {
        const refusal = this.#refusal(error);
        if (!(options.makesRoom && await this.#makeRoom(refusal, tries))) throw refusal;
      }
    }
  }

  async #transact<T>(
    statements: () => T | Promise<T>,
    { durable = true, messages = 0 }: CommitOptions,
  ): Promise<T> {
    this.#do("BEGIN IMMEDIATE");
    let result: T;
    try {
      result = await statements();
      if (messages > LARGE) await yieldNow();
      if (durable) this.#recovery.assertInPlace();
      this.#commit(durable);
    } catch (error) {
      this.#rollBack();
      if (!(error instanceof StoreError)) this.#reload();
      throw error;
    }
    if (durable) await this.#sync(messages);
    return result;
  }

  #commit(durable: boolean): void {
    if (durable && this.#changes !== this.#synced) this.log.numbers.raise();
    this.#do("COMMIT");
    this.log.numbers.committed();
  }

  #do(sql: string): void {
    this.#statements.of(sql).run();
  }

  /** @throws {CommitInDoubt} what is in memory is that of the index */
  async #sync(operations: number): Promise<void> {
    try {
      const changes = this.#changes;
      if (changes === this.#synced) return;
      this.#synced = changes;
      const alone = operations === 1 && this.#before === 1 && this.traffic.alone;
      this.#before = operations;
      this.#syncing = this.#syncLog(alone);
      await this.#syncing;
      this.log.numbers.keep();
    } catch (error) {
      this.#beInDoubt(error);
      this.#reload();
      throw new CommitInDoubt(error);
    } finally {
      this.#syncing = undefined;
    }
  }

  #syncLog(alone: boolean): Promise<void> | undefined {
    try {
      return this.log.sync(alone)?.catch(() => this.log.mend());
    } catch {
      return this.log.mend();
    }
  }

  #beInDoubt(error: unknown): void {
    this.#inDoubt = true;
    this.#mendAgain = performance.now() + MENDING_PAUSE;
    this.#recovery.inDoubt(error);
  }

  /**
   * What was committed may not be on the disk, and nothing helped yet; then the log must outlive the
   * database.
   */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  /** @throws {StoreError} `unavailable` while what was committed before is not durable */
  async #settleDoubt(): Promise<void> {
    if (!this.#inDoubt) return;
    if (performance.now() < this.#mendAgain && !this.#closed) throw failing();
    try {
      await this.log.mend();
      this.#inDoubt = false;
    } catch (error) {
      this.#beInDoubt(error);
      throw failing(error);
    }
  }

  /**
   * On a full disk the log can be written from its beginning again once its pages are in the index;
   * then the disk gets room back.
   */
  async #makeRoom(refusal: unknown, tries: number): Promise<boolean> {
    if (!(refusal instanceof StoreError) || !isSqliteError(refusal.cause)) return false;
    // SQLite tells a quota that is used up as it tells a broken disk.
    if (refusal.code !== "over-quota" && !this.#recovery.isFull()) return false;
    if (tries > 0 && !this.#recovery.makeRoom()) return false;
    await this.#checkpointAfter(1);
    return !this.#inDoubt;
  }

  /** Rows that were changed since the index was opened. */
  get #changes(): number {
    return Number(this.#statements.arrays("SELECT total_changes()").get()?.[0]);
  }

  /** Settles when all that was asked for so far is done. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Lets what waits finish and refuses everything after it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
    await this.#settleDoubt().catch(() => {});
  }

  #enqueue<T>(operation: Omit<Waiting, "resolve" | "reject">): Promise<T> {
    if (this.#closed) {
      return Promise.reject(closedMeanwhile());
    }
    return new Promise<T>((resolve, reject) => {
      this.#asked++;
      const end = this.traffic.begin();
      this.#queue.push({
        ...operation,
        resolve: (value) => {
          end();
          resolve(value as T);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      });
      this.#running ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    const pace = new Pace();
    try {
      while (this.#queue.length > 0) {
        // What arrives in the same turn shares the commit.
        if (pace.due()) await pace.turn();
        else await endOfTurn();
        const next = this.#queue[0];
        if (next.long) {
          this.#queue.shift();
          await this.#runLong(next, next.long);
        } else await this.#runBatch();
        await this.#checkpointAfter(CHECKPOINT_PAGES);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #runLong(waiting: Waiting, operation: () => Promise<unknown>): Promise<void> {
    try {
      waiting.resolve(await operation());
    } catch (error) {
      waiting.reject(this.#refusal(error));
    }
  }

  /** Makes a checkpoint if the log is so long. */
  async #checkpointAfter(pages: number): Promise<void> {
    if (this.#inDoubt) return;
    try {
      const changes = this.#changes;
      // As if each row that was changed had a page of its own.
      const waiting = this.log.pages() ?? changes - this.#checkpointed;
      if (waiting < pages) return;
      this.#checkpointed = changes;
      await yieldNow();
      await this.log.checkpoint();
    } catch (error) {
      if (isDamage(error)) this.#recovery.damaged(error);
      // A full disk, say: the log has it all, and grows until a later one succeeds.
      else if (!isSqliteError(error)) this.#beInDoubt(error);
    }
  }

  async #runBatch(): Promise<void> {
    const taken: Waiting[] = [];
    let done: readonly Done[] = [];
    try {
      await this.#settleDoubt();
      // Before any of them changes what is in memory.
      if (this.#queue.some(({ small, durable }) => small && durable)) {
        this.#recovery.assertInPlace();
      }
    } catch (error) {
      this.#queue.shift()?.reject(error);
      return;
    }
    for (let tries = 0;; tries++) {
      try {
        done = this.#commitBatch(taken);
        if (taken.some(({ durable }) => durable)) await this.#sync(taken.length);
        break;
      } catch (error) {
        const room = taken.filter(({ makesRoom }) => makesRoom);
        const again = room.length > 0 && await this.#makeRoom(error, tries);
        // Who was refused before is not in doubt, and undoes what it did to files.
        const refused = new Map(done.map(({ waiting, error }) => [waiting, error]));
        for (const waiting of taken) {
          if (!(again && waiting.makesRoom)) waiting.reject(refused.get(waiting) ?? error);
        }
        if (!again) return;
        taken.length = 0;
        this.#queue.unshift(...room);
      }
    }
    for (const { waiting, result, error } of done) {
      if (error === undefined) waiting.resolve(result);
      else waiting.reject(error);
    }
  }

  /** Commits small operations that wait; those that it took are added to `taken`. */
  #commitBatch(taken: Waiting[]): Done[] {
    const done: Done[] = [];
    // Alone in its transaction, an operation is undone with it.
    const apart = this.#queue.length > 1;
    try {
      this.#do("BEGIN IMMEDIATE");
      const end = performance.now() + BATCH_MILLISECONDS;
      do {
        const next = this.#queue[taken.length];
        if (!next?.small || (!apart && taken.length > 0)) break;
        taken.push(next);
        done.push(apart ? this.#runOne(next, next.small) : runAlone(next, next.small));
      } while (performance.now() < end);
      this.#commit(taken.some(({ durable }) => durable));
    } catch (error) {
      if (taken.length === 0) taken.push(this.#queue[0]);
      this.#rollBack();
      if (!(error instanceof StoreError)) this.#reload();
      throw this.#refusal(error);
    } finally {
      this.#queue = this.#queue.slice(taken.length);
    }
    return done;
  }

  #runOne(waiting: Waiting, operation: () => Effect<unknown>): Done {
    this.#do("SAVEPOINT operation");
    try {
      const { result, apply } = operation();
      this.#do("RELEASE operation");
      apply?.();
      return { waiting, result };
    } catch (error) {
      try {
        this.log.numbers.undone();
        this.#do("ROLLBACK TO operation");
        this.#do("RELEASE operation");
      } catch {
        // A full disk ends the whole transaction: then the batch fails.
        throw error;
      }
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
    this.log.numbers.undone();
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

function failing(cause?: unknown): StoreError {
  return new StoreError("unavailable", "The disk fails: nothing can be changed now", { cause });
}

function runAlone(waiting: Waiting, operation: () => Effect<unknown>): Done {
  const { result, apply } = operation();
  apply?.();
  return { waiting, result };
}

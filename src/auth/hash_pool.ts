/** Workers that check passwords: started when needed, ended when idle. */

import { clearTimeout, setTimeout } from "node:timers";
import { assertRoomForWorker } from "../descriptors.ts";
import { NO_STANDING } from "./auth.ts";
import type { HashReply, HashRequest } from "./hash_worker.ts";
import type { PasswordHash } from "./password_hash.ts";
import { isQuick, verifyQuickly } from "./quick_hash.ts";
import { WaitingLine } from "./waiting_line.ts";

/** A check could not be made: too many are waiting, or a worker failed. */
export class HashingUnavailable extends Error {
  override name = "HashingUnavailable";
}

export interface HashPoolOptions {
  /** Workers at once; each can keep one core busy. */
  readonly workers?: number;
  /** Checks that may wait for a worker. */
  readonly queue?: number;
  /** Milliseconds that an idle worker is kept. */
  readonly idle?: number;
}

interface Job {
  readonly request: HashRequest;
  readonly settled: PromiseWithResolvers<boolean>;
}

interface Lane {
  readonly worker: Worker;
  job?: Job;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/** Checks passwords, off the main thread where that takes time. */
export class HashPool {
  readonly #workers: number;
  readonly #idle: number;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: WaitingLine<Job>;
  #next = 1;
  #closed = false;

  constructor(options: HashPoolOptions = {}) {
    this.#workers = options.workers ??
      Math.min(4, Math.max(1, navigator.hardwareConcurrency - 1));
    this.#waiting = new WaitingLine(options.queue ?? 1000);
    this.#idle = options.idle ?? 60_000;
  }

  /** Workers that exist now. */
  get size(): number {
    return this.#lanes.size;
  }

  /**
   * Whether `hash` is that of `password`.
   *
   * @throws {HashingUnavailable}
   */
  verify(hash: PasswordHash, password: string, standing = NO_STANDING): Promise<boolean> {
    if (this.#closed) return Promise.reject(new HashingUnavailable("The server is closing"));
    if (isQuick(hash)) return Promise.resolve(verifyQuickly(hash, password));
    const job: Job = {
      request: { id: this.#next++, hash, password },
      settled: Promise.withResolvers<boolean>(),
    };
    const dropped = this.#waiting.join(job, standing);
    dropped?.settled.reject(new HashingUnavailable("too many logins wait for their turn"));
    this.#pump();
    return job.settled.promise;
  }

  /** Ends all workers; checks under way fail. */
  close(): void {
    this.#closed = true;
    for (const lane of [...this.#lanes]) this.#end(lane, "The server is closing");
    for (const job of this.#waiting.empty()) {
      job.settled.reject(new HashingUnavailable("The server is closing"));
    }
  }

  #pump(): void {
    while (this.#waiting.size > 0) {
      const lane = [...this.#lanes].find((each) => each.job === undefined) ?? this.#startSafely();
      if (lane === undefined) return;
      const job = this.#waiting.next();
      if (job === undefined) return;
      clearTimeout(lane.idleTimer);
      lane.job = job;
      lane.worker.postMessage(job.request);
    }
  }

  /** Where none can be started, those that there are have to do. */
  #startSafely(): Lane | undefined {
    if (this.#lanes.size >= this.#workers) return undefined;
    try {
      assertRoomForWorker();
      return this.#start();
    } catch (error) {
      if (this.#lanes.size > 0) return undefined;
      for (const { settled } of this.#waiting.empty()) {
        settled.reject(new HashingUnavailable(`No worker can be started: ${error}`));
      }
      return undefined;
    }
  }

  #start(): Lane {
    const worker = new Worker(new URL("./hash_worker.ts", import.meta.url), { type: "module" });
    const lane: Lane = { worker };
    worker.onmessage = ({ data }: MessageEvent<HashReply>) => this.#settle(lane, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(lane, `The password worker failed: ${event.message}`);
      this.#pump();
    };
    this.#lanes.add(lane);
    return lane;
  }

  #settle(lane: Lane, reply: HashReply): void {
    const job = lane.job;
    lane.job = undefined;
    if (reply.error === undefined) job?.settled.resolve(reply.match);
    else job?.settled.reject(new HashingUnavailable(reply.error));
    lane.idleTimer = setTimeout(() => this.#end(lane, "Idle"), this.#idle);
    lane.idleTimer.unref();
    this.#pump();
  }

  #end(lane: Lane, why: string): void {
    clearTimeout(lane.idleTimer);
    lane.worker.terminate();
    this.#lanes.delete(lane);
    lane.job?.settled.reject(new HashingUnavailable(why));
  }
}

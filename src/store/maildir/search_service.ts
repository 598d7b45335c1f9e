/** The worker that keeps what SEARCH finds texts by: started when needed, ended when idle. */

import { clearTimeout, setTimeout } from "node:timers";
import { assertRoomForWorker } from "../../descriptors.ts";
import { CatchUpTurns } from "./catch_up.ts";
import type { IndexQuestion } from "./index_questions.ts";
import type { SearchCalls, SearchReply, SearchRequest } from "./search_worker.ts";

/** A call could not be answered; searches read all messages then. */
export class SearchUnavailable extends Error {
  override name = "SearchUnavailable";
}

interface Running {
  readonly worker: Worker;
  readonly calls: Map<number, PromiseWithResolvers<unknown>>;
}

const IDLE = 60_000;
const QUIET = 1000;
/** Milliseconds between two slices of work that nobody waits for. */
const LEAST_REST = 2;
const MOST_REST = 64;
/** A timer that is later than this by so many milliseconds had to wait for other work. */
const LATE = 3;

export interface SearchServiceOptions {
  /** Milliseconds that the worker is kept when no file is open in it. */
  readonly idle?: number;
  /** Milliseconds without a new message in an account after which it is indexed. */
  readonly quiet?: number;
}

/** One worker for all accounts; their files are open in it for as long as they want. */
export class SearchService {
  /** Which account indexes messages next. */
  readonly turns = new CatchUpTurns();
  /** Milliseconds without a new message in an account after which it is indexed. */
  readonly quiet: number;
  readonly #idle: number;
  #running: Running | undefined;
  #next = 1;
  #open = 0;
  #closed = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #rest = LEAST_REST;

  constructor({ idle = IDLE, quiet = QUIET }: SearchServiceOptions = {}) {
    this.#idle = idle;
    this.quiet = quiet;
  }

  /** True while the worker exists. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Starts the worker, since somebody may ask soon. */
  wake(): void {
    if (this.#closed || this.#running) return;
    try {
      this.#running = this.#start();
    } catch {
      // Who asks will hear of it.
      return;
    }
    this.#restLater();
  }

  /**
   * Opens the file of an account. The function that comes back makes further calls; once it failed
   * because the worker ended, the file has to be opened again.
   *
   * @throws {SearchUnavailable}
   */
  async open(
    root: string,
    known: Parameters<SearchCalls["open"]>[1],
  ): Promise<OpenSearchFile> {
    if (this.#closed) throw new SearchUnavailable("The server is closing");
    const { running, release } = this.#hold();
    try {
      const { handle, id, documents } = await this.#call(running, "open", [root, known]);
      return {
        id,
        documents,
        call: (name, ...args) =>
          this.#call(
            running,
            name,
            [handle, ...args] as unknown as Parameters<SearchCalls[typeof name]>,
          ),
        close: () => this.#letGo(running, handle, release),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Opens the file of an account to check it, or uses the one that is open.
   *
   * @throws {SearchUnavailable} such as: it is damaged
   */
  async examine(
    root: string,
    known: Parameters<SearchCalls["examine"]>[1],
  ): Promise<ExaminedSearchFile> {
    if (this.#closed) throw new SearchUnavailable("The server is closing");
    const { running, release } = this.#hold();
    try {
      const { handle, fault } = await this.#call(running, "examine", [root, known]);
      return {
        fault,
        sum: () => this.#call(running, "sum", [handle]),
        lacking: (messages) =>
          this.#call(running, "lacking", [
            handle,
            messages.map(({ document, message }) => ({ document, message })),
          ]) as Promise<readonly number[]>,
        close: () => this.#letGo(running, handle, release),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Opens a copy of an account's index to ask it what the doctor asks. It needs its name no more then.
   *
   * @throws {SearchUnavailable}
   */
  async openIndex(path: string): Promise<AskedIndex> {
    if (this.#closed) throw new SearchUnavailable("The server is closing");
    const { running, release } = this.#hold();
    try {
      const handle = await this.#call(running, "openIndex", [path]);
      return {
        suspicious: (questions) => this.#call(running, "suspicious", [handle, questions]),
        close: () => this.#letGo(running, handle, release),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #letGo(running: Running, handle: number, release: () => void): Promise<void> {
    try {
      await this.#call(running, "close", [handle]);
    } finally {
      release();
    }
  }

  /** The worker, which stays until it is released. */
  #hold(): { readonly running: Running; readonly release: () => void } {
    const running = this.#running ??= this.#start();
    this.#open++;
    clearTimeout(this.#idleTimer);
    let open = true;
    const release = () => {
      if (!open) return;
      open = false;
      this.#open--;
      if (this.#open === 0) this.#restLater();
    };
    return { running, release };
  }

  /**
   * Settles when the worker may do some more of what nobody waits for: soon while this process has
   * nothing else to do, and later where timers are late, since then it has.
   */
  async rest(): Promise<void> {
    const due = performance.now() + this.#rest;
    await new Promise<void>((resolve) => setTimeout(resolve, this.#rest));
    const isLate = performance.now() - due > LATE;
    this.#rest = isLate
      ? Math.min(MOST_REST, this.#rest * 2)
      : Math.max(LEAST_REST, this.#rest / 2);
  }

  /** Ends the worker; the files should be closed. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    if (this.#running) this.#end(this.#running, "The server is closing");
  }

  #restLater(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#open === 0 && this.#running) this.#end(this.#running, "Idle");
    }, this.#idle);
    this.#idleTimer.unref();
  }

  #call<Name extends keyof SearchCalls>(
    running: Running,
    name: Name,
    args: Parameters<SearchCalls[Name]>,
  ): Promise<ReturnType<SearchCalls[Name]>> {
    if (this.#running !== running) {
      return Promise.reject(new SearchUnavailable("The worker has ended"));
    }
    const settled = Promise.withResolvers<unknown>();
    const id = this.#next++;
    running.calls.set(id, settled);
    running.worker.postMessage({ id, name, args } as SearchRequest);
    return settled.promise as Promise<ReturnType<SearchCalls[Name]>>;
  }

  /** @throws {SearchUnavailable} */
  #start(): Running {
    try {
      assertRoomForWorker();
    } catch (error) {
      throw new SearchUnavailable("No worker can be started", { cause: error });
    }
    const worker = new Worker(new URL("./search_worker.ts", import.meta.url), { type: "module" });
    const running: Running = { worker, calls: new Map() };
    worker.onmessage = ({ data: { id, result, error } }: MessageEvent<SearchReply>) => {
      const call = running.calls.get(id);
      running.calls.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new SearchUnavailable(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end(running, `The worker failed: ${event.message}`);
    };
    return running;
  }

  #end(running: Running, why: string): void {
    running.worker.terminate();
    if (this.#running === running) this.#running = undefined;
    for (const call of running.calls.values()) call.reject(new SearchUnavailable(why));
    running.calls.clear();
  }
}

type Rest<Args> = Args extends readonly [number, ...infer Rest] ? Rest : never;

/** The search file of an account, as it is open in the worker. */
export interface OpenSearchFile {
  readonly id: number;
  /** When it was opened. */
  readonly documents: number;
  /** @throws {SearchUnavailable} */
  call<Name extends "add" | "commit" | "find" | "retain">(
    name: Name,
    ...args: Rest<Parameters<SearchCalls[Name]>>
  ): Promise<ReturnType<SearchCalls[Name]>>;
  /** @throws {SearchUnavailable} */
  close(): Promise<void>;
}

/** The search file of an account that is looked at. */
export interface ExaminedSearchFile {
  /** What is wrong with the file as such. */
  readonly fault: string | undefined;
  /** Reads on, which has `lacking` be quick. @returns whether all is read @throws {SearchUnavailable} */
  sum(): Promise<boolean>;
  /** Positions of those messages whose document lacks some of their text. @throws {SearchUnavailable} */
  lacking(
    messages: Parameters<SearchCalls["lacking"]>[1],
  ): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** A copy of an index, as it is open in the worker. */
export interface AskedIndex {
  /** Positions of the questions that may have an answer. @throws {SearchUnavailable} */
  suspicious(questions: readonly IndexQuestion[]): Promise<readonly number[]>;
  /** @throws {SearchUnavailable} */
  close(): Promise<void>;
}

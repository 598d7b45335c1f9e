/** Makes of older messages, in the background, what newer versions keep of each message. */

import { Pace } from "../../pace.ts";
import type { AccountContext } from "./account_context.ts";
import { DATA_VERSION } from "./content_rows.ts";
import { hasLink } from "./links.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { makeData } from "./preparing.ts";

/** Of a row of `meta`: the {@link DATA_VERSION} that all messages have. */
const META = "data_version";

const ROWS_PER_STEP = 1000;
/** Messages that are read before their rows are written. */
const MESSAGES_PER_STEP = 20;
/** Messages between two lines of the log. */
const TOLD = 5000;

/** Lets one account at a time read its mail, in the order in which they asked. */
export class CatchUpTurns {
  #waiting: (() => Promise<void>)[] = [];
  #running = false;

  /** Runs `work` when it is its turn; the function returned takes it back while it waits. */
  ask(work: () => Promise<void>): () => void {
    this.#waiting.push(work);
    this.#next();
    return () => this.#waiting = this.#waiting.filter((each) => each !== work);
  }

  #next(): void {
    if (this.#running) return;
    const work = this.#waiting.shift();
    if (!work) return;
    this.#running = true;
    void work().finally(() => {
      this.#running = false;
      this.#next();
    });
  }
}

/** The catching up of one account. What was interrupted goes on when it is next opened. */
export class CatchUp {
  readonly #account: () => AccountContext;
  readonly #turns: CatchUpTurns;
  #complete: boolean;
  /** Messages came to where it had been already. */
  #moved = false;
  #made = 0;
  #withdraw = () => {};

  constructor(account: () => AccountContext, turns: CatchUpTurns, version: number) {
    this.#account = account;
    this.#turns = turns;
    this.#complete = version >= DATA_VERSION;
  }

  /** The version to be given to the constructor. */
  static readonly meta = META;

  /** Every message that was read has all data. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Messages were copied, maybe without data. */
  messagesMoved(): void {
    this.#moved = true;
  }

  /** @param states the mailboxes that there are at that time */
  start(states: () => Iterable<MailboxState>): void {
    if (this.#complete) return;
    const { background } = this.#account();
    this.#withdraw = this.#turns.ask(() =>
      new Promise((done) => {
        if (background.stopped) return done();
        background.run("making data of older messages", () => this.#run(states).finally(done));
      })
    );
  }

  /** Takes it back if it has not begun; else the background ends it. */
  stop(): void {
    this.#withdraw();
  }

  async #run(states: () => Iterable<MailboxState>): Promise<void> {
    const { background, log, root } = this.#account();
    const started = performance.now();
    while (!this.#complete) {
      this.#moved = false;
      for (const state of inboxFirst(states())) {
        await this.#catchUpIn(state);
        if (background.stopped) break;
      }
      if (background.stopped) {
        if (this.#made > 0) {
          log.info("data of older messages: to be continued", { root, messages: this.#made });
        }
        return;
      }
      await this.#settle();
    }
    if (this.#made === 0) return;
    const seconds = Math.round((performance.now() - started) / 1000);
    log.info("data of older messages: all made", { root, messages: this.#made, seconds });
  }

  /** Newest first: those are what clients look at. */
  async #catchUpIn(state: MailboxState): Promise<void> {
    const account = this.#account();
    const { background, contents } = account;
    const pace = new Pace();
    if (hasLink(account, state)) return;
    for (let end = 2 ** 32; !state.gone && !background.stopped;) {
      const first = contents.rangeBelow(state.id, end, ROWS_PER_STEP);
      if (first === undefined) return;
      const uids = contents.lacking(state.id, { first, last: end - 1 });
      for (let at = 0; at < uids.length && !state.gone && !background.stopped;) {
        const some = uids.slice(at, at += MESSAGES_PER_STEP);
        await makeData(account, state, some);
        this.#tell(some.length);
      }
      end = first;
      if (pace.due()) await pace.turn();
    }
  }

  #tell(messages: number): void {
    const { log, root } = this.#account();
    const before = this.#made;
    this.#made += messages;
    if (before === 0) log.info("making data of older messages", { root, version: DATA_VERSION });
    if (Math.floor(before / TOLD) === Math.floor(this.#made / TOLD)) return;
    log.info("data of older messages: so far", { root, messages: this.#made });
  }

  async #settle(): Promise<void> {
    const { mailboxes, writer } = this.#account();
    await writer.run(() => {
      if (this.#moved) return { result: undefined };
      mailboxes.setMeta(META, DATA_VERSION);
      return { result: undefined, apply: () => this.#complete = true };
    }, { durable: false });
  }
}

function inboxFirst(states: Iterable<MailboxState>): MailboxState[] {
  return [...states].sort((a, b) => Number(b.name === "INBOX") - Number(a.name === "INBOX"));
}

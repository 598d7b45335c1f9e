/**
 * The trigram index of one account: has the texts of messages indexed behind the commands, and tells
 * which messages may hold a text. What it does not know is read, so it may lag behind or be lost.
 */

import { clearTimeout, setTimeout } from "node:timers";
import type { TokenQuery } from "../../message/trigrams.ts";
import { Pace } from "../../pace.ts";
import { type AccountContext, filePath } from "./account_context.ts";
import type { Documents, UnindexedRow } from "./documents.ts";
import { hasLink } from "./links.ts";
import { mailboxDocuments, passing, referencedDocuments } from "./mailbox_documents.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { UidRange } from "./message_rows.ts";
import { isDamage } from "./sqlite_error.ts";
import { type OpenSearchFile, type SearchService, SearchUnavailable } from "./search_service.ts";
import type { Indexed } from "./search_worker.ts";

/** Milliseconds after which indexing begins even if ever more messages come. */
const PATIENCE = 5000;
/** Fewer messages than this are read soon enough: they wait ten times as long for others. */
const MANY = 64;
/** Milliseconds until the next try after a failure. */
const RETRY = 5 * 60_000;
/** Milliseconds until a file is closed that nobody uses: after a search, and after other work. */
const UNUSED = 60_000;
const DONE = 5000;
/** Milliseconds after the opening of an account in which its first commands come before all else. */
const SETTLED = 200;
/** Messages that share a commit, and that the worker is given at once. */
const MESSAGES_PER_COMMIT = 500;
const MESSAGES_PER_CALL = 32;
const ROWS_PER_STEP = 4000;
/** Reading so few messages is faster than asking. */
const FEW = 8;
/** So many documents that no message has are left to lie, and a quarter as many as there are others. */
const LEFT = 1000;

/** What the index of an account needs. */
export interface TextIndexOptions {
  readonly service: SearchService;
  readonly documents: Documents;
  /** Octets of text that a message may have. */
  readonly limit: number;
  /** The mailboxes that there are at that time. */
  readonly states: () => Iterable<MailboxState>;
}

interface Made {
  readonly state: MailboxState;
  readonly uid: number;
  readonly document: Exclude<Indexed, "gone">;
}

/** See the head of this file. */
export class TextIndex {
  readonly #account: () => AccountContext;
  readonly #options: TextIndexOptions;
  /** UIDs of messages that are to be indexed; the last ones come first. */
  readonly #waiting = new Map<MailboxState, number[]>();
  /** Messages that are no longer in {@link #waiting}, and whose documents are not noted yet. */
  #inHand = 0;
  /** Those of them by mailbox: a look for messages without a document may find them again. */
  readonly #taken = new Map<MailboxState, Set<number>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #starting: ReturnType<typeof setTimeout> | undefined;
  #asked = Infinity;
  #indexing = false;
  /** What is being indexed. */
  #working: Promise<void> = Promise.resolve();
  #remaking = false;
  /** When the file was last found damaged. */
  #damaged = -Infinity;
  #withdraw = () => {};
  #file: Promise<OpenSearchFile> | undefined;
  #closing: Promise<void> = Promise.resolve();
  #keepUntil = 0;
  #used: ReturnType<typeof setTimeout> | undefined;
  #cleaned = false;
  /** Nothing is asked of the worker before that time. */
  #notBefore = 0;

  constructor(account: () => AccountContext, options: TextIndexOptions) {
    this.#account = account;
    this.#options = options;
  }

  /** Messages that are to be indexed. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, uids) => sum + uids.length, this.#inHand);
  }

  /** Looks for messages without a document in all mailboxes, once the account has been opened. */
  start(): void {
    clearTimeout(this.#starting);
    this.#starting = setTimeout(() => this.#look(), SETTLED);
    this.#starting.unref();
  }

  #look(): void {
    const { background } = this.#account();
    if (background.stopped) return;
    background.run("looking for messages to be indexed", async () => {
      const pace = new Pace();
      const { states, documents, service } = this.#options;
      // In here, as reading a damaged index fails: a timer that throws would end the process.
      if (documents.known.id !== 0) service.wake();
      for (const state of [...states()]) {
        for (let first = 1;;) {
          const last = documents.rangeAbove(state.id, first, ROWS_PER_STEP);
          if (last === undefined || state.gone || background.stopped) break;
          this.look(state, { first, last });
          first = last + 1;
          if (pace.due()) await pace.turn();
        }
      }
    });
  }

  /** Messages came from elsewhere: those without a document get one. */
  look(state: MailboxState, range: UidRange): void {
    this.add(state, this.#options.documents.lacking(state.id, range));
    if (state.columns) state.columns.documents = undefined;
  }

  /** These messages get documents, soon. */
  add(state: MailboxState, uids: readonly number[]): void {
    if (uids.length === 0) return;
    const waiting = this.#waiting.get(state) ?? [];
    for (const uid of uids) waiting.push(uid);
    this.#waiting.set(state, waiting);
    const { quiet } = this.#options.service;
    this.#soon(waiting.length < MANY ? quiet * 10 : quiet);
  }

  /** Has the file made anew from the messages, soon. */
  async remake(): Promise<void> {
    // Nobody opens it meanwhile, and no document of the old one is noted as one of the new.
    this.#remaking = true;
    this.#notBefore = performance.now() + RETRY;
    try {
      await this.#working.catch(() => {});
      await this.close();
      await this.#account().writer.run(() => {
        const apply = this.#options.documents.forget();
        return { result: undefined, apply };
      });
      for (const { columns } of this.#options.states()) if (columns) columns.documents = undefined;
    } finally {
      this.#remaking = false;
      this.#notBefore = 0;
    }
    this.#look();
    this.#soon(0);
  }

  /** Ends indexing at its next step. */
  stop(): void {
    clearTimeout(this.#starting);
    clearTimeout(this.#timer);
    this.#withdraw();
  }

  /** Closes the file; indexing must have ended. */
  close(): Promise<void> {
    clearTimeout(this.#used);
    const opening = this.#file;
    this.#file = undefined;
    if (opening === undefined) return this.#closing;
    return this.#closing = opening.then((file) => file.close()).catch(() => {});
  }

  #soon(delay: number): void {
    if (this.#indexing || this.#account().background.stopped) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#asked = Math.min(this.#asked, now);
    const patience = Math.max(this.#asked + PATIENCE - now, 0);
    this.#timer = setTimeout(
      () => this.#index(),
      Math.max(Math.min(delay, patience), this.#notBefore - now),
    );
    this.#timer.unref();
  }

  /** Indexes some messages when it is this account's turn, and so on until none waits. */
  #index(): void {
    const { background } = this.#account();
    if (this.#remaking) return;
    this.#asked = Infinity;
    this.#indexing = true;
    this.#withdraw = this.#options.service.turns.ask(() =>
      new Promise<void>((done) => {
        // It may have begun before the turn came.
        if (this.#remaking) return done();
        background.run("indexing texts", () => {
          this.#working = this.#indexSome().finally(done);
          return this.#working;
        });
        if (background.stopped) done();
      }).then(() => {
        this.#indexing = false;
        if (this.#waiting.size > 0) this.#soon(0);
      })
    );
  }

  async #indexSome(): Promise<void> {
    const made: Made[] = [];
    try {
      const file = await this.#opened(DONE);
      while (made.length < MESSAGES_PER_COMMIT && !this.#account().background.stopped) {
        const some = this.#take();
        if (some.length === 0) break;
        await this.#make(file, some, made);
      }
      await file.call("commit");
      await this.#note(made);
      if (this.#waiting.size === 0) await this.#clean(file);
    } catch (error) {
      for (const { state, uid } of made) this.#putBack(state, uid);
      this.#failed(error);
    } finally {
      this.#taken.clear();
      this.#inHand = 0;
      if (this.#file) this.#closeLater();
    }
  }

  /** The newest that wait, of one mailbox. */
  #take(): Unindexed[] {
    const { documents } = this.#options;
    for (const [state, uids] of this.#waiting) {
      while (uids.length > 0 && !state.gone && !hasLink(this.#account(), state)) {
        const some = this.#notTaken(state, uids.splice(-MESSAGES_PER_CALL).reverse());
        this.#inHand += some.length;
        const rows = some.flatMap((uid) => documents.unindexed(state.id, uid) ?? []);
        if (rows.length > 0) return rows.map((row) => ({ state, row }));
      }
      this.#waiting.delete(state);
    }
    return [];
  }

  #notTaken(state: MailboxState, uids: readonly number[]): number[] {
    const taken = this.#taken.get(state) ?? new Set();
    this.#taken.set(state, taken);
    return uids.filter((uid) => {
      const isNew = !taken.has(uid);
      taken.add(uid);
      return isNew;
    });
  }

  #putBack(state: MailboxState, uid: number): void {
    const waiting = this.#waiting.get(state);
    if (waiting) waiting.push(uid);
    else this.#waiting.set(state, [uid]);
  }

  async #make(file: OpenSearchFile, some: readonly Unindexed[], made: Made[]): Promise<void> {
    const account = this.#account();
    const { service, limit } = this.#options;
    for (let at = 0; at < some.length;) {
      const left = some.slice(at);
      try {
        await service.rest();
        if (account.background.stopped) return;
        const messages = left.map(({ state, row }) => ({
          path: filePath(account, state, row.file),
          size: row.size,
          bareLf: row.bareLf,
          parts: row.parts,
        }));
        const results = await file.call("add", messages, limit);
        for (const [i, document] of results.entries()) {
          const { state, row: { uid } } = left[i];
          // Another program removed it or gave it another name: it is looked for at the next opening.
          if (document !== "gone") made.push({ state, uid, document });
        }
        at += results.length;
      } catch (error) {
        for (const { state, row } of left) this.#putBack(state, row.uid);
        throw error;
      }
    }
  }

  async #note(made: readonly Made[]): Promise<void> {
    const { documents } = this.#options;
    if (made.length === 0) return;
    await this.#account().writer.run(() => {
      let next = 0;
      for (const { state, uid, document } of made) {
        documents.note(state.id, uid, document);
        if (typeof document === "number") next = Math.max(next, document + 1);
      }
      documents.setNext(next);
      return {
        result: undefined,
        apply() {
          for (const { state: { columns } } of made) if (columns) columns.documents = undefined;
        },
      };
    }, { durable: false });
  }

  /** Removes documents that no message has any more, if they are many; once after each opening. */
  async #clean(file: OpenSearchFile): Promise<void> {
    if (this.#cleaned || file.documents < LEFT) return;
    this.#cleaned = true;
    const { writer, background } = this.#account();
    const { documents } = this.#options;
    const { count } = await referencedDocuments(documents, this.#options.states());
    if (file.documents <= count * 1.25 + LEFT) return;
    // While nothing is copied: a document may have moved to where was looked already.
    const { marks } = await writer.alone(async () => {
      const referenced = await referencedDocuments(documents, this.#options.states());
      // Durable, and with it that the others are not referred to.
      await writer.transaction(() => documents.countRemoval());
      return referenced;
    });
    if (!background.stopped) await file.call("retain", marks, documents.known.removals);
  }

  /**
   * Those of these messages that may have what is asked for: all that do, and some more.
   *
   * @param uids ascending
   */
  async narrow(
    state: MailboxState,
    uids: readonly number[],
    query: TokenQuery,
  ): Promise<readonly number[]> {
    const { columns } = state;
    if (uids.length <= FEW || !columns || performance.now() < this.#notBefore) return uids;
    try {
      const opening = this.#opened(UNUSED);
      const file = await opening;
      // Before the question: a document that is noted later may not be in its answer.
      const known = columns.documents ??
        await mailboxDocuments(this.#options.documents, state);
      // Another file has other documents.
      if (this.#file !== opening) return uids;
      columns.documents = known;
      if (known.uids.length === 0) return uids;
      const found = await file.call("find", query);
      return this.#file === opening ? await passing(uids, known, found) : uids;
    } catch (error) {
      this.#failed(error);
      return uids;
    }
  }

  #closeLater(): void {
    clearTimeout(this.#used);
    this.#used = setTimeout(() => {
      if (!this.#indexing) void this.close();
    }, Math.max(this.#keepUntil - performance.now(), 0));
    this.#used.unref();
  }

  /** The file, which stays open for so many milliseconds at least. */
  #opened(keep: number): Promise<OpenSearchFile> {
    this.#keepUntil = Math.max(this.#keepUntil, performance.now() + keep);
    this.#closeLater();
    const opening = this.#file ??= this.#open();
    opening.catch(() => {
      if (this.#file === opening) this.#file = undefined;
    });
    return opening;
  }

  async #open(): Promise<OpenSearchFile> {
    await this.#closing;
    const { writer, log, root } = this.#account();
    const { service, documents, states } = this.#options;
    const { known } = documents;
    const file = await service.open(root, known);
    if (file.id === known.id) return file;
    try {
      await writer.run(() => ({ result: undefined, apply: documents.begin(file.id) }), {
        durable: false,
      });
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    for (const { columns } of states()) if (columns) columns.documents = undefined;
    if (known.id !== 0) {
      log.warn("the search file was lost, damaged or of another index; it is made anew", { root });
    }
    if (known.next > 1) this.start();
    return file;
  }

  /** SEARCH reads all messages for a while; a damaged file is made anew at once, but not again and again. */
  #failed(error: unknown): void {
    const { background, log, root } = this.#account();
    if (background.stopped) return;
    if (isDamage(error) && performance.now() - this.#damaged > RETRY) {
      this.#damaged = performance.now();
      background.run("opening the search file", async () => {
        await this.close();
        // The worker has removed it, so another one is made, and the messages are indexed again.
        await this.#opened(DONE);
      });
      return;
    }
    this.#notBefore = performance.now() + RETRY;
    if (!(error instanceof SearchUnavailable)) throw error;
    log.warn("the search file cannot be used now; SEARCH reads the messages", {
      root,
      problem: error.message,
    });
    void this.close();
  }
}

interface Unindexed {
  readonly state: MailboxState;
  readonly row: UnindexedRow;
}

/** A worker that keeps the trigrams of messages, so that the event loop of the server stays free. */

import type { DatabaseSync } from "node:sqlite";
import { textOctets } from "../../message/decoded_text.ts";
import { HEADER_LIMIT, parseOffsets } from "../../message/mime.ts";
import { type TokenQuery, trigramDecoding, Trigrams } from "../../message/trigrams.ts";
import { openSystemLibrary } from "../../system_library.ts";
import { StoreError } from "../store.ts";
import { openCopied } from "./copied_database.ts";
import { type IndexQuestion, suspicious } from "./index_questions.ts";
import { openMessageFile } from "./message_file.ts";
import { type KnownSearchFile, SearchFile } from "./search_file.ts";
import { isDamage } from "./sqlite_error.ts";
import { Statements } from "./statements.ts";
import { TokenSums } from "./token_sums.ts";

/** A message that is to be indexed. */
export interface UnindexedMessage {
  readonly path: string;
  /** In wire form. */
  readonly size: number;
  readonly bareLf: boolean;
  /** `PartOffsets` as JSON. */
  readonly parts: string;
}

/** What became of one: its document, or why it has none. */
export type Indexed = number | "too-large" | "unreadable" | "gone";

/** What the worker can be asked, and what it answers. */
export interface SearchCalls {
  /** Opens the file of the Maildir `root`, anew if it has to; other calls name it by its `handle`. */
  open(root: string, known: KnownSearchFile): {
    readonly handle: number;
    readonly id: number;
    readonly documents: number;
  };
  /**
   * Adds the first of these messages, as many as can be done in some milliseconds.
   *
   * @param limit octets of text that a message may have
   */
  add(handle: number, messages: readonly UnindexedMessage[], limit: number): readonly Indexed[];
  /** Makes durable what was added. */
  commit(handle: number): undefined;
  find(handle: number, query: TokenQuery): Uint32Array<ArrayBuffer>;
  retain(handle: number, marks: Uint8Array, removals: number): undefined;
  /** Opens a file to be checked, or uses the one that is open; says what is wrong with it at once. */
  examine(root: string, known: KnownSearchFile): {
    readonly handle: number;
    readonly fault: string | undefined;
  };
  /**
   * Reads on in a file that is checked, for some milliseconds: `lacking` goes by
   * what was read.
   *
   * @returns whether all is read
   */
  sum(handle: number): boolean;
  /** Positions of those messages whose document lacks some of their text. */
  lacking(
    handle: number,
    messages: readonly { readonly document: number; readonly message: UnindexedMessage }[],
  ): readonly number[];
  /** Opens a copy of an index to look into it, since this thread may take its time. */
  openIndex(path: string): number;
  /** See the function of that name. */
  suspicious(handle: number, questions: readonly IndexQuestion[]): readonly number[];
  close(handle: number): undefined;
}

/** One call, to be answered under its number. */
export type SearchRequest = {
  [Name in keyof SearchCalls]: {
    readonly id: number;
    readonly name: Name;
    readonly args: Parameters<SearchCalls[Name]>;
  };
}[keyof SearchCalls];

/** `error` says why there is no result. */
export interface SearchReply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<SearchRequest>) => void) | null;
  postMessage(reply: SearchReply): void;
}

/** Milliseconds after which a call of `add` or `sum` takes nothing further. */
const SLICE = 15;

interface OpenFile {
  readonly root: string;
  readonly file: SearchFile;
}

/** A file that is only looked at. */
interface ExaminedFile {
  readonly root: string;
  readonly id: number;
  readonly sums: TokenSums;
  /** Opened for that, while nobody else has it open here. */
  own?: SearchFile;
}

/** A copy of an index that is looked into. */
interface OpenIndex {
  readonly database: DatabaseSync;
  readonly statements: Statements;
}

class SearchFiles {
  readonly #files = new Map<number, OpenFile>();
  readonly #examined = new Map<number, ExaminedFile>();
  readonly #indexes = new Map<number, OpenIndex>();
  #next = 1;
  #trigrams: Trigrams | undefined;

  async answer({ id, name, args }: SearchRequest): Promise<SearchReply> {
    try {
      // The arguments are those of the call of that name; TypeScript cannot see the pairing.
      const call = this[name] as (...args: unknown[]) => unknown;
      return { id, result: await call.apply(this, args) };
    } catch (error) {
      if (isDamage(error) && typeof args[0] === "number") this.#discard(args[0]);
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** At the next opening it is made anew, since there is none. */
  #discard(handle: number): void {
    // What is only looked at stays.
    if (this.#examined.has(handle) || this.#indexes.has(handle)) return;
    const root = this.#files.get(handle)?.root;
    this.close(handle);
    if (root !== undefined) SearchFile.remove(root);
  }

  open(root: string, known: KnownSearchFile): ReturnType<SearchCalls["open"]> {
    const before = this.#files.entries().find(([, open]) => open.root === root);
    if (before !== undefined) this.close(before[0]);
    const file = SearchFile.open(root, known);
    const handle = this.#next++;
    this.#files.set(handle, { root, file });
    return { handle, id: file.id, documents: file.documents };
  }

  async add(
    handle: number,
    messages: readonly UnindexedMessage[],
    limit: number,
  ): Promise<readonly Indexed[]> {
    const file = this.#fileOf(handle);
    const end = performance.now() + SLICE;
    const done: Indexed[] = [];
    for (const message of messages) {
      done.push(await this.#addOne(file, message, limit));
      if (performance.now() > end) break;
    }
    return done;
  }

  async #addOne(file: SearchFile, message: UnindexedMessage, limit: number): Promise<Indexed> {
    const parts = parseOffsets(message.parts);
    if (parts === undefined) return "unreadable";
    // Such a header is decoded in pieces, in which a word of a field may be cut.
    if (textOctets(parts) > limit || parts.at[1] >= HEADER_LIMIT) return "too-large";
    const tokens = await this.#tokensOf(message, parts);
    return tokens === "gone" || tokens === "unreadable" ? tokens : file.add(tokens);
  }

  /** Tokens with blanks between them; they have no more than three chars. */
  async #tokensOf(
    message: UnindexedMessage,
    parts = parseOffsets(message.parts),
  ): Promise<string | "gone" | "unreadable"> {
    if (parts === undefined) return "unreadable";
    const trigrams = this.#trigrams ??= new Trigrams();
    try {
      const decoding = trigramDecoding(parts, trigrams);
      const stored = openMessageFile(message.path, message);
      try {
        for await (const piece of stored.read(0, stored.size)) {
          decoding.push(piece);
          if (decoding.done) break;
        }
      } finally {
        stored.close();
      }
      decoding.end();
      return trigrams.take();
    } catch (error) {
      trigrams.take();
      if (!(error instanceof StoreError)) throw error;
      return error.code === "message-gone" ? "gone" : "unreadable";
    }
  }

  commit(handle: number): undefined {
    this.#fileOf(handle).commit();
  }

  find(handle: number, query: TokenQuery): Uint32Array<ArrayBuffer> {
    return this.#fileOf(handle).find(query);
  }

  retain(handle: number, marks: Uint8Array, removals: number): undefined {
    this.#fileOf(handle).retain(marks, removals);
  }

  async examine(
    root: string,
    known: KnownSearchFile,
  ): Promise<ReturnType<SearchCalls["examine"]>> {
    const handle = this.#next++;
    this.#examined.set(handle, { root, id: known.id, sums: new TokenSums() });
    try {
      const file = await this.#fileUnder(this.#examinedBy(handle));
      const fault = file.fault() ??
        (file.isKnown(known) ? undefined : "it is not the one that the index means");
      return { handle, fault };
    } catch (error) {
      this.close(handle);
      throw error;
    }
  }

  #examinedBy(handle: number): ExaminedFile {
    const examined = this.#examined.get(handle);
    if (examined === undefined) throw new Error("The search file is not open");
    return examined;
  }

  /** Asked for in each call, since others open, change and close the file between two. */
  async #fileUnder(examined: ExaminedFile): Promise<SearchFile> {
    const shared = this.#files.values().find(({ root }) => root === examined.root)?.file;
    if (shared !== undefined) {
      examined.own?.close();
      examined.own = undefined;
    }
    return shared ?? (examined.own ??= await SearchFile.openCopy(examined.root));
  }

  /** The same, unless it is another file. */
  async #sameFile(examined: ExaminedFile): Promise<SearchFile> {
    const file = await this.#fileUnder(examined);
    if (file.id !== examined.id) throw new Error("It was made anew meanwhile");
    return file;
  }

  async sum(handle: number): Promise<boolean> {
    const examined = this.#examinedBy(handle);
    const file = await this.#sameFile(examined);
    const end = performance.now() + SLICE;
    return file.sum(examined.sums, () => performance.now() > end);
  }

  async lacking(
    handle: number,
    messages: Parameters<SearchCalls["lacking"]>[1],
  ): Promise<readonly number[]> {
    const examined = this.#examinedBy(handle);
    const file = await this.#sameFile(examined);
    const found: number[] = [];
    for (const [at, { document, message }] of messages.entries()) {
      const tokens = await this.#tokensOf(message);
      if (tokens === "unreadable" || tokens === "gone") continue;
      if (examined.sums.agree(document, tokens)) continue;
      if (!file.has(document, tokens.split(" ").filter((token) => token !== ""))) found.push(at);
    }
    return found;
  }

  close(handle: number): undefined {
    this.#files.get(handle)?.file.close();
    this.#files.delete(handle);
    this.#examined.get(handle)?.own?.close();
    this.#examined.delete(handle);
    this.#indexes.get(handle)?.database.close();
    this.#indexes.delete(handle);
  }

  openIndex(path: string): number {
    const handle = this.#next++;
    const database = openCopied(path);
    this.#indexes.set(handle, { database, statements: new Statements(database) });
    return handle;
  }

  suspicious(handle: number, questions: readonly IndexQuestion[]): readonly number[] {
    const index = this.#indexes.get(handle);
    if (index === undefined) throw new Error("The index is not open");
    return suspicious(index.statements, questions);
  }

  #fileOf(handle: number): SearchFile {
    const open = this.#files.get(handle);
    if (open === undefined) throw new Error("The search file is not open");
    return open.file;
  }
}

/** For setpriority(2): on Linux, a thread by its number, and 0 is the caller. */
const PRIO_PROCESS = 0;
const NICE = 10;

/** Has the system let the other threads of the process come first, where it can. */
function stepBack(): void {
  if (Deno.build.os !== "linux") return;
  openSystemLibrary("libc.so.6", {
    setpriority: { parameters: ["i32", "u32", "i32"], result: "i32" },
  })?.symbols.setpriority(PRIO_PROCESS, 0, NICE);
}

/** Serves one worker's `scope`: one call after the other. */
export function serveSearches(scope: WorkerScope): void {
  const files = new SearchFiles();
  let turn: Promise<void> = Promise.resolve();
  scope.onmessage = ({ data }) => {
    turn = turn.then(async () => scope.postMessage(await files.answer(data)));
  };
}

// The one module whose import has an effect: that is how a worker starts.
if ("WorkerGlobalScope" in globalThis) {
  stepBack();
  serveSearches(globalThis as unknown as WorkerScope);
}

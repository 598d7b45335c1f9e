/** The file with the trigrams of an account's messages, beside its index; used by one thread. */

import { closeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { TokenQuery } from "../../message/trigrams.ts";
import { createOwnedFile } from "../../ownership.ts";
import { openCopied } from "./copied_database.ts";
import { copyDatabase, makeCopyFolder } from "./index_copy.ts";
import { isDamage } from "./sqlite_error.ts";
import { Statements } from "./statements.ts";
import type { TokenSums } from "./token_sums.ts";

/** In the root folder of the Maildir. */
export const SEARCH_FILE = "imapd-search.sqlite";

/** Of the tables, and of what tokens stand for: a file of another one is made anew. */
const VERSION = 1;

/** What the index of the account knows of the file that its documents are in. */
export interface KnownSearchFile {
  /** 0: none was ever made. */
  readonly id: number;
  /** Above all documents that the index has noted. */
  readonly next: number;
  /** How often documents were removed. */
  readonly removals: number;
}

/** Rows that are read at once: each is an object, and there may be a million. */
const ROWS_PER_STEP = 50_000;

/** Tokens are all that is kept, and of each only in which documents it is. */
const TABLES = `CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE VIRTUAL TABLE documents USING fts5(
    tokens, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');`;

/**
 * Documents by their numbers, which are never given twice. What was added is durable once it is
 * {@link commit}ted; {@link find} sees it before.
 */
export class SearchFile {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly id: number;
  #next: number;
  #open = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = new Statements(database);
    this.id = this.#meta("id");
    this.#next = this.#meta("next");
  }

  /**
   * Opens the file of a Maildir. One that is missing, damaged, or not what `known` says is made anew:
   * then it has another `id`, and its documents begin at `known.next`.
   *
   * @throws {Error} such as: it is a symbolic link, or open elsewhere
   */
  static open(root: string, known: KnownSearchFile): SearchFile {
    const path = `${root}/${SEARCH_FILE}`;
    for (const each of filesOf(path)) {
      if (isLink(each)) throw new Error(`${each} is a symbolic link, which is not followed`);
    }
    if (known.id !== 0) {
      const file = SearchFile.#openKnown(path, known);
      if (file !== undefined) return file;
    }
    SearchFile.remove(root);
    closeSync(createOwnedFile(path, 0o600));
    const database = openDatabase(path);
    const id = crypto.getRandomValues(new Uint32Array(1))[0] + 1;
    database.exec(`BEGIN; ${TABLES}
      INSERT INTO meta VALUES ('id', ${id}), ('next', ${known.next}),
        ('removals', ${known.removals});
      PRAGMA user_version = ${VERSION}; COMMIT`);
    return new SearchFile(database);
  }

  /**
   * Opens a copy, to be looked at only: the file and its log stay as they are.
   *
   * @throws {Error} such as: it is damaged
   */
  static async openCopy(root: string): Promise<SearchFile> {
    const dir = await makeCopyFolder();
    try {
      const database = openCopied(await copyDatabase(`${root}/${SEARCH_FILE}`, dir));
      try {
        return new SearchFile(database);
      } catch (error) {
        database.close();
        throw error;
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }

  /** Undefined if there is no file that could be used. */
  static #openKnown(path: string, known: KnownSearchFile): SearchFile | undefined {
    let database: DatabaseSync | undefined;
    try {
      if (Deno.lstatSync(path).size === 0) return undefined;
      database = openDatabase(path);
      const version = database.prepare("PRAGMA user_version").get()?.user_version;
      const file = version === VERSION ? new SearchFile(database) : undefined;
      if (file?.isKnown(known)) return file;
      database.close();
    } catch (error) {
      database?.close();
      if (!isDamage(error) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
    return undefined;
  }

  /** Removes the file of a Maildir; it must be closed. */
  static remove(root: string): void {
    for (const path of filesOf(`${root}/${SEARCH_FILE}`)) {
      try {
        Deno.removeSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  /** Whether it is the file that the index means, and has all that the index believes. */
  isKnown({ id, next, removals }: KnownSearchFile): boolean {
    const removed = this.#meta("removals");
    // The index notes a removal first; it may not have got that far.
    return this.id === id && this.#next >= next &&
      (removed === removals || removed === removals - 1);
  }

  /** How many documents there are. */
  get documents(): number {
    const [count] = this.#statements.arrays("SELECT count(*) FROM documents_docsize")
      .get() as unknown as [number];
    return count;
  }

  /** What SQLite finds wrong with it. */
  fault(): string | undefined {
    const found = this.#statements.arrays("PRAGMA integrity_check(1)").get()?.[0];
    return found === "ok" ? undefined : String(found);
  }

  /** Whether a document has all of these tokens; it may have more. */
  has(document: number, tokens: readonly string[]): boolean {
    // Beside MATCH, `rowid = ?` counts for nothing in SQLite 3.53.
    const statement = this.#statements.arrays(
      "SELECT 1 FROM documents WHERE documents MATCH ?1 AND rowid BETWEEN ?2 AND ?2",
    );
    for (let at = 0; at < tokens.length; at += MAX_CONDITIONS) {
      const some = tokens.slice(at, at + MAX_CONDITIONS);
      if (statement.get(allOf(some, ""), document) === undefined) return false;
    }
    return true;
  }

  /**
   * Reads tokens after `sums.last`, at least one. Where they are not in order, what is left has no
   * sums.
   *
   * @param isDue asked after each token, which may be in all documents
   * @returns whether those were all
   */
  sum(sums: TokenSums, isDue: () => boolean): boolean {
    this.#database.exec(
      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.tokens USING fts5vocab(main, documents, instance)",
    );
    const rows = this.#statements.arrays(
      "SELECT term, group_concat(doc) FROM temp.tokens WHERE term > ? GROUP BY term",
    ).iterate(sums.last) as unknown as Iterable<[string, string]>;
    for (const [token, documents] of rows) {
      if (token <= sums.last) return true;
      sums.add(token, documents);
      if (isDue()) return false;
    }
    return true;
  }

  /** Adds a document. @param tokens with blanks between them @returns its number */
  add(tokens: string): number {
    if (!this.#open) this.#database.exec("BEGIN");
    this.#open = true;
    const document = this.#next++;
    this.#statements.of("INSERT INTO documents (rowid, tokens) VALUES (?, ?)").run(
      document,
      tokens,
    );
    return document;
  }

  /** Makes durable what was added. */
  commit(): void {
    if (!this.#open) return;
    this.#setMeta("next", this.#next);
    this.#database.exec("COMMIT");
    this.#open = false;
  }

  /** Numbers of documents that have what is asked for, ascending. */
  find(query: TokenQuery): Uint32Array<ArrayBuffer> {
    const expression = expressionOf(query);
    const statement = this.#statements.arrays(
      "SELECT rowid FROM documents WHERE documents MATCH ? AND rowid > ? ORDER BY rowid LIMIT ?",
    );
    const found: number[] = [];
    for (let after = 0;;) {
      const rows = statement.all(expression, after, ROWS_PER_STEP) as unknown as [number][];
      for (const [document] of rows) found.push(document);
      if (rows.length < ROWS_PER_STEP) return Uint32Array.from(found);
      after = found[found.length - 1];
    }
  }

  /**
   * Removes documents without a mark at their number; those with higher numbers than that stay.
   *
   * @param removals how often that was done, this time included
   */
  retain(marks: Uint8Array, removals: number): void {
    this.commit();
    const rows = this.#statements.arrays(
      "SELECT id FROM documents_docsize WHERE id < ? ORDER BY id",
    ).all(marks.length) as unknown as [number][];
    const remove = this.#statements.of("DELETE FROM documents WHERE rowid = ?");
    this.#database.exec("BEGIN");
    for (const [document] of rows) if (marks[document] === 0) remove.run(document);
    this.#setMeta("removals", removals);
    this.#database.exec("COMMIT");
  }

  /** What was not committed is lost. */
  close(): void {
    this.#database.close();
  }

  #meta(name: string): number {
    const row = this.#statements.of("SELECT value FROM meta WHERE name = ?").get(name);
    return Number(row?.value ?? 0);
  }

  #setMeta(name: string, value: number): void {
    this.#statements.of("UPDATE meta SET value = ? WHERE name = ?").run(value, name);
  }
}

function filesOf(path: string): readonly string[] {
  return ["", "-wal", "-shm", "-journal"].map((suffix) => path + suffix);
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;`);
    Deno.chmodSync(path, 0o600);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Conditions that are looked at; more would make an expression that SQLite refuses. */
const MAX_CONDITIONS = 32;

/** Tokens have only letters, digits and chars beyond ASCII, so quotes hold them. */
function expressionOf(query: TokenQuery): string {
  return query.slice(0, MAX_CONDITIONS).map((alternatives) =>
    `(${alternatives.map((tokens) => allOf(tokens)).join(" OR ")})`
  ).join(" AND ");
}

/** @param open put after tokens that are only beginnings */
function allOf(tokens: readonly string[], open = "*"): string {
  return `(${tokens.map((token) => `"${token}"${token.length < 3 ? open : ""}`).join(" AND ")})`;
}

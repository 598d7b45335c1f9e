/** A table in a text file, read again when it changes. */

import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../log.ts";
import { replaceFile } from "../durable_file.ts";
import { giveTo, giveToOwnerOf } from "../ownership.ts";
import type { MutableTable } from "./table.ts";
import { parseTable, TableSyntaxError, withEntry, withoutEntry } from "./table_text.ts";

export interface FileTableOptions {
  readonly path: string;
  readonly log: Log;
}

const NONE: readonly string[] = [];
/** Deno tells times of change, which nobody can set, in whole seconds; in milliseconds. */
const YOUNG = 2000;

/** `name: value` lines of one file. A missing file is an empty table. */
export class FileTable implements MutableTable {
  readonly #path: string;
  readonly #log: Log;
  #entries: ReadonlyMap<string, readonly string[]> = new Map();
  #values = NONE;
  #version: string | undefined;
  /** It was read so soon after it changed that another change may have left the same times. */
  #young = false;
  /** What was last read, if it was a table. */
  #text: string | undefined;
  /** What was last wrong with it. */
  #problem: string | undefined;
  #checking: Promise<void> | undefined;

  private constructor(options: FileTableOptions) {
    this.#path = options.path;
    this.#log = options.log;
  }

  /** @throws {Error} when the file is there but cannot be read, or is not a table */
  static async open(options: FileTableOptions): Promise<FileTable> {
    const table = new FileTable(options);
    await table.#load();
    return table;
  }

  async lookup(key: string): Promise<string | undefined> {
    await this.#refresh();
    return this.#entries.get(key)?.[0];
  }

  async lookupAll(key: string): Promise<readonly string[]> {
    await this.#refresh();
    return this.#entries.get(key) ?? NONE;
  }

  async values(): Promise<readonly string[]> {
    await this.#refresh();
    return this.#values;
  }

  async keys(): Promise<readonly string[]> {
    await this.#refresh();
    return [...this.#entries.keys()];
  }

  async set(
    key: string,
    value: string,
    ...before: readonly (string | undefined)[]
  ): Promise<boolean> {
    let done = true;
    await this.#edit((text) => {
      const found = before.length === 0 ? undefined : parseTable(text).get(key)?.[0];
      done = before.every((each) => each === found);
      return done ? withEntry(text, key, value) : text;
    });
    return done;
  }

  async remove(key: string): Promise<boolean> {
    let found = false;
    await this.#edit((text) => {
      found = parseTable(text).has(key);
      return withoutEntry(text, key);
    });
    return found;
  }

  /** Looks at the file's times each time: who was locked out must not log in any more. */
  #refresh(): Promise<void> {
    this.#checking ??= this.#reload().finally(() => this.#checking = undefined);
    return this.#checking;
  }

  /** Keeps what was read before when the file is broken: half a file must not lock users out. */
  async #reload(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      this.#log.error("table not read again, keeping what was read before", {
        path: this.#path,
        error: problem,
      });
    }
  }

  async #load(): Promise<void> {
    const { version, changed } = await versionOf(this.#path);
    if (version === this.#version && !this.#young) return;
    if (version !== this.#version) this.#problem = undefined;
    // Set first: a broken file is reported once, not at each look.
    this.#version = version;
    this.#young = Date.now() < changed + YOUNG;
    if (version === "missing") {
      this.#log.warn("table is missing, taken as empty", { path: this.#path });
      this.#text = undefined;
      this.#take(new Map());
      return;
    }
    const text = await Deno.readTextFile(this.#path);
    if (text === this.#text) return;
    this.#take(parsed(this.#path, text));
    this.#text = text;
  }

  #take(entries: ReadonlyMap<string, readonly string[]>): void {
    this.#entries = entries;
    this.#values = [...entries.values()].flat();
  }

  /** Replaces the file in one step, so that a reader never sees half of it. */
  async #edit(change: (text: string) => string): Promise<void> {
    const path = await Deno.realPath(this.#path).catch(() => this.#path);
    // The lock is on the folder, because the file itself is replaced.
    using folder = await openFolder(dirname(path));
    await folder.lock(true);
    const { text, mode } = await readForEdit(path);
    const changed = change(text);
    parseTable(changed);
    if (changed !== text) await replaceFile(path, changed, mode, (fd) => keepOwner(path, fd));
  }
}

/** @throws {Error} which names the folder that has to be made */
async function openFolder(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`The folder ${path} does not exist: create it first`, { cause: error });
  }
}

/** What tells one state of the file from another, and when it last changed. */
async function versionOf(path: string): Promise<{ version: string; changed: number }> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    return { version: `${mtimeMs} ${ctimeMs} ${size} ${ino}`, changed: ctimeMs };
  } catch (error) {
    if (isMissing(error)) return { version: "missing", changed: 0 };
    throw error;
  }
}

/** @throws {Error} which names file and line */
function parsed(path: string, text: string): Map<string, string[]> {
  try {
    return parseTable(text);
  } catch (error) {
    if (!(error instanceof TableSyntaxError)) throw error;
    throw new Error(`${path}:${error.line}: ${error.message}`, { cause: error });
  }
}

async function readForEdit(path: string): Promise<{ text: string; mode: number }> {
  try {
    const { mode } = await stat(path);
    return { text: await Deno.readTextFile(path), mode: mode & 0o777 };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { text: "", mode: 0o600 };
  }
}

/**
 * When root edits the file, the server's user must still be able to read it. A file that root makes
 * gets the owner of its folder.
 */
async function keepOwner(from: string, fd: number): Promise<void> {
  try {
    giveTo(fd, await stat(from));
  } catch (error) {
    if (!isMissing(error)) throw error;
    giveToOwnerOf(dirname(from), fd);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Numbers what is committed to an index, also beside it: so an index that lacks some is known. */

import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { createOwnedFile, openOwnFile } from "../../ownership.ts";
import { INDEX_FILE, type OpenedIndex } from "./schema.ts";

/** In the root folder of the Maildir: the last number, its own birth and that of the index. */
export const COMMITS_FILE = "imapd.commits";

const NUMBER = "SELECT value FROM meta WHERE name = 'commits'";

/** More than all numbers, so that the file keeps its size. */
const OCTETS = 96;
/** The last one is there twice: a power failure may have left the beginning of a write. */
const TEXT = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) \1 *\n$/;

/** What the file says. */
interface Noted {
  readonly last: number;
  /** When the file was made, in ms; a copy has another time, which cannot be set. */
  readonly born: number;
  /** The same of the index. */
  readonly indexBorn: number;
}

/**
 * The number goes up in the transaction of each durable commit, and in the file once that is durable;
 * the file itself is not synced. So it is behind after a power failure, but ahead only of an index that
 * is older than it was, or whose log is gone.
 */
export class CommitNumbers {
  /** Why the index cannot be the one that was last used; undefined if it may be. */
  readonly doubt: string | undefined;
  /** SQLite joined it with the log of another one. */
  readonly isMixed: boolean = false;
  /** Undefined where the disk has no room for it. */
  readonly #fd: number | undefined;
  readonly #born: number = 0;
  readonly #indexBorn: number = 0;
  readonly #raise: StatementSync;
  /** That of a transaction which may fail yet. */
  #next: number;
  #last: number;

  constructor(root: string, { database, made, interrupted }: OpenedIndex) {
    this.#raise = database.prepare(
      `INSERT INTO meta VALUES ('commits', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1`,
    );
    const inIndex = numberIn(database);
    const path = `${root}/${COMMITS_FILE}`;
    this.#fd = openOrMake(path);
    const noted = this.#fd === undefined ? undefined : read(this.#fd);
    this.#next = this.#last = Math.max(inIndex, noted?.last ?? 0);
    if (this.#fd === undefined) return;
    this.#born = birthOf(path);
    this.#indexBorn = birthOf(`${root}/${INDEX_FILE}`);
    if (noted === undefined || made) return;
    if (noted.born !== this.#born) this.doubt = "the Maildir is a copy";
    else if (interrupted && noted.indexBorn !== this.#indexBorn) {
      this.isMixed = true;
      this.doubt = "the log beside it is of another one";
    } else if (inIndex < noted.last) this.doubt = "it lacks what was committed to it";
  }

  /** Numbers the transaction that is under way. */
  raise(): void {
    this.#raise.run(++this.#next);
  }

  /** The last transaction with a number is durable. */
  keep(): void {
    this.#last = this.#next;
    this.#write();
  }

  #write(): void {
    if (this.#fd === undefined) return;
    const text = `${this.#last} ${this.#born} ${this.#indexBorn} ${this.#last}`.padEnd(OCTETS - 1) +
      "\n";
    try {
      // With a string it would be written behind what is there.
      fs.writeSync(this.#fd, Buffer.from(text), 0, OCTETS, 0);
    } catch {
      // A lower number only tells less.
    }
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
  }
}

function numberIn(database: DatabaseSync): number {
  return Number(database.prepare(NUMBER).get()?.value ?? 0);
}

/** 0 where the file system does not know. */
function birthOf(path: string): number {
  return Deno.lstatSync(path).birthtime?.getTime() ?? 0;
}

function openOrMake(path: string): number | undefined {
  try {
    const known = fs.lstatSync(path, { throwIfNoEntry: false });
    if (known === undefined) fs.closeSync(createOwnedFile(path, 0o600));
    return openOwnFile(path, fs.constants.O_RDWR);
  } catch {
    return undefined;
  }
}

function read(fd: number): Noted | undefined {
  const buffer = Buffer.alloc(OCTETS);
  const text = buffer.toString("latin1", 0, fs.readSync(fd, buffer, 0, OCTETS, 0));
  const found = TEXT.exec(text);
  if (found === null) return undefined;
  const [last, born, indexBorn] = found.slice(1).map(Number);
  return { last, born, indexBorn };
}

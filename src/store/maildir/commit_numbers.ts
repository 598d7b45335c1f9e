/** Numbers what is committed to an index, also beside it: so an index that lacks some is known. */

import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import { createOwnedFile, openOwnFile, readStart } from "../../ownership.ts";
import { errnoOf } from "./disk_error.ts";
import { lstat } from "./locating.ts";
import type { Told } from "./problem.ts";
import { INDEX_FILE, type OpenedIndex } from "./schema.ts";

/** In the root folder of the Maildir: the last number, its own birth and that of the index. */
export const COMMITS_FILE = "imapd.commits";

const NUMBER = `SELECT max(
  ifnull((SELECT value FROM meta WHERE name = 'commits'), 0),
  ifnull((SELECT max(last_commit) FROM mailboxes), 0)) AS number`;

/** More than all numbers, so that the file keeps its size. */
const OCTETS = 96;
/** The last one is there twice: a power failure may have left the beginning of a write. */
const TEXT = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) \1 *\n$/;
/** Nothing, zeros, or the beginning of a write and what was there before it. */
const CUT_OFF = /^[\d ]*\n?\0*$/;

const UNKNOWN = "what was committed to it cannot be read";
const MIXED = "the log beside it is of another one";

/** What the file says. */
interface Noted {
  readonly last: number;
  /** It was made at another time than it says, which cannot be set. */
  readonly isCopy: boolean;
  /** When the index was made, in ms. */
  readonly indexBorn: number;
}

/**
 * The number goes up in the transaction of each durable commit, and in the file once that is durable;
 * the file itself is not synced. So it is behind after a power failure, but ahead only of an index that
 * is older than it was, or whose log is gone. In the index the number is in a row that the transaction
 * writes anyway, if there is one: another would be one more page in the log.
 */
export class CommitNumbers {
  /** Why the index cannot be the one that was last used; undefined if it may be. */
  readonly doubt: string | undefined;
  /** The log has what may never have been durable, so that a power failure would undo it. */
  readonly unproven: boolean;
  /** Undefined where the disk does not take it. */
  readonly #fd: number | undefined;
  /** When the file was made, in ms. */
  readonly #born: number = 0;
  readonly #indexBorn: number = 0;
  readonly #raise: StatementSync;
  /** That of the transaction which is under way, or comes next. */
  #next: number;
  /** A row has it. */
  #noted = false;
  /** The highest that was given, and the highest that is durable. */
  #given: number;
  #last: number;

  constructor(root: string, { database, made, interrupted }: OpenedIndex, log: Log) {
    this.#raise = database.prepare(
      `INSERT INTO meta VALUES ('commits', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1`,
    );
    const inIndex = numberIn(database);
    const path = `${root}/${COMMITS_FILE}`;
    const found = read(path, log);
    const noted = found === "unreadable" ? undefined : found;
    this.#given = this.#last = Math.max(inIndex, noted?.last ?? 0);
    this.#next = this.#last + 1;
    this.unproven = interrupted && inIndex > (noted?.last ?? -1);
    this.#indexBorn = birthOf(`${root}/${INDEX_FILE}`);
    this.#fd = found === "unreadable" ? replace(path, log) : openOrMake(path, log);
    if (this.#fd !== undefined) this.#born = birthOf(path);
    if (noted !== undefined && !made) this.doubt = this.#doubtAbout(noted, inIndex, interrupted);
    // Once: where there is no new file, the next opening would find the same.
    if (found === "unreadable" && !made && this.#fd !== undefined) this.doubt = UNKNOWN;
    // The file may be a new one. What is only in a log may not be durable.
    if (this.doubt === undefined && !interrupted) this.#write();
  }

  /** SQLite joined the index with the log of another one. */
  get isMixed(): boolean {
    return this.doubt === MIXED;
  }

  #doubtAbout(noted: Noted, inIndex: number, interrupted: boolean): string | undefined {
    if (noted.isCopy) return "the Maildir is a copy";
    if (interrupted && noted.indexBorn !== this.#indexBorn) return MIXED;
    return inIndex < noted.last ? "it lacks what was committed to it" : undefined;
  }

  /** The number of the transaction that is under way, which is to be the `last_commit` of a row. */
  note(): number {
    this.#noted = true;
    return this.#next;
  }

  /** Sees to it that the transaction that is under way has a number. */
  raise(): void {
    if (!this.#noted) this.#raise.run(this.#next);
    this.#noted = true;
  }

  /** What was noted is undone, or some of it. */
  undone(): void {
    this.#noted = false;
  }

  /** The transaction is committed. Its number is used up: what was not undone may have it. */
  committed(): void {
    if (this.#noted) this.#given = this.#next;
    this.#next++;
    this.#noted = false;
  }

  /** All that was committed is durable. */
  keep(): void {
    this.#last = this.#given;
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

/** What numbers the transactions of a writer. */
export type Numbering = Pick<CommitNumbers, "raise" | "undone" | "committed" | "keep">;

function numberIn(database: DatabaseSync): number {
  return Number(database.prepare(NUMBER).get()?.number);
}

/** 0 where the file system does not know. */
function birthOf(path: string): number {
  return Deno.lstatSync(path).birthtime?.getTime() ?? 0;
}

/** Opens a folder for a file without a name, which is gone when it is closed. @see open(2) */
const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
/** A disk that is not read-only has no room for one, or its file system has none such. */
const WRITABLE = new Set(["ENOSPC", "EDQUOT", "EOPNOTSUPP", "ENOTSUP"]);

/**
 * Whether the disk of a Maildir takes writes: false for one that is read-only, as it becomes after
 * an error; undefined where that cannot be said now, as while no more files can be opened.
 */
export function takesWrites(root: string): boolean | undefined {
  const { O_WRONLY } = fs.constants;
  return opens(() => openOwnFile(`${root}/${COMMITS_FILE}`, O_WRONLY)) ??
    // It is not there, or is no such file.
    opens(() => fs.openSync(root, O_WRONLY | O_TMPFILE, 0o600));
}

function opens(open: () => number): boolean | undefined {
  try {
    fs.closeSync(open());
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    return errno === "EROFS" ? false : WRITABLE.has(errno) ? true : undefined;
  }
}

/** Why commits cannot be numbered beside the index. */
export function commitsProblem(root: string): Told | undefined {
  const path = `${root}/${COMMITS_FILE}`;
  if (takesWrites(root) === false) {
    return {
      level: "failed",
      code: "disk-read-only",
      text: `the disk of ${root} is read-only`,
      paths: [root],
      advice: "nothing can be stored before it takes writes again; the system's log may say why",
    };
  }
  if (lstat(path)?.isDirectory !== true) return undefined;
  return {
    level: "failed",
    code: "commits-file",
    text: `${path} is a folder, so that an older index would not be noticed`,
    paths: [path],
    advice: "move it away: the server makes a file of that name",
  };
}

function openOrMake(path: string, log: Log): number | undefined {
  try {
    const known = fs.lstatSync(path, { throwIfNoEntry: false });
    return known === undefined
      ? createOwnedFile(path, 0o600)
      : openOwnFile(path, fs.constants.O_WRONLY);
  } catch {
    return replace(path, log);
  }
}

/** What has another name, or is no file, is not written to. */
function replace(path: string, log: Log): number | undefined {
  const tmp = `${path}.tmp`;
  let fd: number | undefined;
  try {
    Deno.removeSync(tmp);
  } catch {
    // It is not there.
  }
  try {
    fd = createOwnedFile(tmp, 0o600);
    fs.renameSync(tmp, path);
    log.info("made the file of commits' numbers anew", { path });
    return fd;
  } catch (problem) {
    if (fd !== undefined) fs.closeSync(fd);
    // Nothing is committed there.
    if (errnoOf(problem) === "EROFS") return undefined;
    log.warn("commits are not numbered: an older index would not be noticed", {
      path,
      problem: String(problem),
    });
    return undefined;
  }
}

/** Undefined where it says nothing: it is new, or the power failed before it was written. */
function read(path: string, log: Log): Noted | "unreadable" | undefined {
  try {
    const text = readStart(path, OCTETS);
    const found = TEXT.exec(text);
    if (found === null && CUT_OFF.test(text)) return undefined;
    if (found === null) throw new Error("Expected the numbers that were written to it");
    const [last, born, indexBorn] = found.slice(1).map(Number);
    return { last, isCopy: born !== birthOf(path), indexBorn };
  } catch (problem) {
    if (errnoOf(problem) === "ENOENT") return undefined;
    log.warn("an older index would not have been noticed", { path, problem: String(problem) });
    return "unreadable";
  }
}

/** The copies in which the doctor looks at an index. */

import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { errnoOf } from "./disk_error.ts";
import { damaged, damageOf, type ExaminedIndex, ownIndex } from "./index_examination.ts";
import { copyIndex, indexFiles, makeCopyFolder } from "./index_copy.ts";
import type { Told } from "./problem.ts";
import { bringUpToDate, INDEX_FILE, isEmpty } from "./schema.ts";
import { type SearchService, SearchUnavailable } from "./search_service.ts";
import { isRefused } from "./sqlite_error.ts";

/** What a copy is made for. */
export interface CopyOptions {
  /** The Maildir. */
  readonly root: string;
  /** Looks into it first, where others wait for this thread. */
  readonly worker?: SearchService;
  /** Nobody wants to know any more. */
  readonly gone?: AbortSignal;
}

/** @param place where the copy was */
function unread(error: unknown, place: string): Told {
  const why = error instanceof Error ? error.message : String(error);
  const told = { level: "failed", code: "index-unreadable" } as const;
  if (isRefused(error) || errnoOf(error) === "ENOSPC") {
    return {
      ...told,
      text: `the index cannot be read: ${why}, where a copy of it was made, in ${place}`,
      advice: "make room there for two of it, or name another folder in TMPDIR",
    };
  }
  return error instanceof StoreError || errnoOf(error) !== undefined
    ? { ...told, text: `the index cannot be read: ${why}` }
    : damaged(why);
}

function suspectsIn(path: string, worker: SearchService | undefined): ExaminedIndex["suspects"] {
  return worker && ((questions) =>
    worker.suspicious(path, questions).catch((error: unknown) => {
      if (!(error instanceof SearchUnavailable)) throw error;
      return [...questions.keys()];
    }));
}

/** Has the worker look into a copy first: it could not read the file without dropping locks on it. */
export async function withSuspects(
  { worker }: CopyOptions,
  index: ExaminedIndex,
  work: (index: ExaminedIndex) => Promise<void>,
): Promise<void> {
  if (worker === undefined || index.copyTo === undefined) return await work(index);
  const dir = await makeCopyFolder();
  try {
    const copy = `${dir}/${INDEX_FILE}`;
    const copied = await index.copyTo(copy).then(() => true, () => false);
    await work(copied ? { ...index, suspects: suspectsIn(copy, worker) } : index);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A closed index is read from a copy: reading what is kept in a log would change it. */
export async function withCopy(
  { root, worker, gone }: CopyOptions,
  work: (index: ExaminedIndex) => Promise<void>,
  failed: (told: Told) => void,
): Promise<void> {
  const dir = await makeCopyFolder();
  let database: DatabaseSync | undefined;
  try {
    const odd = indexFiles(root).find(({ info }) => !info.isFile);
    if (odd !== undefined) return failed(irregular(odd.path));
    const copy = await copyIndex(root, dir);
    database = new DatabaseSync(copy);
    // What is in the log is in the file then.
    database.exec("PRAGMA journal_mode = DELETE");
    if (isEmpty(database)) return failed(missing("the index is empty"));
    const own = { ...ownIndex(database), suspects: suspectsIn(copy, worker) };
    const why = await damageOf(own);
    if (why !== undefined) return failed(damaged(why));
    bringUpToDate(database);
    await work(own);
  } catch (error) {
    gone?.throwIfAborted();
    failed(unread(error, dirname(dir)));
  } finally {
    database?.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** An index that is yet to be made. */
export function missing(text: string): Told {
  return {
    level: "warning",
    code: "index-missing",
    text,
    advice: "it is made at the next login",
    mender: "compare",
    remedy: "it is made",
  };
}

/** A folder, a link, a pipe. */
function irregular(path: string): Told {
  return {
    level: "failed",
    code: "index-unreadable",
    text: `the index cannot be read: ${path} is not a plain file`,
    paths: [path],
    advice: "--repair puts it aside, and makes another one, under new UIDVALIDITYs",
    mender: "index",
    remedy: "it was put aside, and the index made anew, under new UIDVALIDITYs",
  };
}

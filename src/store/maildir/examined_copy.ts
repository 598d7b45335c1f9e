/** The copies in which the doctor looks at an index. */

import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { openCopied } from "./copied_database.ts";
import { errnoOf } from "./disk_error.ts";
import { damaged, damageOf, type ExaminedIndex, ownIndex } from "./index_examination.ts";
import { copyIndex, type CopyPlaces, indexFiles, makeCopyFolder } from "./index_copy.ts";
import type { Told } from "./problem.ts";
import { bringUpToDate, INDEX_FILE, isEmpty } from "./schema.ts";
import { type AskedIndex, type SearchService, SearchUnavailable } from "./search_service.ts";
import { isRefused } from "./sqlite_error.ts";

/** What a copy is made for. */
export interface CopyOptions {
  /** The Maildir. */
  readonly root: string;
  readonly places?: CopyPlaces;
  /** Looks into it first, where others wait for this thread. */
  readonly worker?: SearchService;
  /** Nobody wants to know any more. */
  readonly gone?: AbortSignal;
}

/** @param place where the copy was; undefined if none could be made */
function unread(error: unknown, place: string | undefined): Told {
  const why = error instanceof Error ? error.message : String(error);
  const told = { level: "failed", code: "index-unreadable" } as const;
  if (place === undefined) {
    return {
      ...told,
      text: `the index cannot be read: no copy of it can be made: ${why}`,
      advice: "name a folder in TMPDIR that can be written",
    };
  }
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

/** Absent: the worker cannot be asked, so this thread looks by itself. */
async function askedIndex(
  path: string,
  worker: SearchService | undefined,
): Promise<AskedIndex | undefined> {
  return await worker?.openIndex(path).catch(unlessUnavailable);
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof SearchUnavailable)) throw error;
}

function suspectsIn(asked: AskedIndex | undefined): ExaminedIndex["suspects"] {
  return asked &&
    (async (questions) =>
      await asked.suspicious(questions).catch(unlessUnavailable) ?? [...questions.keys()]);
}

/** Has the worker look into a copy first: it could not read the file without dropping locks on it. */
export async function withSuspects(
  { worker, places }: CopyOptions,
  index: ExaminedIndex,
  work: (index: ExaminedIndex) => Promise<void>,
): Promise<void> {
  if (worker === undefined || index.copyTo === undefined) return await work(index);
  const asked = await askedCopy(worker, index.copyTo, places);
  try {
    await work({ ...index, suspects: suspectsIn(asked) });
  } finally {
    await asked?.close().catch(unlessUnavailable);
  }
}

async function askedCopy(
  worker: SearchService,
  copyTo: (path: string) => Promise<void>,
  places: CopyPlaces | undefined,
): Promise<AskedIndex | undefined> {
  const dir = await makeCopyFolder(places).catch(() => undefined);
  if (dir === undefined) return undefined;
  try {
    const copy = `${dir}/${INDEX_FILE}`;
    const copied = await copyTo(copy).then(() => true, () => false);
    return copied ? await askedIndex(copy, worker) : undefined;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A closed index is read from a copy: reading what is kept in a log would change it. */
export async function withCopy(
  { root, places, worker, gone }: CopyOptions,
  work: (index: ExaminedIndex) => Promise<void>,
  failed: (told: Told) => void,
): Promise<void> {
  const odd = indexFiles(root).find(({ info }) => !info.isFile);
  if (odd !== undefined) return failed(irregular(odd.path));
  let dir: string;
  try {
    dir = await makeCopyFolder(places);
  } catch (error) {
    return failed(unread(error, undefined));
  }
  let database: DatabaseSync | undefined;
  let asked: AskedIndex | undefined;
  try {
    try {
      const copy = await copyIndex(root, dir);
      database = openCopied(copy);
      if (isEmpty(database)) return failed(missing("the index is empty"));
      asked = await askedIndex(copy, worker);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
    const own = { ...ownIndex(database), suspects: suspectsIn(asked) };
    const why = await damageOf(own);
    if (why !== undefined) return failed(damaged(why));
    bringUpToDate(database);
    await work(own);
  } catch (error) {
    gone?.throwIfAborted();
    failed(unread(error, dirname(dir)));
  } finally {
    database?.close();
    await asked?.close().catch(unlessUnavailable);
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

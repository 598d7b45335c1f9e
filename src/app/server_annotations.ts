/** Annotations of the server as a whole, in a file of `state_dir`. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PreparedAnnotations, ServerAnnotations } from "../imap/server_annotations.ts";
import {
  type AnnotationChanges,
  type AnnotationNews,
  MAX_ANNOTATION_OCTETS,
  MAX_ANNOTATIONS,
  StoreError,
} from "../store/store.ts";
import { storeErrorOf } from "../store/maildir/disk_error.ts";
import type { Log } from "../log.ts";

/** In `state_dir`. */
export const ANNOTATIONS_FILE = "annotations.json";

/** By the entry's name in lower case. */
type Values = ReadonlyMap<string, { readonly entry: string; readonly value: Uint8Array }>;

/** {@link ServerAnnotations} in a file, which is read once. */
export class ServerAnnotationsFile implements ServerAnnotations {
  readonly #path: string;
  readonly #listeners = new Set<(news: AnnotationNews) => void>();
  #values: Values;
  /** Ends with the last change that was prepared. */
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, values: Values) {
    this.#path = path;
    this.#values = values;
  }

  /** Those of an earlier run; none if the file cannot be read, which the log tells. */
  static async open(stateDir: string, log: Log): Promise<ServerAnnotationsFile> {
    const path = join(stateDir, ANNOTATIONS_FILE);
    return new ServerAnnotationsFile(path, await read(path, log));
  }

  annotations(): ReadonlyMap<string, number> {
    return new Map(
      Array.from(this.#values.values(), ({ entry, value }) => [entry, value.length]),
    );
  }

  annotation(entry: string): Uint8Array | undefined {
    return this.#values.get(entry.toLowerCase())?.value;
  }

  async prepare(entries: AnnotationChanges["entries"]): Promise<PreparedAnnotations> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      const values = changed(this.#values, entries);
      const file = `${this.#path}.new`;
      write(file, values);
      let open = true;
      const end = (how: () => void) => {
        if (!open) return;
        open = false;
        try {
          how();
        } finally {
          resolve();
        }
      };
      return {
        commit: (by) => end(() => this.#commit(file, values, entries, by)),
        abort: () => end(() => rmSync(file, { force: true })),
      };
    } catch (error) {
      resolve();
      throw storeErrorOf(error, "keeping an annotation");
    }
  }

  watch(listener: (news: AnnotationNews) => void): () => void {
    const own = (news: AnnotationNews) => listener(news);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  #commit(
    file: string,
    values: Values,
    entries: AnnotationChanges["entries"],
    by: object | undefined,
  ): void {
    try {
      renameSync(file, this.#path);
      syncFolderOf(this.#path);
    } catch (error) {
      throw storeErrorOf(error, "keeping an annotation");
    }
    this.#values = values;
    const news = { mailbox: "", changes: { entries }, by };
    for (const listener of [...this.#listeners]) listener(news);
  }
}

function changed(values: Values, entries: AnnotationChanges["entries"]): Values {
  const next = new Map(values);
  for (const [entry, value] of entries) {
    const key = entry.toLowerCase();
    if (value === undefined) {
      next.delete(key);
      continue;
    }
    if (value.length > MAX_ANNOTATION_OCTETS) {
      throw new StoreError(
        "too-big",
        `An annotation may have at most ${MAX_ANNOTATION_OCTETS} octets: got ${value.length}`,
      );
    }
    next.set(key, { entry: next.get(key)?.entry ?? entry, value });
  }
  if (next.size > MAX_ANNOTATIONS && next.size > values.size) {
    throw new StoreError("too-many", `There may be at most ${MAX_ANNOTATIONS} annotations`);
  }
  return next;
}

/** The file has the values in base64, by the names of the entries. */
function write(path: string, values: Values): void {
  const texts = Array.from(values.values(), ({ entry, value }) => [entry, value.toBase64()]);
  rmSync(path, { force: true });
  const fd = openSync(path, "wx", 0o600);
  try {
    writeFileSync(fd, `${JSON.stringify(Object.fromEntries(texts), null, 1)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolderOf(path: string): void {
  const fd = openSync(join(path, ".."), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function read(path: string, log: Log): Promise<Values> {
  try {
    const texts: Readonly<Record<string, string>> = JSON.parse(await Deno.readTextFile(path));
    return new Map(
      Object.entries(texts).map(([entry, text]) => [
        entry.toLowerCase(),
        { entry, value: Uint8Array.fromBase64(text) },
      ]),
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.error("the annotations of the server cannot be read", { path, error: String(error) });
    }
    return new Map();
  }
}

/** Copies and links of single files, with their SHA-256. */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { syncFolder, writeAll } from "../transfer/new_folder.ts";

const PIECE = 1024 * 1024;

/** What a file is, after {@link copyFile} or {@link hashFile}. */
export interface FileDigest {
  readonly size: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** Whether this process may give files to others. */
function isRoot(): boolean {
  return Deno.uid() === 0;
}

/** Gives `path` the mode and, as root, the owner that `like` has. */
export async function takeOwner(
  path: string,
  { mode, uid, gid }: Pick<Deno.FileInfo, "mode" | "uid" | "gid">,
): Promise<void> {
  if (isRoot()) await Deno.chown(path, uid, gid);
  if (mode !== null) await Deno.chmod(path, mode & 0o7777);
}

/** Reads a file, never through a link. @throws {Error} what the system says */
export function hashFile(path: string): FileDigest {
  const hash = createHash("sha256");
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const { size } = fs.fstatSync(file);
    const piece = new Uint8Array(Math.min(Math.max(size, 1), PIECE));
    let read = 0;
    for (;;) {
      const count = fs.readSync(file, piece);
      if (count === 0) return { size: read, sha256: hash.digest("hex") };
      hash.update(piece.subarray(0, count));
      read += count;
    }
  } finally {
    fs.closeSync(file);
  }
}

/** Copies a file with its times, mode and, as root, owner. Durable but for its folder. */
export async function copyFile(from: string, to: string): Promise<FileDigest> {
  const source = fs.openSync(from, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const stat = fs.fstatSync(source);
    return await writeFile(to, piecesOf(source, stat.size), stat);
  } finally {
    fs.closeSync(source);
  }
}

async function* piecesOf(file: number, size: number): AsyncGenerator<Uint8Array, void> {
  const piece = new Uint8Array(Math.min(Math.max(size, 1), PIECE));
  for (let count; (count = fs.readSync(file, piece)) > 0;) yield piece.subarray(0, count);
}

/** What a new file is to be like. */
export type Likeness = Pick<fs.Stats, "mode" | "uid" | "gid" | "atime" | "mtime">;

/** Writes a new file. Durable but for its folder. */
export async function writeFile(
  to: string,
  pieces: AsyncIterable<Uint8Array>,
  like?: Likeness,
): Promise<FileDigest> {
  const hash = createHash("sha256");
  let size = 0;
  using file = await Deno.open(to, { write: true, createNew: true, mode: 0o600 });
  for await (const piece of pieces) {
    await writeAll(file, piece);
    hash.update(piece);
    size += piece.length;
  }
  if (like !== undefined) {
    await takeOwner(to, like);
    await file.utime(like.atime, like.mtime);
  }
  await file.sync();
  return { size, sha256: hash.digest("hex") };
}

/** Hard-links a file; false where that cannot be, such as on another file system. */
export function linkFile(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP"].includes(code)) return false;
    throw error;
  }
}

/** Such as "ENOENT"; "" of what is no error of the system. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** What a path names, or undefined; links are not followed. */
export function lstat(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Paths of all regular files below a folder, relative to it; and of all folders, itself as "". */
export function treeOf(path: string): { files: string[]; folders: string[] } {
  const tree = { files: [] as string[], folders: [] as string[] };
  const walk = (folder: string) => {
    tree.folders.push(folder);
    for (const entry of Deno.readDirSync(`${path}/${folder}`)) {
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory) walk(name);
      else tree.files.push(name);
    }
  };
  walk("");
  return tree;
}

/** Makes all folders below `path`, and itself, durable. */
export async function syncTree(path: string): Promise<void> {
  for (const folder of treeOf(path).folders) await syncFolder(`${path}/${folder}`);
}

/** Runs some tasks at a time, so that they can wait for the disk together. */
export class Several {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  constructor(most = 16) {
    this.#most = most;
  }

  /** Starts a task, as soon as there is room for it. {@link end} throws what failed first. */
  async run(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#most) await Promise.race(this.#running);
    const running = task()
      .catch((error) => void this.#failures.push(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Settles when all have ended. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

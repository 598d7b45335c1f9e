/** Folders and files that are durable when they are told of. */

import { SourceFault } from "./source.ts";

/** Makes a folder, or takes an empty one. @throws {SourceFault} when there is something in it */
export async function newFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  for await (const { name } of Deno.readDir(path)) {
    throw new SourceFault(`Expected a new or empty folder at ${path}, got one with ${name} in it`);
  }
}

/** Writes a file that was not there before, to the disk. */
export async function writeNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const octets = new TextEncoder().encode(text);
  await writeAll(file, octets);
  await file.sync();
}

/** Writes all of `octets`. */
export async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await file.write(octets.subarray(at));
}

/** Brings the entries of a folder to the disk. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

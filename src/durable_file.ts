/** Replaces files: at any time, also after power loss, there is the old one or the new one. */

import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file that only one at a time writes to.
 *
 * @param prepare gives the new one, by its descriptor, what it needs besides, such as an owner
 * @throws {Error} the system's; then the old one is there
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  prepare: (fd: number) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const temporary = `${path}.new-${Deno.pid}`;
  // What one that was killed left behind, where each has the same number.
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(content);
      await Deno.chmod(temporary, mode);
      await prepare(file.fd);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  using folder = await Deno.open(dirname(path));
  await folder.sync();
}

/** {@link replaceFile} where nothing can be waited for: it blocks all else. */
export function replaceFileSync(path: string, content: string, mode: number): void {
  const file = openSync(`${path}.new`, "w", mode);
  try {
    // What an earlier try left behind may have another mode.
    fchmodSync(file, mode);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Whose files are that this process makes: where it is root, not root's. */

import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import { dirname } from "node:path";

/** What {@link giveTo} needs to know of an owner. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Fails on a symbolic link, so that nothing is given away that somebody put in the place. */
const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

/** Gives an open file or folder to `owner`, unless it is theirs. @throws {Error} the system's */
export function giveTo(fd: number, owner: Owner): void {
  const { uid, gid } = fs.fstatSync(fd);
  if (uid !== owner.uid || gid !== owner.gid) fs.fchownSync(fd, owner.uid, owner.gid);
}

/**
 * Gives what this process has just made, and holds open, to the owner and group of the folder it is
 * in. Only root can, so for all others nothing happens.
 *
 * @throws {Error} the system's
 */
export function giveToOwnerOf(folder: string, fd: number): void {
  if (Deno.uid() !== 0) return;
  // Deno's own, as Node's takes five times as long, for each message that is made.
  const { uid, gid } = Deno.statSync(folder);
  if (uid === null || gid === null || (uid === 0 && gid === Deno.gid())) return;
  // A file server can have made it somebody else's, who may not give it away.
  const made = fs.fstatSync(fd);
  if (made.uid === 0) fs.fchownSync(fd, uid, gid);
}

/**
 * Makes a file for writing that is nobody's yet, with the owner of its folder.
 *
 * @returns a file descriptor, which the caller closes
 * @throws {Error} the system's; `EEXIST` also for a symbolic link
 */
export function createOwnedFile(path: string, mode: number): number {
  const fd = fs.openSync(path, "wx", mode);
  try {
    giveToOwnerOf(dirname(path), fd);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(path, { force: true });
    throw error;
  }
}

/**
 * Opens a file that this process made before, where others may write: neither a link nor a FIFO that
 * somebody put in its place, and nothing that has a name elsewhere.
 *
 * @param access such as `O_WRONLY`
 * @returns a file descriptor, which the caller closes
 * @throws {Error} the system's
 */
export function openOwnFile(path: string, access: number): number {
  const fd = fs.openSync(path, access | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  const info = fs.fstatSync(fd);
  if (info.isFile() && info.nlink === 1) return fd;
  fs.closeSync(fd);
  throw new Error(`Expected a file with one name at ${path}`);
}

/**
 * The first octets of a file, where others may write: no link is followed, and no FIFO waited for.
 *
 * @throws {Error} the system's
 */
export function readStart(path: string, octets: number): string {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(octets);
    return buffer.toString("latin1", 0, fs.readSync(fd, buffer, 0, octets, 0));
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Makes a folder, and those above it that are missing; each gets the owner of the one above. Nothing
 * happens if it is there.
 *
 * @throws {Error} the system's
 */
export function makeOwnedFolder(path: string, mode: number): void {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const above = dirname(path);
  if (above !== path) makeOwnedFolder(above, mode);
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    // Made by another program meanwhile
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw error;
  }
  const fd = fs.openSync(path, DIRECTORY);
  try {
    giveToOwnerOf(above, fd);
  } finally {
    fs.closeSync(fd);
  }
}

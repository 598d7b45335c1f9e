/** Room on the disk that is kept for what makes room. */

import * as fs from "node:fs";
import { createOwnedFile, openOwnFile } from "../../ownership.ts";
import type { Log } from "../../log.ts";
import { errnoOf } from "./disk_error.ts";

/** In the root folder of the Maildir. */
export const RESERVE_FILE = "imapd.reserve";

const OCTETS = 256 * 1024;
/** What is given back at once: other programs may be faster than the commit that needs it. */
const STEP = 32 * 1024;

/**
 * A file of no meaning. Where the disk is full, or the user's share of it, its end is cut off, so that
 * messages can be marked as deleted and expunged; it grows again once there is room.
 */
export class Reserve {
  readonly #path: string;
  readonly #log: Log;
  #left = 0;
  #isTold = false;

  constructor(root: string, log: Log) {
    this.#path = `${root}/${RESERVE_FILE}`;
    this.#log = log;
  }

  /** Takes its room, as far as there is any. */
  fill(): void {
    if (this.#left === OCTETS) return;
    let fd: number | undefined;
    try {
      this.#left = fs.lstatSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
      if (this.#left >= OCTETS) return;
      if (this.#left === 0) fs.rmSync(this.#path, { force: true });
      fd = this.#left === 0
        ? createOwnedFile(this.#path, 0o600)
        : openOwnFile(this.#path, fs.constants.O_WRONLY);
      // Zeros would take no room where a file system compresses.
      const step = crypto.getRandomValues(new Uint8Array(STEP));
      while (this.#left < OCTETS) this.#left += fs.writeSync(fd, step, 0, STEP, this.#left);
    } catch (error) {
      // No room: who asks for some finds what there is.
      if (isForWantOfRoom(error) || this.#isTold) return;
      this.#isTold = true;
      this.#log.warn("no room can be kept for expunging on a full disk", {
        path: this.#path,
        problem: String(error),
      });
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  /** The disk, or the user's share of it, has no room for as much as {@link release} gives back. */
  isFull(): boolean {
    try {
      this.#tryRoom(`${this.#path}.tmp`);
      return false;
    } catch (error) {
      return isForWantOfRoom(error);
    }
  }

  #tryRoom(path: string): void {
    fs.rmSync(path, { force: true });
    const fd = createOwnedFile(path, 0o600);
    try {
      const step = crypto.getRandomValues(new Uint8Array(STEP));
      for (let at = 0; at < STEP;) at += fs.writeSync(fd, step, at, STEP - at);
    } finally {
      fs.closeSync(fd);
      fs.rmSync(path, { force: true });
    }
  }

  /** Gives all of it back to the disk, an inode too; false if it is not there. */
  remove(): boolean {
    try {
      Deno.removeSync(this.#path);
    } catch {
      return false;
    }
    this.#left = 0;
    this.#log.warn("the disk is full: used all room that was kept for expunging", {
      path: this.#path,
    });
    return true;
  }

  /** Gives some room back to the disk; false if none is left. */
  release(): boolean {
    let fd: number | undefined;
    try {
      fd = openOwnFile(this.#path, fs.constants.O_WRONLY);
      const { size } = fs.fstatSync(fd);
      if (size === 0) return false;
      this.#left = Math.max(size - STEP, 0);
      fs.ftruncateSync(fd, this.#left);
      this.#log.warn("the disk is full: used room that was kept for expunging", {
        path: this.#path,
        left: this.#left,
      });
      return true;
    } catch {
      return false;
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }
}

function isForWantOfRoom(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(errnoOf(error) ?? "");
}

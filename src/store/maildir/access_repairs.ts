/** Gives files of a Maildir the owner and the modes that they should have. */

import * as fs from "node:fs";
import type { Log } from "../../log.ts";
import { giveTo } from "../../ownership.ts";
import { cString, openSystemLibrary } from "../../system_library.ts";
import { errnoOf } from "./disk_error.ts";
import { lstat } from "./locating.ts";
import type { Finding } from "./problem.ts";

/** What is in the place of a link is never looked at, nor is a FIFO waited for. */
const SAFELY = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

const SYMBOLS = {
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
} as const;

/** PATH_MAX */
const LONGEST = 4096;

/** What a mode becomes, by the code of the problem. */
const MODES: Readonly<Record<string, (mode: number, isDirectory: boolean) => number>> = {
  "maildir-open": (mode) => mode & ~0o007,
  "index-open": (mode) => mode & ~0o077,
  "index-closed": (mode) => mode | 0o600,
  "file-unreadable": (mode) => mode | 0o600,
  "folder-unreadable": (mode, isDirectory) => mode | (isDirectory ? 0o700 : 0o600),
};

/**
 * Opens what is in the Maildir at the real path `root`: a folder on the way may have become a link
 * to elsewhere since it was looked at.
 *
 * @throws {Error} the system's; if it is elsewhere
 */
function openIn(root: string, path: string, paths: OpenPaths): number {
  const fd = fs.openSync(path, SAFELY);
  const real = paths.of(fd);
  // Where nobody tells, only root does nothing: others have no rights but those of the mail's owner.
  if (real === undefined ? Deno.uid() !== 0 : `${real}/`.startsWith(`${root}/`)) return fd;
  fs.closeSync(fd);
  throw new Error(`Expected ${path} to be in ${root}`);
}

/** Does what it may; what it may not stays as it is, and is told again. */
export function mendAccess(root: string, findings: readonly Finding[], log: Log): void {
  const { uid, gid } = Deno.statSync(root);
  const real = Deno.realPathSync(root);
  using paths = new OpenPaths();
  const open = (path: string) => openIn(real, path, paths);
  for (const { mender, code = "", paths: found = [] } of findings) {
    if (mender !== "access") continue;
    for (const path of found) {
      try {
        if (code === "owner-foreign") {
          if (Deno.uid() === 0) give(open(path), uid, gid);
        } else setMode(open, path, code);
      } catch (error) {
        log.warn("cannot mend owner or mode", { path, errno: errnoOf(error) });
      }
    }
  }
}

/** Only root can. */
function give(fd: number, uid: number | null, gid: number | null): void {
  try {
    if (uid === null || gid === null) return;
    const { nlink } = fs.fstatSync(fd);
    // Whoever may write to the Maildir could have linked a file into it that is not theirs.
    if (fs.fstatSync(fd).isFile() && nlink > 1) return;
    giveTo(fd, { uid, gid });
  } finally {
    fs.closeSync(fd);
  }
}

function setMode(open: (path: string) => number, path: string, code: string): void {
  const change = MODES[code];
  let fd: number;
  try {
    fd = open(path);
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    const info = lstat(path);
    // Not root, so at worst another file of the same user gets more rights for that user.
    if (info === undefined || info.isSymlink) return;
    return Deno.chmodSync(path, change((info.mode ?? 0) & 0o7777, info.isDirectory));
  }
  try {
    const info = fs.fstatSync(fd);
    // Messages have several names where they were copied, and are only given rights for their owner.
    if (info.isFile() && info.nlink > 1 && code !== "file-unreadable") return;
    if (info.isFile() || info.isDirectory()) {
      fs.fchmodSync(fd, change(info.mode & 0o7777, info.isDirectory()));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Tells where what is open lies; Deno reads nothing of /proc unless all is allowed. */
class OpenPaths {
  readonly #libc = openSystemLibrary("libc.so.6", SYMBOLS);
  readonly #path = new Uint8Array(LONGEST);

  /** Without links; undefined where nobody tells. */
  of(fd: number): string | undefined {
    const { readlink } = this.#libc?.symbols ?? {};
    const length = readlink?.(cString(`/proc/self/fd/${fd}`), this.#path, BigInt(LONGEST)) ?? -1;
    return length < 0
      ? undefined
      : new TextDecoder().decode(this.#path.subarray(0, Number(length)));
  }

  [Symbol.dispose](): void {
    this.#libc?.close();
  }
}

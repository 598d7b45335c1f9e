/** Gives files of a Maildir the owner and the modes that they should have. */

import * as fs from "node:fs";
import type { Log } from "../../log.ts";
import { giveTo } from "../../ownership.ts";
import { errnoOf } from "./disk_error.ts";
import { lstat } from "./locating.ts";
import type { Finding } from "./problem.ts";

/** What is in the place of a link is never looked at, nor is a FIFO waited for. */
const SAFELY = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;

/** What a mode becomes, by the code of the problem. */
const MODES: Readonly<Record<string, (mode: number, isDirectory: boolean) => number>> = {
  "maildir-open": (mode) => mode & ~0o007,
  "index-open": (mode) => mode & ~0o077,
  "file-unreadable": (mode) => mode | 0o600,
  "folder-unreadable": (mode, isDirectory) => mode | (isDirectory ? 0o700 : 0o600),
};

/** Does what it may; what it may not stays as it is, and is told again. */
export function mendAccess(root: string, findings: readonly Finding[], log: Log): void {
  const { uid, gid } = Deno.statSync(root);
  for (const { mender, code = "", paths = [] } of findings) {
    if (mender !== "access") continue;
    for (const path of paths) {
      try {
        if (code === "owner-foreign") give(path, uid, gid);
        else setMode(path, MODES[code]);
      } catch (error) {
        log.warn("cannot mend owner or mode", { path, errno: errnoOf(error) });
      }
    }
  }
}

/** Only root can. */
function give(path: string, uid: number | null, gid: number | null): void {
  if (Deno.uid() !== 0 || uid === null || gid === null) return;
  const fd = fs.openSync(path, SAFELY);
  try {
    const { nlink } = fs.fstatSync(fd);
    // Whoever may write to the Maildir could have linked a file into it that is not theirs.
    if (fs.fstatSync(fd).isFile() && nlink > 1) return;
    giveTo(fd, { uid, gid });
  } finally {
    fs.closeSync(fd);
  }
}

function setMode(path: string, change: (mode: number, isDirectory: boolean) => number): void {
  let fd: number;
  try {
    fd = fs.openSync(path, SAFELY);
  } catch (error) {
    if (errnoOf(error) !== "EACCES") throw error;
    const info = lstat(path);
    // Not root, so at worst another file of the same user gets more rights for that user.
    if (info === undefined || info.isSymlink) return;
    return Deno.chmodSync(path, change((info.mode ?? 0) & 0o7777, info.isDirectory));
  }
  try {
    const info = fs.fstatSync(fd);
    if (info.isFile() || info.isDirectory()) {
      fs.fchmodSync(fd, change(info.mode & 0o7777, info.isDirectory()));
    }
  } finally {
    fs.closeSync(fd);
  }
}

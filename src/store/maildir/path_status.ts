/** What paths name, asked of the system itself: commands ask for thousands. */

import { openSystemLibrary } from "../../system_library.ts";
import { lstat } from "./locating.ts";

/** What a path names; times are milliseconds since 1970. */
export interface PathStatus {
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  /** The number of its file, and that of its file system. */
  readonly ino: number;
  readonly dev: number;
  readonly mtime: number;
  /** Of the last change of any kind; nobody can set it. */
  readonly ctime: number;
}

const SYMBOLS = {
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
} as const;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** Type, mode, mtime, ctime and inode. */
const WANTED = 0x1c3;

/** Fields of `struct statx` by their places, in units of four octets but for the mode. */
const MODE = 28 / 2;
const INO = 32 / 4;
const CTIME = 96 / 4;
const MTIME = 112 / 4;
const DEV = 136 / 4;
const STRUCT_OCTETS = 256;

const FORMAT = 0xf000;
const DIRECTORY = 0x4000;
const SYMLINK = 0xa000;

/** PATH_MAX */
const LONGEST = 4096;

/**
 * Looks at paths by statx(2), which takes half the time of `Deno.lstatSync`; by that where the C
 * library may not be called.
 *
 * @see statx(2)
 */
export class PathStatuses {
  #libc = openSystemLibrary("libc.so.6", SYMBOLS);
  readonly #encoder = new TextEncoder();
  readonly #path = new Uint8Array(LONGEST);
  readonly #words = new Uint32Array(STRUCT_OCTETS / 4);
  readonly #octets = new Uint8Array(this.#words.buffer);
  readonly #halves = new Uint16Array(this.#words.buffer);

  /**
   * What a path names, or undefined if nothing is there; a link is not followed.
   *
   * @throws {StoreError} `unavailable`
   */
  at(path: string): PathStatus | undefined {
    return this.#ask(path) ? this.#answer() : slowly(path);
  }

  /** Lets go of the C library; {@link at} works on without it. */
  close(): void {
    this.#libc?.close();
    this.#libc = undefined;
  }

  #ask(path: string): boolean {
    if (this.#libc === undefined) return false;
    const { read, written } = this.#encoder.encodeInto(path, this.#path);
    if (read < path.length || written === LONGEST) return false;
    this.#path[written] = 0;
    const { statx } = this.#libc.symbols;
    return statx(AT_FDCWD, this.#path, AT_SYMLINK_NOFOLLOW, WANTED, this.#octets) === 0;
  }

  #answer(): PathStatus {
    const format = this.#halves[MODE] & FORMAT;
    return {
      isDirectory: format === DIRECTORY,
      isSymlink: format === SYMLINK,
      ino: this.#wide(INO),
      dev: this.#wide(DEV),
      mtime: this.#milliseconds(MTIME),
      ctime: this.#milliseconds(CTIME),
    };
  }

  /** 64 bits, of which a number keeps the first 53. */
  #wide(at: number): number {
    return this.#words[at] + this.#words[at + 1] * 2 ** 32;
  }

  /** `struct statx_timestamp`, in whole milliseconds as Deno has it. */
  #milliseconds(at: number): number {
    return this.#wide(at) * 1000 + Math.floor(this.#words[at + 2] / 1e6);
  }
}

function slowly(path: string): PathStatus | undefined {
  const found = lstat(path);
  return found && {
    isDirectory: found.isDirectory,
    isSymlink: found.isSymlink,
    ino: found.ino ?? 0,
    dev: found.dev,
    mtime: found.mtime?.getTime() ?? -1,
    ctime: found.ctime?.getTime() ?? -1,
  };
}

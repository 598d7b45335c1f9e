/** The files of a machine, or of an image of one below a folder. */

import { join } from "node:path";

/** A user of the system. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A group of the system. */
export interface SystemGroup {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Paths are those of the machine itself, without the folder that it is below. */
export class Machine {
  /** @param root "/" for the machine that this runs on */
  constructor(readonly root: string) {}

  /** Whether this is the machine that the program runs on. */
  get isReal(): boolean {
    return this.root === "/";
  }

  /** Where `path` is for this process. */
  real(path: string): string {
    return this.isReal ? path : join(this.root, path);
  }

  /** Undefined where there is no such file, or it cannot be read. */
  text(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(this.real(path));
    } catch {
      return undefined;
    }
  }

  /** Sorted; none where there is no such folder. */
  names(path: string): readonly string[] {
    try {
      return Array.from(Deno.readDirSync(this.real(path)), ({ name }) => name).sort();
    } catch {
      return [];
    }
  }

  /** What a path leads to; undefined where there is nothing. */
  info(path: string): Deno.FileInfo | undefined {
    try {
      return Deno.statSync(this.real(path));
    } catch {
      return undefined;
    }
  }

  get users(): readonly SystemUser[] {
    return fieldsOf(this.text("/etc/passwd")).flatMap(([name, , uid, gid, , home]) =>
      home === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid), home }]
    );
  }

  get groups(): readonly SystemGroup[] {
    return fieldsOf(this.text("/etc/group")).flatMap(([name, , gid, members]) =>
      members === undefined
        ? []
        : [{ name, gid: Number(gid), members: members.split(",").filter((each) => each !== "") }]
    );
  }

  user(name: string): SystemUser | undefined {
    return this.users.find((user) => user.name === name);
  }

  group(name: string): SystemGroup | undefined {
    return this.groups.find((group) => group.name === name);
  }

  /**
   * Whether `user` may read the file at `path`; undefined is a user without any group of those
   * that there are.
   */
  mayRead(path: string, user: SystemUser | undefined): boolean {
    if (user?.uid === 0) return true;
    const real = realPath(this.real(path));
    if (real === undefined) return false;
    const gids = new Set([
      user?.gid,
      ...this.groups.filter(({ members }) => user && members.includes(user.name)).map(({ gid }) =>
        gid
      ),
    ]);
    // What the image itself lies in is no part of it.
    const own = this.isReal ? real : real.slice(this.root.replace(/\/$/, "").length);
    const folders = own.split("/").slice(1, -1).map((_, i, all) =>
      `/${all.slice(0, i + 1).join("/")}`
    );
    return folders.every((folder) => allows(this.info(folder), user, gids, 0o1)) &&
      allows(this.info(own), user, gids, 0o4);
  }
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

/** `bit` as for others: 4 reads, 1 enters. */
function allows(
  info: Deno.FileInfo | undefined,
  user: SystemUser | undefined,
  gids: ReadonlySet<number | undefined>,
  bit: number,
): boolean {
  if (info === undefined || info.mode === null) return false;
  if (user !== undefined && info.uid === user.uid) return (info.mode & bit << 6) !== 0;
  if (info.gid !== null && gids.has(info.gid)) return (info.mode & bit << 3) !== 0;
  return (info.mode & bit) !== 0;
}

/** Lines as in passwd(5). */
function fieldsOf(text = ""): string[][] {
  return text.split("\n").filter((line) => /^[^#:\s]+:/.test(line)).map((line) => line.split(":"));
}

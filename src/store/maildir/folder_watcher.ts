/** Tells when another program delivers to, renames in or removes from Maildir folders. */

import * as fs from "node:fs";
import type { Log } from "../../log.ts";
import { errnoOf } from "./disk_error.ts";
import { type DirectoryEvent, Inotify } from "./inotify.ts";

/** Something happened in `new/` or `cur/` of a folder: a hint to look there. */
export interface FolderEvent {
  readonly directory: "new" | "cur";
  /** The file's name, or "" when it is not known: then the whole directory is to be compared. */
  readonly file: string;
}

export type FolderListener = (event: FolderEvent) => void;

export interface FolderWatcherOptions {
  /** Milliseconds between two looks at folders that the system does not watch; 2,000 if absent. */
  readonly pollInterval?: number;
  /** Opens the system's notifications; undefined is for a system without. */
  readonly openInotify?: (onEvent: (event: DirectoryEvent) => void) => Inotify | undefined;
}

/** A watched folder, or `new/` or `cur/` of it. */
interface Directory {
  readonly folder: Folder;
  /** "" is the folder itself: what it holds may be replaced. */
  readonly directory: "new" | "cur" | "";
  readonly path: string;
  /** The number of its watch; undefined while it is polled instead. */
  watch: number | undefined;
  /** Modification time at the last look, as of {@link settled}. */
  seen: number;
  /** The last look failed, and the log says so. */
  failing: boolean;
}

interface Folder {
  readonly directories: Directory[];
  readonly listeners: Set<{ readonly call: FolderListener }>;
}

/** Directories looked at between two turns of the event loop. */
const POLL_SLICE = 100;

const MISSING = -1;

/** A change within this many milliseconds after the last one may leave the same time behind. */
const TIME_GRAIN = 1000;

/**
 * Watches any number of folders, by inotify as far as it goes and by looking at modification
 * times for the rest. Events can come twice, and come for this process's own renames too.
 */
export class FolderWatcher {
  readonly #log: Log;
  readonly #pollInterval: number;
  readonly #inotify: Inotify | undefined;
  readonly #folders = new Map<string, Folder>();
  /** By the number of the watch: several if one directory has several paths. */
  readonly #watched = new Map<number, Set<Directory>>();
  readonly #polled = new Set<Directory>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #warned = false;
  #closed = false;

  constructor(log: Log, options: FolderWatcherOptions = {}) {
    this.#log = log;
    this.#pollInterval = options.pollInterval ?? 2000;
    const open = options.openInotify ?? Inotify.open;
    this.#inotify = open((event) => this.#receive(event));
  }

  /**
   * Calls `listener` for each event from now on, never during this call. A folder that is not
   * there (any more) is reported when it comes.
   *
   * @param folder path of a Maildir folder, the one that holds `new` and `cur`
   * @returns a function that ends it
   */
  watch(folder: string, listener: FolderListener): () => void {
    if (this.#closed) throw new Error("Folder watcher must be open: it is closed");
    const entry = this.#folders.get(folder) ?? this.#add(folder);
    const registered = { call: listener };
    entry.listeners.add(registered);
    return () => {
      if (!entry.listeners.delete(registered) || entry.listeners.size > 0) return;
      this.#folders.delete(folder);
      for (const directory of entry.directories) this.#detach(directory);
    };
  }

  /** Tells of all that happened until now, where the system watches. */
  catchUp(): void {
    this.#inotify?.drain();
  }

  /**
   * Nothing can happen in a folder, or to it, of which {@link catchUp} does not tell: not so where
   * other machines, or other ways to the same files, change them.
   */
  tellsAll(folder: string): boolean {
    return this.#folders.get(folder)?.directories.every(({ watch, path }) =>
      watch !== undefined && isLocal(path)
    ) ?? false;
  }

  /** How many directories the system watches. */
  get watched(): number {
    return this.#watched.size;
  }

  /** Ends all, at once; settles when the system has let go too. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#folders.clear();
    this.#watched.clear();
    this.#polled.clear();
    await this.#inotify?.close();
  }

  #add(path: string): Folder {
    const folder: Folder = { directories: [], listeners: new Set() };
    for (const name of ["new", "cur", ""] as const) {
      const directory: Directory = {
        folder,
        directory: name,
        path: `${path}/${name}`,
        watch: undefined,
        seen: NaN,
        failing: false,
      };
      folder.directories.push(directory);
      if (!this.#attach(directory)) this.#poll(directory);
    }
    this.#folders.set(path, folder);
    return folder;
  }

  #attach(directory: Directory): boolean {
    const watch = this.#inotify?.add(directory.path);
    if (watch === undefined) return false;
    directory.watch = watch;
    const sharing = this.#watched.get(watch);
    if (sharing === undefined) this.#watched.set(watch, new Set([directory]));
    else sharing.add(directory);
    return true;
  }

  #detach(directory: Directory): void {
    this.#polled.delete(directory);
    if (directory.watch === undefined) return;
    const sharing = this.#watched.get(directory.watch);
    sharing?.delete(directory);
    if (sharing?.size === 0) {
      this.#watched.delete(directory.watch);
      this.#inotify?.remove(directory.watch);
    }
    directory.watch = undefined;
  }

  #receive(event: DirectoryEvent): void {
    if (event.kind === "overflow") return this.#reportAll();
    if (event.kind === "ended") return this.#pollAll();
    const directories = [...this.#watched.get(event.watch) ?? []];
    if (event.kind === "gone") this.#watched.delete(event.watch);
    for (const directory of directories) {
      if (event.kind === "gone") this.#reattach(directory);
      else if (event.file === "" || directory.directory === "") {
        this.#replaced(directory, event.file);
      } else this.#report(directory, event.file);
    }
  }

  #reattach(directory: Directory): void {
    directory.watch = undefined;
    if (!this.#attach(directory)) this.#poll(directory);
    this.#report(directory, "");
  }

  /** A watch stays with what was moved away; in its place there may be another folder. */
  #replaced({ folder, directory }: Directory, file: string): void {
    // Other entries of a folder are folders of mailboxes, and the index.
    if (directory === "" && !["", "new", "cur", "tmp"].includes(file)) return;
    for (const each of folder.directories) {
      this.#detach(each);
      this.#reattach(each);
    }
  }

  #reportAll(): void {
    this.#log.info("folder events were lost, comparing all folders");
    for (const directory of this.#allWatched()) this.#report(directory, "");
  }

  #pollAll(): void {
    const directories = this.#allWatched();
    this.#watched.clear();
    for (const directory of directories) this.#reattach(directory);
  }

  #allWatched(): Directory[] {
    return [...this.#watched.values()].flatMap((sharing) => [...sharing]);
  }

  #report({ folder, directory }: Directory, file: string): void {
    const event: FolderEvent = directory === ""
      ? { directory: "cur", file: "" }
      : { directory, file };
    for (const { call } of [...folder.listeners]) {
      try {
        call(event);
      } catch (error) {
        this.#log.error("folder listener failed", { error: String(error) });
      }
    }
  }

  #poll(directory: Directory): void {
    // What is replaced in a folder is found when its mailbox is next used.
    if (this.#closed || directory.directory === "") return;
    const modified = this.#modifiedAt(directory);
    if (modified !== undefined) this.#warnOnce(directory.path);
    directory.seen = settled(modified);
    this.#polled.add(directory);
    this.#timer ??= setTimeout(() => this.#lookAtAll(), this.#pollInterval);
  }

  #warnOnce(path: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn("folders are polled, as the system does not watch them", {
      path,
      hint: this.#inotify === undefined
        ? "inotify cannot be opened: Linux, --allow-ffi, fs.inotify.max_user_instances"
        : "raise fs.inotify.max_user_watches, or let the server read the folder",
    });
  }

  async #lookAtAll(): Promise<void> {
    let looked = 0;
    for (const directory of [...this.#polled]) {
      if (++looked % POLL_SLICE === 0) await new Promise((done) => setTimeout(done, 0));
      if (this.#polled.has(directory)) this.#look(directory);
    }
    this.#timer = undefined;
    if (this.#polled.size > 0) {
      this.#timer = setTimeout(() => this.#lookAtAll(), this.#pollInterval);
    }
  }

  #look(directory: Directory): void {
    if (this.#attach(directory)) {
      this.#polled.delete(directory);
      this.#report(directory, "");
      return;
    }
    const modified = this.#modifiedAt(directory);
    if ((modified ?? MISSING) === directory.seen) return;
    directory.seen = settled(modified);
    this.#report(directory, "");
  }

  /** Milliseconds since 1970; undefined if there is no such directory, or the disk will not say. */
  #modifiedAt(directory: Directory): number | undefined {
    try {
      const modified = fs.statSync(directory.path).mtimeMs;
      directory.failing = false;
      return modified;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "ENOENT" && !directory.failing) {
        directory.failing = true;
        this.#log.error("folder cannot be read", { path: directory.path, error: String(error) });
      }
      return undefined;
    }
  }
}

/** What a later look is compared with; NaN, which differs from all, while the time may be reused. */
function settled(modified: number | undefined): number {
  if (modified === undefined) return MISSING;
  return Math.abs(Date.now() - modified) < TIME_GRAIN ? NaN : modified;
}

/** File systems that only this system changes, by their numbers. @see statfs(2) */
const LOCAL: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0xca451a4e, // bcachefs
  0x01021994, // tmpfs
]);

function isLocal(path: string): boolean {
  try {
    return LOCAL.has(fs.statfsSync(path).type >>> 0);
  } catch {
    return false;
  }
}

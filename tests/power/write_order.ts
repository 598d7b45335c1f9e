/** Whether what a reply promises was on the disk before the reply was sent. */

import { Disk, DISK_CALLS, type FileNode, type FolderNode, type PendingEntries } from "./disk.ts";
import type { Reply } from "./recording.ts";
import type { SystemCall } from "./system_calls.ts";

const INDEX = "imapd.sqlite";
const LOG = "imapd.sqlite-wal";

/** A run, and what was told in it. */
export interface Run {
  /** The folder that all accounts are below. */
  readonly dir: string;
  readonly calls: readonly SystemCall[];
  /** Those that say that something was changed, in the order of the log. */
  readonly replies: readonly Reply[];
}

/**
 * What was done in the wrong order. Commands must come one after the other, as it cannot be told
 * whose change it is that is not durable.
 *
 * @returns such as `OK of a.12 at line 812: …/cur/x is not synced since line 810`
 */
export function wrongOrder({ dir, calls, replies }: Run): string[] {
  const order = new Order(dir);
  const waiting = [...replies];
  for (const call of calls) {
    while (waiting.length > 0 && waiting[0].line < call.ended) order.reply(waiting.shift());
    if (DISK_CALLS.has(call.name)) order.call(call);
  }
  for (const reply of waiting) order.reply(reply);
  return order.faults;
}

/** What would not be there after a power failure at the end of a run that left nothing open. */
export function notDurable(dir: string, calls: readonly SystemCall[]): string[] {
  const disk = new Disk(dir);
  for (const call of calls) if (DISK_CALLS.has(call.name)) disk.apply(call);
  const found: string[] = [];
  look(disk.root, dir, (path, since) => {
    found.push(`${path} is not synced since line ${since}`);
  }, ({ pending }) => pending.slice(0, 1));
  return found;
}

class Order {
  readonly faults: string[] = [];
  readonly #disk: Disk;
  readonly #reported = new Set<object>();
  /** How far the commit that the next reply is about has come. */
  #commit: "wanted" | "written" | "durable" = "wanted";
  #written = 0;

  constructor(private readonly dir: string) {
    this.#disk = new Disk(dir);
  }

  reply(reply: Reply | undefined): void {
    if (!reply) return;
    const { tag, line } = reply;
    if (this.#commit !== "durable") {
      const since = this.#commit === "wanted"
        ? "is not written"
        : `is not synced since line ${this.#written}`;
      this.faults.push(`OK of ${tag} at line ${line}: the commit ${since}`);
    }
    this.#commit = "wanted";
    look(this.#disk.root, this.dir, (path, since, what) => {
      if (this.#reported.has(what)) return;
      this.#reported.add(what);
      this.faults.push(`OK of ${tag} at line ${line}: ${path} is not synced since line ${since}`);
    });
  }

  call(call: SystemCall): void {
    const [first] = call.args;
    const path = first?.kind === "file" ? first.path : "";
    if (path.endsWith(`/${INDEX}`) && call.name === "pwrite64") this.#indexWritten(call, path);
    if (path.endsWith(`/${LOG}`)) this.#logWritten(call, path);
    else if (call.name === "fsync" && this.#makesPlaces(call, path)) this.#commit = "wanted";
    this.#disk.apply(call);
    if (/^(rename|link)/.test(call.name)) this.#placed(call);
  }

  /** Files and folders of a command have their places before its rows are committed. */
  #makesPlaces({ began }: SystemCall, path: string): boolean {
    const folder = this.#disk.at(path);
    return folder?.kind === "folder" &&
      folder.pending.some((change) => change.line < began && isPlacing(change, path));
  }

  /** Pages come to the index once the log that has them is durable. */
  #indexWritten({ ended }: SystemCall, path: string): void {
    const log = this.#disk.at(`${path}-wal`);
    const [unsynced] = log?.kind === "file" ? log.pending : [];
    if (unsynced) {
      this.faults.push(
        `${path} is written at line ${ended}: its log is not synced since line ${unsynced.line}`,
      );
    }
  }

  /** The log begins anew, or is cut, once all it had is durable in the index. */
  #logWritten({ name, args, began, ended }: SystemCall, path: string): void {
    if (name === "pwrite64") {
      // What is written in the background after it is no part of it.
      if (this.#commit !== "durable") this.#commit = "written";
      this.#written = ended;
    } else if (name.endsWith("sync") && this.#commit === "written" && this.#written < began) {
      this.#commit = "durable";
    }
    const offset = args[3]?.kind === "word" ? args[3].text : "";
    const size = args[1]?.kind === "word" ? args[1].text : "";
    if (!(name === "pwrite64" && offset === "0") && !(name === "ftruncate" && size === "0")) return;
    const index = this.#disk.at(path.slice(0, -"-wal".length));
    const [unsynced] = index?.kind === "file" ? index.pending : [];
    if (unsynced) {
      this.faults.push(
        `${path} begins anew at line ${ended}: the index is not synced since line ${unsynced.line}`,
      );
    }
  }

  /** A message has its place once all of it is durable. */
  #placed({ ended, name, args }: SystemCall): void {
    const target = args.findLast(({ kind }) => kind === "bytes");
    const path = target?.kind === "bytes" ? new TextDecoder().decode(target.bytes) : "";
    if (!/\/(cur|new)\/[^/]+$/.test(path)) return;
    const node = this.#disk.at(path);
    if (node?.kind !== "file" || node.pending.length === 0) return;
    this.faults.push(
      `${name} at line ${ended}: ${path} is not synced since line ${node.pending[0].line}`,
    );
  }
}

/** Tells of all that is pending and matters to whoever was told that it is done. */
function look(
  folder: FolderNode,
  path: string,
  tell: (path: string, since: number, what: object) => void,
  pendingOf: (file: FileNode, name: string) => FileNode["pending"] = unsynced,
): void {
  for (const change of folder.pending) {
    const { add, line } = change;
    if (!add || !isPlacing(change, path)) continue;
    if (folder.live.get(add.name) === add.node) tell(`${path}/${add.name}`, line, change);
  }
  for (const [name, node] of folder.live) {
    if (!matters(name)) continue;
    if (node.kind === "folder") look(node, `${path}/${name}`, tell, pendingOf);
    else for (const change of pendingOf(node, name)) tell(`${path}/${name}`, change.line, change);
  }
}

function unsynced(node: FileNode, name: string): FileNode["pending"] {
  // The index follows its log when there is time, and the log is looked at by itself.
  return name === INDEX || name === LOG ? [] : node.pending.slice(0, 1);
}

/** That a name is gone, or a message has another one, is made up for by the index. */
function isPlacing({ add, remove }: PendingEntries, path: string): boolean {
  return add !== undefined && matters(add.name) && !(remove && path.endsWith("/cur"));
}

function matters(name: string): boolean {
  return !["tmp", "imapd.reserve", "imapd.commits"].includes(name) &&
    !/^imapd-(search\.|deleted-)/.test(name) &&
    !/-shm$|-journal$/.test(name);
}

/**
 * What a disk holds while a program writes to it, as far as the system promises: what was synced is
 * there, and of all else any part. So it can be told what is not durable yet, and how a power failure
 * may leave things.
 */

import type { Argument, SystemCall } from "./system_calls.ts";
import { TraceError } from "./system_calls.ts";

/** The calls that a {@link Disk} has to be told of. */
export const DISK_CALLS: ReadonlySet<string> = new Set([
  ...["open", "openat", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2"],
  ...["truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile", "sync_file_range"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"],
  ...["unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "fsync", "fdatasync"],
]);

/** A change that no sync has covered yet. */
export interface Pending {
  /** The line of the log at which it was made. */
  readonly line: number;
}

export interface PendingWrite extends Pending {
  readonly kind: "write" | "truncate";
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A change of a folder's entries, which takes place as a whole. */
export interface PendingEntries extends Pending {
  readonly kind: "entries";
  readonly add?: Entry;
  readonly remove?: Entry;
  /** The other half of a move from one folder to another: without it the entry is still there. */
  readonly after?: PendingEntries;
  /** It is pending no longer. */
  durable?: true;
}

interface Entry {
  readonly name: string;
  readonly node: Node;
}

export class FileNode {
  readonly kind = "file";
  /** The contents after the last sync. */
  durable = new Uint8Array(0);
  pending: PendingWrite[] = [];
  size = 0;
}

export class FolderNode {
  readonly kind = "folder";
  durable = new Map<string, Node>();
  readonly live = new Map<string, Node>();
  pending: PendingEntries[] = [];
}

export type Node = FileNode | FolderNode;

/** All below one folder, which is empty at first. */
export class Disk {
  readonly root = new FolderNode();

  /** @param path of the folder; calls about others are left alone */
  constructor(readonly path: string) {}

  /** What is at a path; undefined if nothing is, or it is not below the folder. */
  at(path: string): Node | undefined {
    const names = this.#names(path);
    let node: Node | undefined = names && this.root;
    for (const name of names ?? []) {
      node = node?.kind === "folder" ? node.live.get(name) : undefined;
    }
    return node;
  }

  /**
   * Takes over what a call did, once it has ended.
   *
   * @throws {TraceError} for a call that does not fit, or that no model is made for
   */
  apply(call: SystemCall): void {
    const { name, args } = call;
    switch (name) {
      case "open":
      case "creat":
        return this.#opened(call, pathOf(args[0]), name === "creat" ? "O_CREAT" : wordOf(args[1]));
      case "openat":
        return this.#opened(call, join(args[0], args[1]), wordOf(args[2]));
      case "write":
      case "pwrite64":
        return this.#written(call, bytesOf(args[1]).subarray(0, call.result), args[3]);
      case "writev":
      case "pwritev":
      case "pwritev2":
        return this.#written(call, joined(args[1]).subarray(0, call.result), args[3]);
      case "ftruncate":
        return this.#truncated(call, this.#fileOf(args[0]), Number(wordOf(args[1])));
      case "truncate": {
        const file = this.at(pathOf(args[0]));
        return this.#truncated(
          call,
          file?.kind === "file" ? file : undefined,
          Number(wordOf(args[1])),
        );
      }
      case "mkdir":
        return this.#added(call, pathOf(args[0]), new FolderNode());
      case "mkdirat":
        return this.#added(call, join(args[0], args[1]), new FolderNode());
      case "rename":
        return this.#moved(call, pathOf(args[0]), pathOf(args[1]));
      case "renameat":
      case "renameat2":
        return this.#moved(call, join(args[0], args[1]), join(args[2], args[3]));
      case "link":
        return this.#linked(call, pathOf(args[0]), pathOf(args[1]));
      case "linkat":
        return this.#linked(call, join(args[0], args[1]), join(args[2], args[3]));
      case "unlink":
      case "rmdir":
        return this.#removed(call, pathOf(args[0]));
      case "unlinkat":
        return this.#removed(call, join(args[0], args[1]));
      case "fsync":
      case "fdatasync":
        return this.#synced(call, args[0]);
      default:
        if (JSON.stringify(args.map(textOf)).includes(this.path)) {
          throw new TraceError(`Expected no ${name} at line ${call.ended}: it is not modelled`);
        }
    }
  }

  #names(path: string): string[] | undefined {
    if (path === this.path) return [];
    return path.startsWith(`${this.path}/`)
      ? path.slice(this.path.length + 1).split("/").filter((name) => name !== "" && name !== ".")
      : undefined;
  }

  #place(path: string): { readonly folder: FolderNode; readonly name: string } | undefined {
    const name = this.#names(path)?.at(-1);
    const folder = name && this.at(path.slice(0, path.lastIndexOf("/")));
    return name && folder && folder.kind === "folder" ? { folder, name } : undefined;
  }

  #fileOf(argument: Argument): FileNode | undefined {
    if (argument.kind !== "file" || argument.deleted) return undefined;
    const node = this.at(argument.path);
    if (node?.kind === "file") return node;
    if (this.#names(argument.path) === undefined) return undefined;
    throw new TraceError(`Expected to know the file ${argument.path}`);
  }

  #opened(call: SystemCall, path: string, flags: string): void {
    if (this.#names(path) === undefined) return;
    const known = this.at(path);
    if (known === undefined && flags.includes("O_CREAT")) this.#added(call, path, new FileNode());
    else if (known?.kind === "file" && flags.includes("O_TRUNC")) this.#truncated(call, known, 0);
  }

  #written(call: SystemCall, bytes: Uint8Array, offset: Argument | undefined): void {
    const file = this.#fileOf(call.args[0]);
    if (!file) return;
    // Without an offset: who writes so writes a file from its beginning to its end.
    const at = call.name.startsWith("p") ? Number(wordOf(offset)) : file.size;
    file.pending.push({ kind: "write", at, bytes, line: call.ended });
    file.size = Math.max(file.size, at + bytes.length);
  }

  #truncated(call: SystemCall, file: FileNode | undefined, size: number): void {
    if (!file) return;
    file.pending.push({ kind: "truncate", at: size, bytes: new Uint8Array(0), line: call.ended });
    file.size = size;
  }

  #added(call: SystemCall, path: string, node: Node): void {
    const place = this.#place(path);
    if (!place) return;
    const { folder, name } = place;
    folder.pending.push({ kind: "entries", add: { name, node }, line: call.ended });
    folder.live.set(name, node);
  }

  #linked(call: SystemCall, from: string, to: string): void {
    const node = this.at(from);
    if (node) this.#added(call, to, node);
  }

  #removed(call: SystemCall, path: string): void {
    const place = this.#place(path);
    const node = place?.folder.live.get(place.name);
    if (!place || !node) return;
    const { folder, name } = place;
    folder.pending.push({ kind: "entries", remove: { name, node }, line: call.ended });
    folder.live.delete(name);
  }

  #moved(call: SystemCall, from: string, to: string): void {
    const [source, target] = [this.#place(from), this.#place(to)];
    const node = source?.folder.live.get(source.name);
    if (!source || !target || !node) return;
    const line = call.ended;
    const add = { name: target.name, node };
    const remove = { name: source.name, node };
    source.folder.live.delete(source.name);
    target.folder.live.set(target.name, node);
    if (source.folder === target.folder) {
      source.folder.pending.push({ kind: "entries", add, remove, line });
      return;
    }
    const added: PendingEntries = { kind: "entries", add, line };
    target.folder.pending.push(added);
    source.folder.pending.push({ kind: "entries", remove, after: added, line });
  }

  /** Only what was done before the sync began is covered by it. */
  #synced({ began }: SystemCall, argument: Argument): void {
    if (argument.kind !== "file" || argument.deleted) return;
    const node = this.at(argument.path);
    if (node?.kind === "file") {
      node.durable = written(node.durable, node.pending.filter(({ line }) => line < began));
      node.pending = node.pending.filter(({ line }) => line >= began);
    } else if (node) {
      const covered = node.pending.filter(({ line }) => line < began);
      for (const change of covered) change.durable = true;
      node.durable = entered(node.durable, covered);
      node.pending = node.pending.filter(({ line }) => line >= began);
    }
  }
}

/** Contents after some changes; what was never written between them is zeros. */
export function written(
  before: Uint8Array,
  changes: readonly PendingWrite[],
): Uint8Array<ArrayBuffer> {
  let size = before.length;
  let most = size;
  for (const { kind, at, bytes } of changes) {
    size = kind === "truncate" ? at : Math.max(size, at + bytes.length);
    most = Math.max(most, size);
  }
  const after = new Uint8Array(most);
  after.set(before);
  let end = before.length;
  for (const { kind, at, bytes } of changes) {
    if (kind === "truncate") {
      if (at < end) after.fill(0, at, end);
      end = at;
    } else {
      after.set(bytes, at);
      end = Math.max(end, at + bytes.length);
    }
  }
  return after.slice(0, size);
}

/** Entries after some changes. */
export function entered(
  before: ReadonlyMap<string, Node>,
  changes: readonly PendingEntries[],
): Map<string, Node> {
  const after = new Map(before);
  for (const { add, remove } of changes) {
    if (remove && after.get(remove.name) === remove.node) after.delete(remove.name);
    if (add) after.set(add.name, add.node);
  }
  return after;
}

function textOf(argument: Argument): unknown {
  if (argument.kind === "bytes") return new TextDecoder().decode(argument.bytes);
  if (argument.kind === "file") return argument.path;
  return argument.kind === "list" ? argument.items.map(textOf) : argument.text;
}

function bytesOf(argument: Argument | undefined): Uint8Array {
  if (argument?.kind === "bytes") return argument.bytes;
  throw new TraceError(`Expected a string: got ${argument?.kind}`);
}

/** The contents of all buffers of a call, one after the other. */
export function joined(argument: Argument): Uint8Array {
  const parts: Uint8Array[] = [];
  const collect = (each: Argument) => {
    if (each.kind === "list") each.items.forEach(collect);
    else if (each.kind === "bytes") parts.push(each.bytes);
  };
  collect(argument);
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function wordOf(argument: Argument | undefined): string {
  if (argument?.kind === "word") return argument.text;
  throw new TraceError(`Expected a number or flags: got ${argument?.kind}`);
}

function pathOf(argument: Argument): string {
  return new TextDecoder().decode(bytesOf(argument));
}

function join(folder: Argument, name: Argument): string {
  const path = pathOf(name);
  if (path.startsWith("/")) return path;
  if (folder.kind !== "file") throw new TraceError(`Expected a folder: got ${folder.kind}`);
  return path === "" ? folder.path : `${folder.path}/${path}`;
}

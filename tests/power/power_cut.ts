/** Writes out what a power failure may leave of a {@link Disk}. */

import type { Random } from "../model/random.ts";
import {
  type Disk,
  entered,
  type FileNode,
  type FolderNode,
  type Node,
  type Pending,
  type PendingEntries,
  type PendingWrite,
  written,
} from "./disk.ts";

/** Which of the changes that were not synced are there. */
export interface Survival {
  readonly name: string;
  keeps(change: PendingEntries | PendingWrite): boolean;
  /** How many octets of a write that is there are there. */
  length(write: PendingWrite): number;
}

const whole = ({ bytes }: PendingWrite) => bytes.length;

/** Nothing that was not synced. */
export const NOTHING: Survival = { name: "nothing", keeps: () => false, length: whole };

/** Everything, as if the program alone had been killed. */
export const EVERYTHING: Survival = { name: "everything", keeps: () => true, length: whole };

/** Names without contents, as a journal of metadata leaves them. */
export const NAMES: Survival = {
  name: "names",
  keeps: ({ kind }) => kind !== "write",
  length: whole,
};

/** Contents without names. */
export const CONTENTS: Survival = {
  name: "contents",
  keeps: ({ kind }) => kind !== "entries",
  length: whole,
};

/** All up to some change, which may be there in part. */
export function ordered(random: Random, from: number, to: number): Survival {
  const last = from + random.below(to - from + 1);
  return {
    name: `up to line ${last}`,
    keeps: ({ line }: Pending) => line <= last,
    length: ({ line, bytes }) => line === last ? random.below(bytes.length + 1) : bytes.length,
  };
}

/** Any of them, writes also in part. */
export function anything(random: Random): Survival {
  const share = (1 + random.below(9)) / 10;
  return {
    name: `any, ${share}`,
    keeps: () => random.chance(share),
    length: ({ bytes }) => random.chance(0.8) ? bytes.length : random.below(bytes.length + 1),
  };
}

/**
 * Writes to `to` what is left after a power failure.
 *
 * @param wanted false for names of files that the reader does not need
 */
export function writeOut(
  disk: Disk,
  to: string,
  survival: Survival,
  wanted: (name: string) => boolean = () => true,
): void {
  const kept = new Map<PendingEntries, boolean>();
  const places = new Map<FileNode, string>();
  // Of a move between folders, the old name goes only if the new one is there.
  const keeps = (change: PendingEntries): boolean => {
    let answer = kept.get(change);
    if (answer === undefined) {
      const { after } = change;
      answer = survival.keeps(change) && (after === undefined || !!after.durable || keeps(after));
      kept.set(change, answer);
    }
    return answer;
  };
  const put = (node: Node, path: string) => {
    if (node.kind === "folder") return putFolder(node, path);
    const other = places.get(node);
    if (other !== undefined) return Deno.linkSync(other, path);
    places.set(node, path);
    Deno.writeFileSync(path, contents(node, survival));
  };
  const putFolder = (folder: FolderNode, path: string) => {
    Deno.mkdirSync(path, { recursive: true });
    for (const [name, node] of entered(folder.durable, folder.pending.filter(keeps))) {
      if (wanted(name)) put(node, `${path}/${name}`);
    }
  };
  putFolder(disk.root, to);
}

function contents(file: FileNode, survival: Survival): Uint8Array {
  const kept = file.pending.filter((change) => survival.keeps(change)).map((change) => {
    const length = survival.length(change);
    return length < change.bytes.length
      ? { ...change, bytes: change.bytes.subarray(0, length) }
      : change;
  });
  return written(file.durable, kept);
}

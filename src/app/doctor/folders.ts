/** Folders and files of the server: there, its own, with room left. */

import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Finding } from "../../admin/operation.ts";
import type { Config } from "../../config/load.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** state_dir, runtime_dir and where mail is. */
export function* folderFindings(config: Config): Generator<Finding, void> {
  const { stateDir, controlPath, imap, lmtp } = config;
  const owner = statOf(stateDir)?.uid ?? Deno.uid();
  yield* folder("state_dir", stateDir, owner, 0o077);
  yield* folder("runtime_dir", dirname(controlPath), owner, 0o022);
  const mail = new Set([...imap, ...lmtp].map(({ storage }) => beforeFields(storage.path)));
  for (const path of mail) yield* folder("mail", path, owner, 0o007);
  for (const path of new Set([stateDir, ...mail])) yield* roomOf(path);
}

/** Files that the log goes to. */
export function* logFindings({ log, stateDir }: Config): Generator<Finding, void> {
  const owner = statOf(stateDir)?.uid;
  for (const target of log) {
    if (!target.startsWith("/")) continue;
    const info = statOf(target);
    if (info === undefined) {
      const there = statOf(dirname(target))?.isDirectory;
      yield there
        ? { level: "ok", subject: "log", text: `${target} is made at the start` }
        : missing("log", dirname(target));
    } else if (info.uid !== null && owner !== null && info.uid !== owner && owner !== 0) {
      yield {
        level: "failed",
        subject: "log",
        text: `${target} is not the server's own`,
        advice: `chown --reference=${stateDir} ${target}`,
      };
    } else yield { level: "ok", subject: "log", text: target };
  }
}

function* folder(
  subject: string,
  path: string,
  owner: number | null | undefined,
  closed: number,
): Generator<Finding, void> {
  const info = statOf(path);
  if (info === undefined) yield missing(subject, path);
  else if (!info.isDirectory) {
    yield { level: "failed", subject, text: `${path} is no folder`, advice: "move it away" };
  } else if (owner && info.uid !== null && info.uid !== owner && info.uid !== 0) {
    yield {
      level: "failed",
      subject,
      text: `${path} belongs to user ${info.uid}, the server's files to user ${owner}`,
      advice: `chown ${owner} ${path}`,
    };
  } else if ((info.mode ?? 0) & closed) {
    yield {
      level: "warning",
      subject,
      text: `${path} is open to other users (mode ${((info.mode ?? 0) & 0o777).toString(8)})`,
      advice: `chmod ${closed === 0o077 ? "go-rwx" : closed === 0o022 ? "go-w" : "o-rwx"} ${path}`,
    };
  } else yield { level: "ok", subject, text: path };
}

function missing(subject: string, path: string): Finding {
  const advice = subject === "mail" || subject === "state_dir"
    ? "it is made when the server starts, if it may make it there"
    : `mkdir -p ${path}, owned by the server's user`;
  return { level: "warning", subject, text: `${path} does not exist`, advice };
}

function* roomOf(path: string): Generator<Finding, void> {
  const there = nearestFolder(path);
  let room;
  try {
    room = statfsSync(there);
  } catch {
    return;
  }
  const free = room.bavail * room.bsize;
  const text = `${size(free)} free of ${size(room.blocks * room.bsize)} at ${there}`;
  const advice = "make room: a full disk refuses all new mail";
  if (free < 100 * MIB) yield { level: "failed", subject: "disk", text, advice };
  else if (free < GIB) yield { level: "warning", subject: "disk", text, advice };
  else yield { level: "ok", subject: "disk", text };
  // File systems that make inodes as they need them say 0 of 0.
  if (room.files > 0 && room.ffree < room.files / 50) {
    const inodes = `${room.ffree} inodes free of ${room.files} at ${there}`;
    yield {
      level: room.ffree < 1000 ? "failed" : "warning",
      subject: "disk",
      text: inodes,
      advice,
    };
  }
}

function nearestFolder(path: string): string {
  let there = path;
  while (statOf(there) === undefined && there !== "/") there = dirname(there);
  return there;
}

/** The part of a path template that all accounts share. */
function beforeFields(template: string): string {
  const field = template.indexOf("{");
  return field < 0 ? template : dirname(`${template.slice(0, field)}x`);
}

function size(octets: number): string {
  return octets >= GIB ? `${(octets / GIB).toFixed(1)} GiB` : `${Math.round(octets / MIB)} MiB`;
}

/** Undefined also for what may not be looked at. */
function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}

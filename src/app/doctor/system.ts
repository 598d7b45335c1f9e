/** What the machine gives: a clock, file descriptors, and watches of folders. */

import type { Finding } from "../../admin/operation.ts";
import type { Config } from "../../config/load.ts";
import { kernelFile } from "../kernel_file.ts";
import { filesNeeded, openFileLimit } from "../open_files.ts";

const DAY = 86_400_000;
/** No clock that is right shows a time before this. */
const EARLIEST = Date.UTC(2025, 0, 1);

/** The clock against times of files that the server wrote. */
export function clockFinding({ stateDir }: Config): Finding {
  const now = Date.now();
  const shown = new Date(now).toISOString().slice(0, 19);
  const newest = newestIn(stateDir);
  const advice = "set the clock, and let chrony or systemd-timesyncd keep it";
  if (now < EARLIEST || newest - now > DAY) {
    return {
      level: "failed",
      subject: "clock",
      text: `it is ${shown}Z by the clock, before files were written`,
      advice,
    };
  }
  return { level: "ok", subject: "clock", text: `${shown}Z` };
}

function newestIn(folder: string): number {
  try {
    const times = Array.from(
      Deno.readDirSync(folder),
      ({ name }) => Deno.lstatSync(`${folder}/${name}`).mtime?.getTime() ?? 0,
    );
    return Math.max(0, ...times);
  } catch {
    return 0;
  }
}

/** Whether as many files may be open as the connections that are let in may need. */
export function* descriptorFinding(
  { limits: { connections } }: Config,
  running: boolean,
): Generator<Finding, void> {
  // What this shell allows says nothing of the server.
  const limit = running ? openFileLimit() : undefined;
  if (limit === undefined) return;
  const needed = filesNeeded(connections);
  const text = `at most ${limit} open files`;
  yield limit < needed
    ? {
      level: "warning",
      subject: "limits",
      text: `${text}, and ${connections} connections may need ${needed}`,
      advice: `LimitNOFILE=${needed} in the unit, or lower limits.connections`,
    }
    : { level: "ok", subject: "limits", text };
}

/** Each folder that a client looks at takes a watch. */
export function* inotifyFindings(): Generator<Finding, void> {
  for (
    const [name, least] of [["max_user_watches", 8192], ["max_user_instances", 32]] as const
  ) {
    const value = Number(kernelFile(`/proc/sys/fs/inotify/${name}`) ?? NaN);
    if (Number.isNaN(value)) continue;
    const text = `fs.inotify.${name} is ${value}`;
    yield value < least
      ? {
        level: "warning",
        subject: "limits",
        text,
        advice: `sysctl -w fs.inotify.${name}=${least}; without watches folders are polled`,
      }
      : { level: "ok", subject: "limits", text };
  }
}

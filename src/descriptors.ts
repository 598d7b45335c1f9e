/** Whether the process may open some more files. */

import { closeSync, openSync } from "node:fs";

/** What a worker of Deno opens before any of its code runs, and some more for what others open meanwhile. */
const OF_A_WORKER = 32;

/**
 * To be called before a worker is made: without file descriptors for its event loop Deno ends the
 * whole process.
 *
 * @throws {Error} the system's
 */
export function assertRoomForWorker(): void {
  const opened: number[] = [];
  try {
    while (opened.length < OF_A_WORKER) opened.push(openSync("/dev/null", "r"));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Looks at a server's memory from outside. */

import assert from "node:assert/strict";

export const MIB = 1 << 20;

/** What an attack sends: a third more than what a server may grow by. */
export const FLOOD_MIB = 400;

/** A runtime with a garbage collector lets a hundred MiB and more of dead buffers lie where the machine is busy. */
const ROOM_MIB = 300;

/** Resident memory of a process in octets. Linux only. */
export async function residentMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1]) * 1024;
}

/** Looks, each half a second: what is dead is let go by then, what is kept is not. */
const LOOKS = 30;

/** Fails if a process has grown since `before` as if it had kept the flood. */
export async function assertBounded(pid: number, before: number): Promise<void> {
  const growth = async () => Math.round((await residentMemory(pid) - before) / MIB);
  let grown = await growth();
  for (let look = 0; look < LOOKS && grown >= ROOM_MIB; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    grown = await growth();
  }
  assert.ok(grown < ROOM_MIB, `Expected growth below ${ROOM_MIB} MiB: got ${grown} MiB`);
}

/**
 * Gives memory back while nobody asks for anything. V8 collects when it needs room: after many
 * logins some 30 MB of what is dead, or kept free for more of it, would stay for as long as the
 * clients are idle, and the C library keeps what it freed, too.
 */

import { cpuUsage } from "node:process";
import { clearInterval, setInterval } from "node:timers";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openSystemLibrary } from "../system_library.ts";

/** Milliseconds between two looks. */
const LOOK_EVERY = 500;

/** Milliseconds of the processor's time in between that are still quiet. */
const QUIET = 10;

/** Clients that have to have come, and stayed. */
const MANY = 64;

/** Octets that the heap has to have grown by. */
const GROWN = 16 * 1024 * 1024;

/** Octets, dead ones among them, whose collection takes up to a quarter of a second: more are left to V8. */
const LARGEST = 64 * 1024 * 1024;

const SYMBOLS = { malloc_trim: { parameters: ["usize"], result: "i32" } } as const;

/**
 * Collects in a pause, once so many clients came that it pays: V8 also forgets code by it, so that
 * the first commands after it are slower.
 *
 * @param connections how many there are now
 * @param largest octets in use above which it does not
 * @returns what ends it
 */
export function collectWhenQuiet(connections: () => number, largest = LARGEST): () => void {
  const collect = collector();
  if (collect === undefined) return () => {};
  const trim = Deno.build.os === "linux"
    ? openSystemLibrary("libc.so.6", SYMBOLS)?.symbols.malloc_trim
    : undefined;
  let used = cpuUsage();
  let left = 0;
  // So that once it collects what the start left.
  let served = -MANY;
  const look = () => {
    const { user, system } = cpuUsage(used);
    used = cpuUsage();
    if (user + system > QUIET * 1000) return;
    const clients = connections();
    served = Math.min(served, clients);
    if (clients < served + MANY) return;
    const { total_heap_size: heap, used_heap_size: inUse } = getHeapStatistics();
    if (heap < left + GROWN || inUse > largest) return;
    collect();
    trim?.(0n);
    served = clients;
    left = getHeapStatistics().total_heap_size;
    used = cpuUsage();
  };
  const timer = setInterval(look, LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}

/** V8 shows its collector only in a context that is made while this flag is set. */
function collector(): (() => void) | undefined {
  setFlagsFromString("--expose-gc");
  try {
    const collect: unknown = runInNewContext("globalThis.gc");
    return typeof collect === "function" ? () => void collect() : undefined;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}

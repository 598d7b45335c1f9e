/** A process that has garbage, does nothing then, and says when it was collected. */

import { print } from "../../src/cli/output.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { collectWhenQuiet } from "../../src/app/quiet_collection.ts";

/** @returns octets that V8 has for it and all else */
function makeGarbage(): number {
  const objects = Array.from({ length: 1_000_000 }, (_, n) => ({ n }));
  if (objects.length !== 1_000_000) throw new Error("V8 left it out");
  return getHeapStatistics().total_heap_size;
}

const full = makeGarbage();
const end = collectWhenQuiet(() => 100, Infinity);
const deadline = performance.now() + 20_000;
while (getHeapStatistics().total_heap_size > full - 8_000_000) {
  if (performance.now() > deadline) throw new Error("Nothing was collected");
  await sleep(50);
}
end();
print("collected");

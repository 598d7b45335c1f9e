import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { collectWhenQuiet } from "../../src/app/quiet_collection.ts";

/** @returns octets that V8 has for it and all else */
function makeGarbage(): number {
  const objects = Array.from({ length: 1_000_000 }, (_, n) => ({ n }));
  assert.equal(objects.length, 1_000_000);
  return getHeapStatistics().total_heap_size;
}

Deno.test("collectWhenQuiet: gives back what is dead while nothing happens", async () => {
  const full = makeGarbage();
  const end = collectWhenQuiet(() => 100, Infinity);
  try {
    const deadline = performance.now() + 20_000;
    while (getHeapStatistics().total_heap_size > full - 8_000_000) {
      assert.ok(performance.now() < deadline, "nothing was collected");
      await sleep(50);
    }
  } finally {
    end();
  }
});

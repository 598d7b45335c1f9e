import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { Pace, sortInTurns } from "../src/pace.ts";

Deno.test("sortInTurns() sorts stably, whatever the length", async () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer()), {
    minLength: 0,
    maxLength: 5000,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(pairs, async (items) => {
      const compare = (a: [number, number], b: [number, number]) => a[0] - b[0];
      const before = [...items];
      assert.deepEqual(await sortInTurns(items, compare), [...items].sort(compare));
      assert.deepEqual(items, before);
    }),
    { numRuns: 30 },
  );
});

Deno.test("Pace.turn() lets other work run and begins a new slice", async () => {
  const pace = new Pace(0);
  assert.equal(pace.due(), true);
  let ran = false;
  setTimeout(() => ran = true, 0);
  while (!ran) await pace.turn();
  assert.equal(new Pace(1_000_000).due(), false);
});

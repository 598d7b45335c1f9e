/**
 * A short soak; `deno task soak` takes as long as one likes.
 *
 *     SOAK_SEED=17 deno test -A tests/soak
 */

import assert from "node:assert/strict";
import { soak } from "./soak.ts";

const SEED = Number(Deno.env.get("SOAK_SEED") ?? Date.now() % 1_000_000);

Deno.test("imapd: loses, doubles and forgets nothing when it is killed while clients work", async () => {
  const lines: string[] = [];
  const summary = await soak({
    seed: SEED,
    kills: 8,
    milliseconds: 15_000,
    accounts: 2,
    clients: 2,
    tell: (line) => lines.push(line),
  });
  assert.equal(
    summary.faults.total,
    0,
    [
      `SOAK_SEED=${SEED}`,
      ...lines,
      ...summary.trace.slice(-200),
    ].join("\n"),
  );
  assert.ok(summary.operations > 0);
  assert.ok(summary.kills + summary.stops + summary.rests > 0);
});

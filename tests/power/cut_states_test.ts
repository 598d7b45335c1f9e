import * as assert from "node:assert/strict";
import { losePower } from "./losing_power.ts";
import { whyNotRecorded } from "./recording.ts";
import type { SystemCall } from "./system_calls.ts";

const reason = whyNotRecorded();
const suffix = reason ? ` (skipped: ${reason})` : "";

/** SQLite's own, as when the index is closed, are made with fsync. */
function isCheckpoint({ name, args: [file] }: SystemCall): boolean {
  return name === "fdatasync" && file.kind === "file" && file.path.endsWith("/imapd.sqlite");
}

Deno.test({
  name: `What was acknowledged is there after a power failure${suffix}`,
  ignore: reason !== undefined,
  async fn(context) {
    const { calls, disorder, cuts, broken } = await losePower({ seed: 1, steps: 40, points: 60 });
    assert.ok(calls.some(isCheckpoint), "a checkpoint in the run");
    assert.deepEqual(disorder, []);
    assert.deepEqual(broken.slice(0, 10), [], `${broken.length} of ${cuts} cuts`);
    await context.step(`${cuts} cuts`, () => {});
  },
});

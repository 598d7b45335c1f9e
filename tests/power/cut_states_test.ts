import * as assert from "node:assert/strict";
import { cut } from "./cut_states.ts";
import type { SystemCall } from "./system_calls.ts";
import { wrongOrder } from "./write_order.ts";
import { type Parts, record, whyNotRecorded } from "./recording.ts";

/** More of each for `deno task power-loss`. */
const RUNS = Number(Deno.env.get("POWER_RUNS") ?? 1);
const CUTS = Number(Deno.env.get("POWER_CUTS") ?? 60);
const STEPS = Number(Deno.env.get("POWER_STEPS") ?? 40);
const SEED = Number(Deno.env.get("POWER_SEED") ?? 1);

const reason = whyNotRecorded();

/** All at once, with the server killed in between, and stopped. */
async function work(parts: Parts): Promise<void> {
  await parts.connect();
  await workTogether(parts);
  await parts.kill();
  for (const session of parts.sessions) {
    for (let i = 0; i < STEPS / 4; i++) await session.act();
    await session.mark();
  }
  await parts.disconnect();
  await parts.server.restart();
  await parts.connect();
  for (const session of parts.sessions) for (let i = 0; i < STEPS / 8; i++) await session.act();
}

async function workTogether(parts: Parts): Promise<void> {
  await Promise.all([
    ...parts.sessions.map(async (session) => {
      await session.tour();
      for (let i = 0; i < STEPS; i++) await session.act();
      await session.mark();
    }),
    (async () => {
      for (let i = 0; i < STEPS / 4; i++) await parts.deliver();
    })(),
  ]);
}

/** SQLite's own, as when the index is closed, are made with fsync. */
function isCheckpoint({ name, args: [file] }: SystemCall): boolean {
  return name === "fdatasync" && file.kind === "file" && file.path.endsWith("/imapd.sqlite");
}

for (let seed = SEED; seed < SEED + RUNS; seed++) {
  Deno.test({
    name: `What was acknowledged is there after a power failure (seed ${seed})` +
      (reason ? ` (skipped: ${reason})` : ""),
    ignore: reason !== undefined,
    async fn(context) {
      const recording = await record(seed, 2, work);
      const { dir, calls } = recording;
      assert.ok(calls.some(isCheckpoint), "a checkpoint in the run");
      assert.deepEqual(wrongOrder({ dir: `${dir}/mail`, calls, replies: [] }), []);
      const { cuts, broken } = await cut(recording, { seed, count: CUTS });
      assert.deepEqual(broken.slice(0, 10), [], `${broken.length} of ${cuts} cuts`);
      await context.step(`${cuts} cuts`, () => {});
    },
  });
}

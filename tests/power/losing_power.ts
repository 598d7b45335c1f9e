/** A recorded run of all sessions at the same time, cut at many points. */

import { type Broken, cut } from "./cut_states.ts";
import { type Parts, record } from "./recording.ts";
import type { SystemCall } from "./system_calls.ts";
import { wrongOrder } from "./write_order.ts";

export interface LosingPower {
  /** Of all choices. */
  readonly seed: number;
  /** Commands of each session, at least. */
  readonly steps: number;
  /** Places in the recording where the power is cut, at most. */
  readonly points: number;
  /** No more cuts after this time, as of `Date.now()`. */
  readonly end?: number;
}

export interface LostPower {
  readonly calls: readonly SystemCall[];
  /** What was not synced in the order that it needs. */
  readonly disorder: readonly string[];
  readonly cuts: number;
  readonly broken: readonly Broken[];
}

/** Records a run, and compares what each cut leaves with what clients were told. */
export async function losePower({ seed, steps, points, end }: LosingPower): Promise<LostPower> {
  const recording = await record(seed, 2, (parts) => work(parts, steps));
  const { dir, calls } = recording;
  const disorder = wrongOrder({ dir: `${dir}/mail`, calls, replies: [] });
  return { calls, disorder, ...await cut(recording, { seed, count: points, end }) };
}

/** All at once, with the server killed in between, and stopped. */
async function work(parts: Parts, steps: number): Promise<void> {
  await parts.connect();
  await workTogether(parts, steps);
  await parts.kill();
  for (const session of parts.sessions) {
    for (let i = 0; i < steps / 4; i++) await session.act();
    await session.mark();
  }
  await parts.disconnect();
  await parts.server.restart();
  await parts.connect();
  for (const session of parts.sessions) for (let i = 0; i < steps / 8; i++) await session.act();
}

async function workTogether(parts: Parts, steps: number): Promise<void> {
  await Promise.all([
    ...parts.sessions.map(async (session) => {
      await session.tour();
      for (let i = 0; i < steps; i++) await session.act();
      await session.mark();
    }),
    (async () => {
      for (let i = 0; i < steps / 4; i++) await parts.deliver();
    })(),
  ]);
}

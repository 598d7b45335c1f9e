/**
 * `deno task power-loss --minutes 15 --seed 1`: cuts the power at thousands of points of recorded
 * runs; exit status 1 if anything that was acknowledged is not there.
 */

import { taskOptions } from "../task_options.ts";
import { losePower, type LostPower } from "./losing_power.ts";
import { whyNotRecorded } from "./recording.ts";

const USAGE = "usage: deno task power-loss [--minutes N] [--seed N] [--runs N] [--points N] " +
  "[--steps N]";
const MOST_TOLD = 10;

const values = taskOptions(USAGE, {
  minutes: { type: "string", default: "15" },
  seed: { type: "string", default: "1" },
  runs: { type: "string", default: "1000" },
  points: { type: "string", default: "1000" },
  steps: { type: "string", default: "120" },
});
const reason = whyNotRecorded();
if (reason !== undefined) {
  console.error(`Calls cannot be recorded: ${reason}`);
  Deno.exit(1);
}

const first = Number(values.seed);
const end = Date.now() + Number(values.minutes) * 60_000;
console.log(`power loss: at most ${values.minutes} minutes`);
let [runs, cuts, broken] = [0, 0, 0];
for (let seed = first; seed < first + Number(values.runs) && Date.now() < end; seed++) {
  const lost = await losePower({
    seed,
    steps: Number(values.steps),
    points: Number(values.points),
    end,
  });
  tell(seed, lost);
  runs++;
  cuts += lost.cuts;
  broken += lost.broken.length + lost.disorder.length;
}
console.log(`runs ${runs}, cuts ${cuts}, broken ${broken}`);
if (broken > 0) Deno.exit(1);

function tell(seed: number, { calls, disorder, cuts, broken }: LostPower): void {
  const problems = [...disorder, ...broken.map(({ cut, problem }) => `${cut}: ${problem}`)];
  console.log(`seed ${seed}: ${calls.length} calls, ${cuts} cuts, ${problems.length} broken`);
  for (const problem of problems.slice(0, MOST_TOLD)) console.log(`  ${problem}`);
}

/**
 * `deno task soak --minutes 60 --seed 7`: kills the server at random moments while clients work;
 * exit status 1 if anything was lost, doubled or wrong.
 */

import { taskOptions } from "../task_options.ts";
import { soak, type SoakSummary } from "./soak.ts";

const USAGE = "usage: deno task soak [--minutes N] [--kills N] [--seed N] [--accounts N] " +
  "[--clients N] [--program FILE] [--trace FILE]";

const values = taskOptions(USAGE, {
  minutes: { type: "string", default: "10" },
  kills: { type: "string", default: "1000000" },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  accounts: { type: "string", default: "3" },
  clients: { type: "string", default: "4" },
  program: { type: "string" },
  trace: { type: "string", default: "soak-trace.txt" },
});

console.log(`soak: seed ${values.seed}, at most ${values.minutes} minutes`);
const summary = await soak({
  seed: Number(values.seed),
  kills: Number(values.kills),
  milliseconds: Number(values.minutes) * 60_000,
  accounts: Number(values.accounts),
  clients: Number(values.clients),
  ...values.program === undefined ? {} : { command: [values.program] },
  keep: true,
  progress: (line) => console.log(line),
  tell: (line) => console.log(line),
});
print(summary);
if (summary.faults.total > 0) {
  Deno.writeTextFileSync(values.trace, summary.trace.join("\n") + "\n");
  console.log(`what was said last: ${values.trace}; the state of the server: ${summary.dir}`);
  Deno.exit(1);
}

function print(summary: SoakSummary): void {
  const { operations, unanswered, kills, killsWhileStarting, stops, rests } = summary;
  const counts = [...summary.counts].sort(([, a], [, b]) => b - a);
  console.log(
    `operations ${operations} (${counts.map(([verb, count]) => `${verb} ${count}`).join(", ")})`,
  );
  console.log(
    `kills ${kills}, ${killsWhileStarting} of them while it started; stops ${stops}, ` +
      `looks without an end ${rests}; cut off in the middle ${unanswered}`,
  );
  console.log(`memory at most ${summary.memory} MB, mail at the end ${summary.disk} MB`);
  console.log(summary.faults.summary);
}

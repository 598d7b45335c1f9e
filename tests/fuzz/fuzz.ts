/**
 * Fuzzes all that reads foreign octets, for as long as it is told:
 *
 *     deno task fuzz --minutes 60 --target mime --seed 7 --corpus DIR --finds DIR
 *
 * Exit status 1 if anything was found.
 */

import { taskOptions } from "../task_options.ts";
import { CORPUS, writeFind } from "./engine/corpus.ts";
import { hashOf } from "./engine/random.ts";
import { type FuzzOrder, type FuzzReport, PRESENT_HEAD } from "./engine/worker.ts";
import { TARGETS } from "./targets.ts";

/** Milliseconds that one input may take before its thread is ended. */
const HANG = 60_000;
/** Octets of the longest input that is known when a thread hangs. */
const LONGEST_PRESENT = 256 * 1024;
/** Seconds that a target gets before it is another one's turn. */
const TURN = 60;

interface Total {
  executions: number;
  blocks: number;
  corpus: number;
  crashes: number;
  readonly finds: Set<string>;
}

/** Fuzzes one target in a thread of its own. */
function turn(order: Omit<FuzzOrder, "present">): Promise<FuzzReport> {
  const present = new SharedArrayBuffer(PRESENT_HEAD + LONGEST_PRESENT);
  const numbers = new Int32Array(present, 0, 2);
  const worker = new Worker(new URL("./engine/worker.ts", import.meta.url), { type: "module" });
  const done = Promise.withResolvers<FuzzReport>();
  let begun = -1;
  const found = (signature: string, text: string) => {
    const input = new Uint8Array(present, PRESENT_HEAD).slice(0, Atomics.load(numbers, 1));
    const executions = Atomics.load(numbers, 0);
    const finds = [{ input, signature, text }];
    done.resolve({ executions, blocks: 0, corpus: 0, crashes: 1, finds });
  };
  const watch = setInterval(() => {
    const now = Atomics.load(numbers, 0);
    if (now === begun) found("hang", `Expected an end within ${HANG} ms: it hangs`);
    begun = now;
  }, HANG);
  worker.onmessage = ({ data }) => done.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    found("uncaught", event.message);
  };
  worker.postMessage({ ...order, present });
  return done.promise.finally(() => {
    clearInterval(watch);
    worker.terminate();
  });
}

function summary(name: string, total: Total): string {
  const count = (number: number, width: number) => String(number).padStart(width);
  return `${name.padEnd(20)} ${count(total.executions, 9)} executions ${count(total.blocks, 5)} ` +
    `blocks ${count(total.corpus, 4)} in the corpus ${count(total.crashes, 4)} crashes ` +
    `${count(total.finds.size, 2)} finds`;
}

const USAGE = "usage: deno task fuzz [--minutes N] [--target NAME]… [--seed N] [--corpus DIR] " +
  `[--finds DIR]\ntargets: ${TARGETS.map(({ name }) => name).join(", ")}`;

const values = taskOptions(USAGE, {
  minutes: { type: "string", default: "5" },
  target: { type: "string", multiple: true, default: TARGETS.map(({ name }) => name) },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  corpus: { type: "string" },
  finds: { type: "string", default: "fuzz-finds" },
});
const names = values.target;
for (const name of names) {
  if (TARGETS.some((target) => target.name === name)) continue;
  console.error(`Expected one of ${TARGETS.map((target) => target.name).join(", ")}: got ${name}`);
  Deno.exit(2);
}
const folders = values.corpus === undefined ? [CORPUS] : [CORPUS, values.corpus];
let seed = Number(values.seed);
console.log(`seed ${seed}`);
const rounds = Math.max(1, Math.round(Number(values.minutes) * 60 / names.length / TURN));
const seconds = Number(values.minutes) * 60 / names.length / rounds;
const totals = new Map<string, Total>();
for (let round = 1; round <= rounds; round++) {
  for (const name of names) {
    const report = await turn({ target: name, seconds, seed: seed++, folders });
    const total = totals.get(name) ??
      { executions: 0, blocks: 0, corpus: 0, crashes: 0, finds: new Set<string>() };
    totals.set(name, total);
    total.executions += report.executions;
    total.blocks = Math.max(total.blocks, report.blocks);
    total.corpus = Math.max(total.corpus, report.corpus);
    total.crashes += report.crashes;
    for (const find of report.finds) {
      if (total.finds.has(find.signature)) continue;
      total.finds.add(find.signature);
      const place = writeFind(values.finds, name, find, hashOf(find.input));
      console.log(`${name}: ${find.text.split("\n")[0]} (${place})`);
    }
    console.log(summary(name, total));
  }
}
console.log("\nAll in all:");
for (const [name, total] of totals) console.log(summary(name, total));
const all = [...totals.values()];
const executions = all.reduce((sum, total) => sum + total.executions, 0);
const finds = all.reduce((sum, total) => sum + total.finds.size, 0);
console.log(`${executions} executions, ${finds} finds`);
Deno.exit(finds > 0 ? 1 : 0);

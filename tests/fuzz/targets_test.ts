/** All that is fuzzed, for a moment: what is kept in the corpus, and some hundred changes of it. */

import assert from "node:assert/strict";
import { commandRows } from "../../src/imap/command_rows.ts";
import { CORPUS, readCorpus, written } from "./engine/corpus.ts";
import { Coverage } from "./engine/coverage.ts";
import { Execution } from "./engine/execution.ts";
import { Fuzzing } from "./engine/fuzzing.ts";
import { Random } from "./engine/random.ts";
import { type FuzzTarget, pureTarget } from "./engine/target.ts";
import { TARGETS } from "./targets.ts";
import { PARSERS, VALID } from "./targets/commands.ts";

/** IMAPD_FUZZ_SEED repeats a run. */
const SEED = Number(Deno.env.get("IMAPD_FUZZ_SEED") ?? Date.now() % 1_000_000);
/** New inputs for a target that does not say so itself. */
const INPUTS = 200;
/** A machine that does other things has its own idea of time: only what hangs is found here. */
const PATIENT = 30_000;

function seedsOf(target: FuzzTarget): Uint8Array[] {
  return target.seeds.map((seed) => Uint8Array.from(seed, (char) => char.charCodeAt(0)));
}

for (const target of TARGETS) {
  const { gate = INPUTS } = target;
  Deno.test(`${target.name}: holds for its corpus and for ${gate} changes of it`, async () => {
    const reader = await target.begin();
    const execution = new Execution({ ...target, slow: PATIENT }, reader);
    const fuzzing = new Fuzzing({ target, execution, random: new Random(SEED) });
    await fuzzing.begin([...seedsOf(target), ...readCorpus(CORPUS, target.name)]);
    await fuzzing.run(gate);
    await reader.end?.();
    const found = fuzzing.finds.map(({ input, text }) => `${written(input)}\n${text}`);
    assert.deepEqual(found, [], `IMAPD_FUZZ_SEED=${SEED}`);
  });
}

Deno.test("PARSERS: has every command, and a valid one for each", () => {
  const names = commandRows(() => []).map(([name]) => name).sort();
  assert.deepEqual([...PARSERS.keys()].sort(), names);
  const shown = new Set(VALID.map((text) => PARSERS.get(/^a (UID \w+|\w+)/.exec(text)?.[1] ?? "")));
  for (const [name, parser] of PARSERS) assert.ok(shown.has(parser), `no valid ${name}`);
});

/** Fails for inputs that begin with what it wants, which it looks at one octet after the other. */
function lockedTarget(wanted: string): FuzzTarget {
  return pureTarget({
    name: "lock",
    seeds: ["x"],
    sources: [],
    tokens: ["y"],
    run: (input) => {
      if (LOCK.opens(input, wanted)) throw new RangeError("open");
    },
  });
}

/** Coverage leads to it step by step; V8 counts what stands in lines of their own. */
const LOCK = {
  opens(input: Uint8Array, wanted: string): boolean {
    if (input[0] !== wanted.charCodeAt(0)) return false;
    if (input[1] !== wanted.charCodeAt(1)) return false;
    return true;
  },
};

Deno.test("Fuzzing.step: finds what only coverage leads to, and makes it as short as it can be", async () => {
  const coverage = await Coverage.begin(/targets_test/);
  const target = lockedTarget("\x07K");
  const execution = new Execution({ ...target, slow: PATIENT }, await target.begin());
  const fuzzing = new Fuzzing({ target, execution, random: new Random(1), coverage });
  await fuzzing.begin(seedsOf(target));
  for (let steps = 0; fuzzing.finds.length === 0; steps++) {
    assert.ok(steps < 20_000, "not found");
    await fuzzing.step();
  }
  coverage.end();
  assert.equal(fuzzing.finds.length, 1);
  assert.deepEqual([...fuzzing.finds[0].input], [7, 0x4b]);
  assert.match(fuzzing.finds[0].text, /RangeError: open/);
});

Deno.test("Execution.find: tells what is slow from what is not", async () => {
  const run = (input: Uint8Array) => {
    const end = performance.now() + (input.length > 3 ? 20 : 0);
    while (performance.now() < end);
  };
  const target = pureTarget({ name: "slow", seeds: [], sources: [], slow: 10, run });
  const execution = new Execution(target, await target.begin());
  assert.equal((await execution.find(new Uint8Array(4)))?.signature, "slow");
});

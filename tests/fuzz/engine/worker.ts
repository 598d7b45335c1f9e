/** Fuzzes one target for a while, in a thread that can be ended when it hangs. */

import { TARGETS } from "../targets.ts";
import { Coverage } from "./coverage.ts";
import { readCorpus, writeCorpus } from "./corpus.ts";
import { Execution } from "./execution.ts";
import { Fuzzing } from "./fuzzing.ts";
import { Random } from "./random.ts";

/** What a thread is told. */
export interface FuzzOrder {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  /** Folders whose corpus is begun with; what is new goes to the last one. */
  readonly folders: readonly string[];
  /** How many inputs were begun, the size of the present one, and its octets. */
  readonly present: SharedArrayBuffer;
}

/** What a thread tells. */
export interface FuzzReport {
  readonly executions: number;
  readonly blocks: number;
  readonly corpus: number;
  readonly crashes: number;
  readonly finds: readonly { input: Uint8Array; signature: string; text: string }[];
}

/** Octets of the numbers before the present input. */
export const PRESENT_HEAD = 8;

async function fuzz(order: FuzzOrder): Promise<FuzzReport> {
  const target = TARGETS.find(({ name }) => name === order.target);
  if (target === undefined) throw new Error(`Expected a target, got ${order.target}`);
  const coverage = await Coverage.begin(/\/src\//);
  const reader = await target.begin();
  const numbers = new Int32Array(order.present, 0, 2);
  const octets = new Uint8Array(order.present, PRESENT_HEAD);
  const execution = new Execution(target, reader, (input) => {
    octets.set(input.subarray(0, octets.length));
    Atomics.store(numbers, 1, input.length);
    Atomics.add(numbers, 0, 1);
  });
  const random = new Random(order.seed);
  const fuzzing = new Fuzzing({ target, execution, random, coverage });
  const seeds = target.seeds.map((seed) => Uint8Array.from(seed, (char) => char.charCodeAt(0)));
  const known = order.folders.flatMap((folder) => readCorpus(folder, target.name));
  await fuzzing.begin([...seeds, ...known]);
  const end = performance.now() + order.seconds * 1000;
  while (performance.now() < end) await fuzzing.step();
  const folder = order.folders.at(-1);
  if (folder !== undefined) writeCorpus(folder, target.name, fuzzing.corpus);
  await reader.end?.();
  coverage.end();
  return {
    executions: execution.count,
    blocks: coverage.blocks,
    corpus: fuzzing.corpus.length,
    crashes: fuzzing.crashes,
    finds: fuzzing.finds,
  };
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<FuzzOrder>) => void) | null;
  postMessage(report: FuzzReport): void;
  close(): void;
}

/** True in a thread: this file is loaded for its types, too. */
function isScope(scope: unknown): scope is WorkerScope {
  return "DedicatedWorkerGlobalScope" in globalThis && scope !== undefined;
}

if (isScope(self)) {
  const scope: WorkerScope = self;
  scope.onmessage = async ({ data }) => {
    scope.postMessage(await fuzz(data));
    scope.close();
  };
}

/** The loop: change an input, run it, keep it if it went where none went before. */

import type { Coverage } from "./coverage.ts";
import { dictionaryOf } from "./corpus.ts";
import { type Execution, shortened } from "./execution.ts";
import { mutated, type MutationSources } from "./mutation.ts";
import type { Random } from "./random.ts";
import type { Find, FuzzTarget } from "./target.ts";

/** Inputs between two looks at the coverage, which take a millisecond. */
const BATCH = 64;
/** Milliseconds after which a batch ends, for readers that take long. */
const BATCH_TIME = 200;
/** How often a shorter input is tried before one is kept. */
const KEEPING_TRIES = 30;

export interface FuzzingOptions {
  readonly target: FuzzTarget;
  readonly execution: Execution;
  readonly random: Random;
  /** Undefined: inputs are run, and none is kept. */
  readonly coverage?: Coverage;
}

/** Fuzzes one target. */
export class Fuzzing {
  readonly #execution: Execution;
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  readonly #longest: number;
  readonly #sources: MutationSources;
  #corpus: Uint8Array[] = [];
  readonly #finds = new Map<string, Find>();
  /** Executions that found something, also what was found before. */
  crashes = 0;

  constructor({ target, execution, random, coverage }: FuzzingOptions) {
    this.#execution = execution;
    this.#random = random;
    this.#coverage = coverage;
    this.#longest = target.longest ?? 4096;
    this.#sources = {
      random,
      tokens: dictionaryOf(target),
      other: () => this.#pick(),
      longest: this.#longest,
    };
  }

  /** What was found, each once, as short as it could be made. */
  get finds(): readonly Find[] {
    return [...this.#finds.values()];
  }

  get corpus(): readonly Uint8Array[] {
    return this.#corpus;
  }

  /** Runs `inputs`; with coverage, those that go nowhere new are left out, the longest first. */
  async begin(inputs: readonly Uint8Array[]): Promise<void> {
    await this.#coverage?.forget();
    for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
      await this.#run(input);
      const fresh = await this.#coverage?.take();
      if (fresh !== 0) this.#corpus.push(input);
    }
    if (this.#corpus.length === 0) this.#corpus.push(new Uint8Array(0));
  }

  /** Runs so many new inputs and keeps none. */
  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#run(mutated(this.#pick(), this.#sources));
  }

  /** Runs a batch of new inputs. */
  async step(): Promise<void> {
    const batch: Uint8Array[] = [];
    const start = performance.now();
    while (batch.length < BATCH && performance.now() - start < BATCH_TIME) {
      const input = mutated(this.#pick(), this.#sources);
      batch.push(input);
      await this.#run(input);
    }
    if (this.#coverage === undefined || await this.#coverage.take(false) === 0) return;
    await this.#keepNew(batch, this.#coverage);
    // What comes of several inputs in a row only is not looked for again.
    for (const input of batch) await this.#run(input);
    await this.#coverage.take();
  }

  #pick(): Uint8Array {
    const newest = this.#random.once(3) ? Math.min(8, this.#corpus.length) : this.#corpus.length;
    return this.#corpus[this.#corpus.length - 1 - this.#random.below(newest)];
  }

  /** Keeps those of `inputs` that go where none went, found by halving. */
  async #keepNew(inputs: readonly Uint8Array[], coverage: Coverage): Promise<void> {
    await coverage.take(false);
    for (const input of inputs) await this.#run(input);
    const fresh = await coverage.take(false);
    if (fresh === 0) return;
    if (inputs.length === 1) return await this.#keep(inputs[0], fresh, coverage);
    const half = inputs.length >> 1;
    await this.#keepNew(inputs.slice(0, half), coverage);
    await this.#keepNew(inputs.slice(half), coverage);
  }

  async #keep(input: Uint8Array, fresh: number, coverage: Coverage): Promise<void> {
    const goesThere = async (shorter: Uint8Array) =>
      !await this.#run(shorter) && await coverage.take(false) >= fresh;
    const short = await shortened(input, goesThere, KEEPING_TRIES);
    await coverage.take(false);
    const isFound = await this.#run(short);
    await coverage.take();
    if (!isFound && short.length <= this.#longest) this.#corpus.push(short);
  }

  /** @returns whether something was found */
  async #run(input: Uint8Array): Promise<boolean> {
    const find = await this.#execution.find(input);
    if (find === undefined) return false;
    this.crashes++;
    const { signature } = find;
    if (this.#finds.has(signature)) return true;
    this.#finds.set(signature, find);
    const tries = signature === "slow" ? 12 : 300;
    const holds = async (shorter: Uint8Array) =>
      (await this.#execution.find(shorter))?.signature === signature;
    const short = await shortened(input, holds, tries);
    this.#finds.set(signature, await this.#execution.find(short) ?? find);
    return true;
  }
}

/** Gives one input to a reader and judges what came of it. */

import { joinBytes } from "../../../src/message/bytes.ts";
import { type Find, type FuzzReader, type FuzzTarget, SLOW } from "./target.ts";

/** Runs inputs of one target. */
export class Execution {
  readonly #reader: FuzzReader;
  readonly #slow: number;
  readonly #before: (input: Uint8Array) => void;
  #count = 0;

  /** @param before is told of each input before it runs, so that others know what hangs */
  constructor(
    { slow = SLOW }: FuzzTarget,
    reader: FuzzReader,
    before: (input: Uint8Array) => void = () => {},
  ) {
    this.#reader = reader;
    this.#slow = slow;
    this.#before = before;
  }

  /** Inputs so far. */
  get count(): number {
    return this.#count;
  }

  /** What is wrong with `input`; undefined if nothing is. */
  async find(input: Uint8Array): Promise<Find | undefined> {
    let least = Infinity;
    // Another program may have had the processor: only what is slow each time is slow.
    for (let attempt = 0; attempt < 3 && least > this.#slow; attempt++) {
      const outcome = await this.#once(input);
      if (typeof outcome !== "number") return outcome;
      least = Math.min(least, outcome);
    }
    if (least <= this.#slow) return undefined;
    const text = `Expected ${input.length} octets to take ${this.#slow} ms at most: ` +
      `took ${Math.round(least)}`;
    return { input, signature: "slow", text };
  }

  async #once(input: Uint8Array): Promise<Find | number> {
    this.#count++;
    this.#before(input);
    const start = performance.now();
    try {
      // A reader that keeps or changes what it was given must not change the corpus.
      const running = this.#reader.run(input.slice());
      if (running !== undefined) await running;
      return performance.now() - start;
    } catch (error) {
      return { input, signature: signatureOf(error), text: textOf(error) };
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** What kind of error it is, and the first two places of ours in its stack. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return "thrown";
  const places = [...(error.stack ?? "").matchAll(/(?:src|tests)\/[^\s)]*:\d+:\d+/g)];
  return [error.name, ...places.slice(0, 2).map(([place]) => place)].join(" ");
}

/**
 * A shorter input for which `holds` is true as well, found by leaving out pieces.
 *
 * @param tries how often `holds` may be asked
 */
export async function shortened(
  input: Uint8Array,
  holds: (shorter: Uint8Array) => Promise<boolean>,
  tries: number,
): Promise<Uint8Array> {
  let best = input;
  let left = tries;
  for (let size = best.length >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at < best.length && left > 0;) {
      const trial = joinBytes([best.subarray(0, at), best.subarray(at + size)]);
      left--;
      if (await holds(trial)) best = trial;
      else at += size;
    }
  }
  return best;
}

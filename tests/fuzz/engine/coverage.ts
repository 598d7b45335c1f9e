/** Which places of the source a piece of work went through, as V8 counts them. */

import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface Script {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

const NONE = 0, MET = 1;

/** Coverage of this thread: of files whose URL fits. It has to begin before they are loaded. */
export class Coverage {
  readonly #session = new Session();
  readonly #counts: RegExp;
  /** By script: what was ever gone through, char by char. */
  readonly #covered = new Map<string, Uint8Array>();
  /** Chars gone through, and blocks in which they lie. */
  octets = 0;
  blocks = 0;

  private constructor(counts: RegExp) {
    this.#counts = counts;
  }

  /** Begins to count. */
  static async begin(counts: RegExp): Promise<Coverage> {
    const coverage = new Coverage(counts);
    coverage.#session.connect();
    await coverage.#post("Profiler.enable");
    await coverage.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return coverage;
  }

  /** Begins anew: what was covered so far counts for nothing. */
  async forget(): Promise<void> {
    await this.#post("Profiler.takePreciseCoverage");
    this.#covered.clear();
    this.octets = this.blocks = 0;
  }

  /**
   * Looks at what was gone through since the last time.
   *
   * @param keep false: what is new stays new
   * @returns how many blocks of it are new
   */
  async take(keep = true): Promise<number> {
    const { result } = await this.#post("Profiler.takePreciseCoverage");
    let fresh = 0;
    for (const script of result) {
      if (this.#counts.test(script.url)) fresh += this.#merge(script, keep);
    }
    return fresh;
  }

  #merge({ scriptId, functions }: Script, keep: boolean): number {
    const size = functions.reduce(
      (most, { ranges }) => Math.max(most, ranges[0].endOffset),
      0,
    );
    const now = new Uint8Array(size);
    // The outer come first, and what is inside of them says it better.
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        now.fill(count > 0 ? MET : NONE, startOffset, endOffset);
      }
    }
    let before = this.#covered.get(scriptId) ?? new Uint8Array(size);
    if (before.length < size) {
      const longer = new Uint8Array(size);
      longer.set(before);
      before = longer;
    }
    let fresh = 0;
    for (let at = 0; at < size; at++) {
      if (now[at] !== MET || before[at] === MET) continue;
      if (at === 0 || now[at - 1] !== MET || before[at - 1] === MET) fresh++;
      if (keep) this.octets++;
    }
    if (keep) {
      for (let at = 0; at < size; at++) before[at] |= now[at];
      this.#covered.set(scriptId, before);
      this.blocks += fresh;
    }
    return fresh;
  }

  #post(
    method: string,
    parameters?: object,
  ): Promise<{ readonly result: readonly Script[] }> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error: Error | null, answer?: object) => {
        if (error) reject(error);
        else resolve({ result: [], ...answer });
      });
    });
  }

  /** Counts no longer. */
  end(): void {
    this.#session.disconnect();
  }
}

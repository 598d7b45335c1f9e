/** What was counted by key in the last hour, with a bound on the keys. */

const HOUR = 3_600_000;
/** Steps in which the hour moves on. */
const STEP = HOUR / 12;
/** Keys that are told apart: who comes from everywhere must not fill the memory. */
const MOST_KEYS = 1000;

/** A key and its count. */
export interface RecentCount {
  readonly key: string;
  readonly count: number;
}

export class RecentCounts {
  readonly #clock: () => number;
  /** Counts by key in the steps of the last hour, the newest last. */
  #steps: { readonly start: number; readonly counts: Map<string, number> }[] = [];
  #total = 0;

  /** @param clock milliseconds since 1970 */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Everything that was ever counted. */
  get total(): number {
    return this.#total;
  }

  add(key: string, count: number): void {
    this.#total += count;
    const { counts } = this.#current();
    const known = counts.get(key);
    if (known !== undefined || counts.size < MOST_KEYS) counts.set(key, (known ?? 0) + count);
  }

  /** The keys with the highest counts of the last hour. */
  top(most: number): RecentCount[] {
    this.#current();
    const sums = new Map<string, number>();
    for (const { counts } of this.#steps) {
      for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
    }
    return Array.from(sums, ([key, count]) => ({ key, count }))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)).slice(0, most);
  }

  #current() {
    const now = this.#clock();
    const start = now - now % STEP;
    this.#steps = this.#steps.filter((step) => step.start > now - HOUR && step.start <= now);
    const last = this.#steps.at(-1);
    if (last?.start === start) return last;
    const step = { start, counts: new Map<string, number>() };
    this.#steps.push(step);
    return step;
  }
}

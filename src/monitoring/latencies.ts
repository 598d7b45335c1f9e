/** Buckets of latencies, and what they tell. */

/** Upper bounds of latencies, in seconds. */
export const LATENCIES = [
  ...[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 10],
];

/**
 * About the value below which that share of all observations lies.
 *
 * @param counts observations in each bucket of {@link LATENCIES}
 */
export function quantile(counts: Float64Array, share: number): number | null {
  const wanted = counts.reduce((sum, count) => sum + count, 0) * share;
  if (wanted === 0) return null;
  let below = 0;
  for (const [i, upper] of LATENCIES.entries()) {
    if (below + counts[i] < wanted) {
      below += counts[i];
      continue;
    }
    const lower = i === 0 ? 0 : LATENCIES[i - 1];
    return Number((lower + (upper - lower) * (wanted - below) / counts[i]).toPrecision(3));
  }
  return LATENCIES[LATENCIES.length - 1];
}

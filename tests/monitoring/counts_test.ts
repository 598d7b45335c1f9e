import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { LATENCIES, quantile } from "../../src/monitoring/latencies.ts";
import { Measurements } from "../../src/monitoring/measurements.ts";
import { RecentCounts } from "../../src/monitoring/recent_counts.ts";

const MINUTE = 60_000;

Deno.test("RecentCounts: forgets what is older than an hour", () => {
  let now = 1_800_000_000_000;
  const counts = new RecentCounts(() => now);
  counts.add("a", 2);
  now += 30 * MINUTE;
  counts.add("a", 1);
  counts.add("b", 2);
  deepStrictEqual(counts.top(9), [{ key: "a", count: 3 }, { key: "b", count: 2 }]);
  deepStrictEqual(counts.top(1), [{ key: "a", count: 3 }]);
  now += 40 * MINUTE;
  deepStrictEqual(counts.top(9), [{ key: "b", count: 2 }, { key: "a", count: 1 }]);
  now += 40 * MINUTE;
  deepStrictEqual(counts.top(9), []);
  strictEqual(counts.total, 5);
});

Deno.test("RecentCounts: keeps a bounded number of keys, and those that it has go on counting", () => {
  const counts = new RecentCounts(() => 0);
  for (let i = 0; i < 5000; i++) counts.add(`key ${i}`, 1);
  counts.add("key 0", 5);
  strictEqual(counts.top(Infinity).length, 1000);
  deepStrictEqual(counts.top(1), [{ key: "key 0", count: 6 }]);
  strictEqual(counts.total, 5005);
});

Deno.test("quantile(): lies within the bucket of the value", () => {
  const counts = new Float64Array(LATENCIES.length + 1);
  strictEqual(quantile(counts, 0.5), null);
  counts[LATENCIES.indexOf(0.005)] = 98;
  counts[LATENCIES.indexOf(1)] = 2;
  const [p50, p99] = [quantile(counts, 0.5), quantile(counts, 0.99)];
  ok(p50 !== null && p50 > 0.0025 && p50 <= 0.005, String(p50));
  ok(p99 !== null && p99 > 0.5 && p99 <= 1, String(p99));
  counts[LATENCIES.length] = 1000;
  strictEqual(quantile(counts, 0.99), 10, "what is above all bounds is at least the last one");
});

Deno.test("Measurements: a command that lasts as long as the client wants has no latency", () => {
  const measurements = new Measurements();
  measurements.command("IDLE", "OK", undefined);
  measurements.command(undefined, "BAD", 0.001);
  deepStrictEqual(measurements.byCommand().map(({ command, p50 }) => [command, p50 !== null]), [
    ["IDLE", false],
    ["unknown", true],
  ]);
});

import { strictEqual } from "node:assert/strict";
import { progressLine } from "../../src/cli/progress.ts";

Deno.test("progressLine: shows what is done, how fast, and when it ends", () => {
  for (
    const [done, total, ms, line] of [
      [
        [2500, 27_100_000],
        5000,
        2000,
        "[############------------] 50% 2,500 of 5,000 messages, 27.1 MB, 1250/s, 2s left",
      ],
      [
        [1, 1000],
        7321,
        1000,
        "[------------------------] 0% 1 of 7,321 messages, 0.0 MB, 1/s, 2h 2m left",
      ],
      [[0, 0], 10, 0, "[------------------------] 0% 0 of 10 messages, 0.0 MB, 0/s"],
      [[0, 0], 0, 5, "[########################] 100% 0 of 0 messages, 0.0 MB, 0/s"],
      [[1_234_567, 0], undefined, 1000, "1,234,567 messages, 0.0 MB, 1234567/s"],
    ] as const
  ) {
    const [messages, octets] = done;
    strictEqual(progressLine({ messages, octets }, total, ms), line);
  }
});

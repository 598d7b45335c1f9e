import { strictEqual } from "node:assert/strict";
import { patienceLeft } from "../../src/net/patience.ts";

const MINUTE = 60_000;

/** Milliseconds until a client is given up, that lets `octets` come each `pause`; Infinity if never. */
function givenUp(octets: number, pause: number): number {
  let patience = MINUTE;
  let passed = 0;
  // A message of 60 MB.
  for (let sent = 0; sent < 60_000_000; sent += octets) {
    if (pause > patience) return passed + patience;
    passed += pause;
    patience = patienceLeft(patience, pause, octets, MINUTE);
  }
  return Infinity;
}

Deno.test("patienceLeft: silence ends it after the limit, a trickle not much later", () => {
  strictEqual(givenUp(1, MINUTE + 1), MINUTE);
  strictEqual(givenUp(1, 50_000) <= MINUTE + 100, true);
  strictEqual(givenUp(1, 1000) <= 62_000, true);
});

Deno.test("patienceLeft: a large message may come over a slow line that pauses", () => {
  strictEqual(givenUp(64, 1000), Infinity);
  strictEqual(givenUp(4096, 59_000), Infinity);
  strictEqual(givenUp(1_000_000, 59_999), Infinity);
});

Deno.test("patienceLeft: is never more than the limit, nor less than nothing", () => {
  strictEqual(patienceLeft(MINUTE, 0, 1 << 30, MINUTE), MINUTE);
  strictEqual(patienceLeft(5, MINUTE, 1, MINUTE), 0);
});

import assert from "node:assert/strict";
import { batchesOf } from "../../src/imap/commands/uid_batches.ts";

/** UIDs from 1 to 50 without 1, 14 to 17, 41, 43 and 45. */
const UIDS = Array.from({ length: 50 }, (_, i) => i + 1)
  .filter((uid) => ![1, 14, 15, 16, 17, 41, 43, 45].includes(uid));

const spell = (size: number, batches?: readonly [number, number]) =>
  batchesOf(UIDS, { size, batches }).map((range) => range.join(":")).join(",");

Deno.test("batchesOf: counts from the highest UID, and ends with 1", () => {
  assert.equal(spell(50), "50:1");
  assert.equal(spell(42), "50:1");
  assert.equal(spell(25), "50:23,22:1");
  assert.equal(spell(10), "50:38,37:28,27:18,13:4,3:1");
  assert.equal(spell(41), "50:3,2:1");
});

Deno.test("batchesOf: gives the batches that are asked for, as far as they exist", () => {
  assert.equal(spell(10, [1, 1]), "50:38");
  assert.equal(spell(10, [2, 3]), "37:28,27:18");
  assert.equal(spell(10, [5, 6]), "3:1");
  assert.equal(spell(10, [7, 7]), "");
  assert.equal(spell(10, [1, 4294967295]), "50:38,37:28,27:18,13:4,3:1");
  assert.equal(spell(4294967295, [2, 4294967295]), "");
  assert.deepEqual(batchesOf([], { size: 500 }), []);
  assert.deepEqual(batchesOf([7], { size: 500 }), [[7, 1]]);
});

import assert from "node:assert/strict";
import { insertions, without } from "../../src/imap/result_list.ts";

const list = (...uids: readonly number[]) => Uint32Array.from(uids);
const among = (...uids: readonly number[]) => (uid: number) => uids.includes(uid);

Deno.test("without: gives the position of each run after those before it are out", () => {
  const { kept, runs } = without(list(6, 5, 4, 3, 2, 1), among(5, 4, 2, 9));
  assert.deepEqual([...kept], [6, 3, 1]);
  assert.deepEqual(runs, [{ position: 2, uids: [5, 4] }, { position: 3, uids: [2] }]);
  assert.deepEqual(without(list(1, 2), among(3)), { kept: list(1, 2), runs: [] });
});

Deno.test("insertions: gives the position of each run after those before it are in", () => {
  const runs = insertions(list(6, 3, 1), list(6, 5, 4, 3, 2, 1, 7), among(5, 4, 2, 7));
  assert.deepEqual(runs, [
    { position: 2, uids: [5, 4] },
    { position: 5, uids: [2] },
    { position: 7, uids: [7] },
  ]);
  assert.deepEqual(insertions(list(), list(2, 1), among(1, 2)), [
    { position: 1, uids: [2, 1] },
  ]);
});

Deno.test("insertions: is undefined where something must go or move", () => {
  assert.equal(insertions(list(1, 2), list(2, 1, 3), among(3)), undefined);
  assert.equal(insertions(list(1, 2), list(1, 3), among(3)), undefined);
  assert.equal(insertions(list(1, 2), list(3, 2), among(3)), undefined);
});

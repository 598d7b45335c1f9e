import assert from "node:assert/strict";
import { isSilent, returnData, spanOf, spokenOf } from "../../src/imap/return_options.ts";
import type { ReturnOption } from "../../src/wire/return_options.ts";

type Simple = "MIN" | "MAX" | "ALL" | "COUNT" | "SAVE";

const options = (...names: readonly Simple[]): ReturnOption[] => names.map((name) => ({ name }));

function partial(first: number, last: number, fromEnd = false): ReturnOption {
  return { name: "PARTIAL", range: { first, last, fromEnd, text: `${first}:${last}` } };
}

Deno.test("spanOf: clips a range from either end", () => {
  const span = (first: number, last: number, fromEnd: boolean, count: number) =>
    spanOf({ first, last, fromEnd, text: "" }, count);
  assert.deepEqual(span(1, 3, false, 5), [0, 3]);
  assert.deepEqual(span(4, 9, false, 5), [3, 5]);
  assert.deepEqual(span(6, 9, false, 5), [5, 5]);
  assert.deepEqual(span(1, 3, true, 5), [2, 5]);
  assert.deepEqual(span(4, 9, true, 5), [0, 2]);
  assert.deepEqual(span(6, 9, true, 5), [0, 0]);
});

Deno.test("returnData: tells COUNT and PARTIAL also when nothing was found", () => {
  const data = (list: readonly ReturnOption[], ...numbers: number[]) =>
    returnData(list, { numbers, scoreAt: (place) => numbers[place] });
  assert.equal(data(options("MIN", "MAX", "ALL", "COUNT")), " COUNT 0");
  assert.equal(data(options("MIN", "MAX", "ALL"), 7, 8, 9, 3), " MIN 7 MAX 3 ALL 7:9,3");
  assert.equal(data([partial(1, 2)]), " PARTIAL (1:2 NIL)");
  assert.equal(data([partial(2, 3)], 5, 6, 7, 8), " PARTIAL (2:3 6:7)");
});

Deno.test("spokenOf: is the union of what the options speak of, in order", () => {
  const found = [10, 20, 30, 40, 50];
  assert.deepEqual(spokenOf(options("SAVE"), found), found);
  assert.deepEqual(spokenOf(options("SAVE", "MAX", "MIN"), found), [10, 50]);
  assert.deepEqual(spokenOf(options("SAVE", "MIN", "COUNT"), found), found);
  assert.deepEqual(spokenOf([...options("SAVE"), partial(2, 3)], found), [20, 30]);
  assert.deepEqual(spokenOf([...options("MIN", "MAX"), partial(1, 2)], found), [10, 20, 50]);
  assert.deepEqual(spokenOf([...options("COUNT"), partial(1, 2)], found), found);
  assert.deepEqual(spokenOf(options("MIN", "MAX"), [7]), [7]);
  assert.deepEqual(spokenOf([...options("SAVE"), partial(9, 12)], found), []);
});

Deno.test("isSilent: is true of SAVE alone", () => {
  assert.equal(isSilent(options("SAVE")), true);
  assert.equal(isSilent(options("SAVE", "MIN")), false);
  assert.equal(isSilent(options("ALL")), false);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { sequenceSet } from "../../src/wire/grammar.ts";
import {
  formatNumberSet,
  isWithin,
  lowerBound,
  numbersIn,
  resolveRanges,
  uidsIn,
} from "../../src/wire/number_set.ts";
import { scan } from "./scan.ts";

const set = (text: string) => scan(sequenceSet, text);

Deno.test("resolveRanges: replaces *, clips, sorts and merges", () => {
  const rows: [string, number, [number, number][]][] = [
    ["1", 3, [[1, 1]]],
    ["*", 3, [[3, 3]]],
    ["5:*", 3, [[3, 3]]],
    ["*:5", 3, [[3, 3]]],
    ["2:*", 3, [[2, 3]]],
    ["4:2", 9, [[2, 4]]],
    ["4", 3, []],
    ["1:4294967295", 3, [[1, 3]]],
    ["7,1:3,2:5,6", 9, [[1, 7]]],
    ["5,1,3", 9, [[1, 1], [3, 3], [5, 5]]],
    ["1:9,2:3", 9, [[1, 9]]],
    ["1,*", 0, []],
    ["1:*", 0, []],
  ];
  for (const [text, max, expected] of rows) {
    assert.deepEqual(resolveRanges(set(text), max), expected, `${text} up to ${max}`);
  }
});

Deno.test("numbersIn: gives each number once, ascending", () => {
  assert.deepEqual(numbersIn(set("5,3:4,4:3,1"), 4), [1, 3, 4]);
  assert.deepEqual(numbersIn(set(Array(5000).fill("1:4294967295").join(",")), 3), [1, 2, 3]);
});

Deno.test("uidsIn: gives only UIDs that exist", () => {
  const uids = Uint32Array.of(2, 5, 7, 4294967295, 99, 98);
  const found = (text: string, count: number) => uidsIn(set(text), uids, count);
  assert.deepEqual(found("1:4294967295", 4), [2, 5, 7, 4294967295]);
  assert.deepEqual(found("1:*", 3), [2, 5, 7]);
  assert.deepEqual(found("8:*", 3), [7]);
  assert.deepEqual(found("*", 3), [7]);
  assert.deepEqual(found("3:4,6", 3), []);
  assert.deepEqual(found("5,2:5,5", 3), [2, 5]);
  assert.deepEqual(found("1:*", 0), []);
});

Deno.test("isWithin: is false for any number that no message has", () => {
  const rows: [string, number, boolean][] = [
    ["1:3", 3, true],
    ["1:4", 3, false],
    ["4", 3, false],
    ["*", 3, true],
    ["2:*", 3, true],
    ["5:*", 3, false],
    ["*", 0, false],
    ["1:*", 0, false],
    ["1,2,9", 3, false],
  ];
  for (const [text, max, expected] of rows) {
    assert.equal(isWithin(set(text), max), expected, `${text} up to ${max}`);
  }
});

Deno.test("lowerBound: finds the first element not below", () => {
  const sorted = Uint32Array.of(2, 5, 7);
  const rows = [[0, 0], [2, 0], [3, 1], [7, 2], [8, 3], [Infinity, 3]];
  for (const [value, index] of rows) assert.equal(lowerBound(sorted, 3, value), index);
  assert.equal(lowerBound(sorted, 1, 7), 1);
});

Deno.test("formatNumberSet: is as short as can be", () => {
  assert.equal(formatNumberSet([]), "");
  assert.equal(formatNumberSet([1, 2, 3, 7]), "1:3,7");
  assert.equal(formatNumberSet([1, 3, 4, 9]), "1,3:4,9");
});

Deno.test("formatNumberSet: is read back as the same numbers", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(fc.property(numbers, (unsorted) => {
    const sorted = unsorted.toSorted((a, b) => a - b);
    const read = set(formatNumberSet(sorted));
    assert.deepEqual(numbersIn(read, 300), sorted);
    assert.deepEqual(uidsIn(read, Uint32Array.from(sorted), sorted.length), sorted);
  }));
});

Deno.test("numbersIn: agrees with the definition of a set", () => {
  const end = fc.oneof(fc.integer({ min: 1, max: 30 }).map(String), fc.constant("*"));
  const range = fc.oneof(end, fc.tuple(end, end).map((ends) => ends.join(":")));
  const max = fc.integer({ min: 0, max: 20 });
  fc.assert(fc.property(fc.array(range, { minLength: 1 }), max, (ranges, max) => {
    const value = (end: string) => end === "*" ? max : Number(end);
    const expected = Array.from({ length: max }, (_, i) => i + 1).filter((number) =>
      ranges.some((range) => {
        const ends = range.split(":").map(value);
        return Math.min(...ends) <= number && number <= Math.max(...ends);
      })
    );
    assert.deepEqual(numbersIn(set(ranges.join(",")), max), expected);
  }));
});

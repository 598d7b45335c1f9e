/** Sequence sets and UID sets. @see RFC 9051 §9 `sequence-set` */

/** "*" in a set: above every number. */
export const STAR = Infinity;

/** Closed range, lower end first; either end may be {@link STAR}. */
export type NumberRange = readonly [number, number];

/** A set as the client wrote it: not sorted, not clipped. */
export interface NumberSet {
  readonly ranges: readonly NumberRange[];
  /** "$": what the last search saved, instead of `ranges`. @see RFC 9051 §6.4.4.1 */
  readonly saved?: true;
}

/**
 * The ranges of a set when `max` is the largest number in use: "*" replaced, clipped to 1…max,
 * sorted, merged. So `5:*` with max 3 is 3:3, and `1:4294967295` costs no more than 1:max.
 *
 * @see RFC 9051 §9 `seq-range`
 */
export function resolveRanges(set: NumberSet, max: number): NumberRange[] {
  const clipped: NumberRange[] = [];
  for (const [first, last] of set.ranges) {
    const [low, high] = ordered(first === STAR ? max : first, last === STAR ? max : last);
    const existing: NumberRange = [Math.max(low, 1), Math.min(high, max)];
    if (existing[0] <= existing[1]) clipped.push(existing);
  }
  return merged(clipped);
}

/** The sequence numbers that a set names in a mailbox of `max` messages: ascending, each once. */
export function numbersIn(set: NumberSet, max: number): number[] {
  const numbers: number[] = [];
  for (const [first, last] of resolveRanges(set, max)) {
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}

/**
 * The UIDs of a set that exist: ascending, each once.
 *
 * @param uids all UIDs in use, ascending; only elements below `count` are valid
 */
export function uidsIn(set: NumberSet, uids: Uint32Array, count: number): number[] {
  const found: number[] = [];
  if (count === 0) return found;
  for (const [first, last] of resolveRanges(set, uids[count - 1])) {
    for (let i = lowerBound(uids, count, first); i < count && uids[i] <= last; i++) {
      found.push(uids[i]);
    }
  }
  return found;
}

/**
 * True if the set names only sequence numbers from 1 to `max`. A command with any other is BAD,
 * and in an empty mailbox "*" is such a number.
 *
 * @see RFC 9051 §9 `seq-number`
 */
export function isWithin(set: NumberSet, max: number): boolean {
  const exists = (number: number) => number === STAR ? max >= 1 : number >= 1 && number <= max;
  return set.ranges.every(([first, last]) => exists(first) && exists(last));
}

/**
 * The shortest spelling of a set: `1:3,7`.
 *
 * @param numbers ascending, each once, none of them {@link STAR}
 */
export function formatNumberSet(numbers: readonly number[]): string {
  return formatRanges(rangesOf(numbers));
}

/** Spells ranges that neither overlap nor touch. */
export function formatRanges(ranges: readonly NumberRange[]): string {
  return ranges.map(([first, last]) => first === last ? `${first}` : `${first}:${last}`).join(",");
}

/**
 * Neighbours as ranges.
 *
 * @param numbers ascending, each once
 */
export function rangesOf(numbers: readonly number[]): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (let start = 0; start < numbers.length;) {
    let end = start;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) end++;
    ranges.push([numbers[start], numbers[end]]);
    start = end + 1;
  }
  return ranges;
}

/** What two sets have in common. @param a @param b ascending ranges that do not overlap */
export function intersected(
  a: readonly NumberRange[],
  b: readonly NumberRange[],
): NumberRange[] {
  const common: NumberRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const first = Math.max(a[i][0], b[j][0]);
    const last = Math.min(a[i][1], b[j][1]);
    if (first <= last) common.push([first, last]);
    if (a[i][1] < b[j][1]) i++;
    else j++;
  }
  return common;
}

/** True if a number lies in one of the ranges, as {@link resolveRanges} gives them. */
export function contains(ranges: readonly NumberRange[], number: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle][1] < number) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= number;
}

/** Index of the first element not below `value` in the first `count` of `sorted`. */
export function lowerBound(sorted: Uint32Array, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ordered(a: number, b: number): NumberRange {
  return a <= b ? [a, b] : [b, a];
}

/** Sorts ranges and joins those that overlap or touch. */
function merged(ranges: NumberRange[]): NumberRange[] {
  ranges.sort((a, b) => a[0] - b[0]);
  const joined: NumberRange[] = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && range[0] <= before[1] + 1) {
      joined[joined.length - 1] = [before[0], Math.max(before[1], range[1])];
    } else {
      joined.push(range);
    }
  }
  return joined;
}

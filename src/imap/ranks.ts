/** Numbers by which messages are put in order. */

/** A whole number for each of some messages: the higher, the later it comes. */
export type Ranks = ArrayLike<number>;

/** What a double holds exactly. */
const EXACT = 2 ** 53;

/**
 * The places in the order of whole numbers: each is sorted as one number with its place below it,
 * which takes a tenth of the time of a comparing function. Equal ones stay in their order. Undefined
 * if the numbers do not fit.
 *
 * @param sign -1: the highest first
 */
export function placesByRank(ranks: Ranks, sign: 1 | -1): number[] | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (let at = 0; at < ranks.length; at++) {
    if (ranks[at] < least) least = ranks[at];
    if (ranks[at] > most) most = ranks[at];
  }
  const { length } = ranks;
  if (!((most - least + 1) * length < EXACT)) return undefined;
  const from = sign > 0 ? least : most;
  const keys = new Float64Array(length);
  for (let at = 0; at < length; at++) keys[at] = sign * (ranks[at] - from) * length + at;
  keys.sort();
  return Array.from(keys, (key) => key % length);
}

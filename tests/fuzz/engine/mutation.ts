/** Makes new inputs of old ones. */

import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";

/** Octets at which readers turn. */
const TURNS = [
  ...[0, 1, 9, 10, 13, 32, 34, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 57, 58, 59, 60],
  ...[61, 62, 63, 64, 91, 92, 93, 95, 123, 125, 126, 127, 128, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 255],
];

/** Numbers at which readers turn. */
const NUMBERS = [
  ..."0 1 2 -1 00 01 127 128 255 256 999 1000 65535 65536 2147483647 2147483648 4294967295".split(
    " ",
  ),
  ..."4294967296 9007199254740991 9007199254740992 9223372036854775807 9223372036854775808".split(
    " ",
  ),
  ..."18446744073709551615 99999999999999999999 1e9 0x10 -0 +1 1.5".split(" "),
];

/** An input that is one slice over and over shows what takes more than linear time. */
const FLOOD = 64 * 1024;

/** What mutations draw from. */
export interface MutationSources {
  readonly random: Random;
  readonly tokens: readonly Uint8Array[];
  /** Another input, to take pieces of. */
  other(): Uint8Array;
  /** Octets of the longest input. */
  readonly longest: number;
}

/** A few changes, one upon the other. */
export function mutated(input: Uint8Array, sources: MutationSources): Uint8Array {
  const { random, longest } = sources;
  if (random.once(400)) return flood(input, sources);
  let bytes = Buffer.from(input);
  for (let left = 1 + random.below(random.of([2, 4, 12])); left > 0; left--) {
    bytes = random.of(CHANGES)(bytes, sources);
    if (bytes.length > longest) bytes = bytes.subarray(0, longest);
  }
  return Uint8Array.from(bytes);
}

type Change = (bytes: Buffer<ArrayBuffer>, sources: MutationSources) => Buffer<ArrayBuffer>;

const CHANGES: readonly Change[] = [
  // Tokens and single octets most often
  insertToken,
  insertToken,
  replaceByToken,
  replaceByToken,
  (bytes, { random }) => splice(bytes, place(bytes, random), 0, [random.of(TURNS)]),
  (bytes, { random }) => splice(bytes, place(bytes, random), 1, [random.of(TURNS)]),
  (bytes, { random }) => splice(bytes, place(bytes, random), 1, [random.below(256)]),
  (bytes, { random }) => splice(bytes, place(bytes, random), 1, []),
  flipBit,
  removeRange,
  copyRange,
  repeatRange,
  swapRanges,
  changeCase,
  replaceNumber,
  (bytes, { random, other }) => crossed(bytes, Buffer.from(other()), random),
  (bytes, { random, other }) => insertFrom(bytes, Buffer.from(other()), random),
];

function place(bytes: Uint8Array, random: Random): number {
  return random.below(bytes.length + 1);
}

function splice(
  bytes: Buffer<ArrayBuffer>,
  at: number,
  remove: number,
  insert: ArrayLike<number>,
): Buffer<ArrayBuffer> {
  return Buffer.concat([
    bytes.subarray(0, at),
    Uint8Array.from(insert),
    bytes.subarray(at + remove),
  ]);
}

function insertToken(bytes: Buffer<ArrayBuffer>, { random, tokens }: MutationSources) {
  return splice(bytes, place(bytes, random), 0, random.of(tokens));
}

function replaceByToken(bytes: Buffer<ArrayBuffer>, { random, tokens }: MutationSources) {
  const [start, end] = range(bytes, random, 16);
  return splice(bytes, start, end - start, random.of(tokens));
}

function flipBit(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  if (bytes.length > 0) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
}

/** A slice, mostly a short one. */
function range(bytes: Uint8Array, random: Random, most = 64): readonly [number, number] {
  const start = place(bytes, random);
  const longest = random.once(8) ? bytes.length : most;
  return [start, Math.min(bytes.length, start + 1 + random.below(longest))];
}

function removeRange(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  const [start, end] = range(bytes, random);
  return splice(bytes, start, end - start, []);
}

function copyRange(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  return splice(bytes, place(bytes, random), 0, bytes.subarray(...range(bytes, random)));
}

function repeatRange(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  const [start, end] = range(bytes, random, 12);
  const piece = bytes.subarray(start, end);
  const times = random.of([2, 3, 10, 110]);
  return splice(bytes, start, 0, Buffer.concat(Array.from({ length: times }, () => piece)));
}

function swapRanges(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  const [start, end] = range(bytes, random);
  const piece = Uint8Array.from(bytes.subarray(start, end));
  const rest = splice(bytes, start, end - start, []);
  return splice(rest, place(rest, random), 0, piece);
}

function changeCase(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  const [start, end] = range(bytes, random);
  for (let at = start; at < end; at++) {
    const letter = bytes[at] | 0x20;
    if (letter >= 0x61 && letter <= 0x7a) bytes[at] ^= 0x20;
  }
  return bytes;
}

function replaceNumber(bytes: Buffer<ArrayBuffer>, { random }: MutationSources) {
  const numbers = [...bytes.toString("latin1").matchAll(/\d+/g)];
  const number = Buffer.from(random.of(NUMBERS));
  if (numbers.length === 0) return splice(bytes, place(bytes, random), 0, number);
  const { index, 0: { length } } = random.of(numbers);
  return splice(bytes, index, length, number);
}

function crossed(
  bytes: Buffer<ArrayBuffer>,
  other: Buffer<ArrayBuffer>,
  random: Random,
): Buffer<ArrayBuffer> {
  return Buffer.concat([
    bytes.subarray(0, place(bytes, random)),
    other.subarray(place(other, random)),
  ]);
}

function insertFrom(
  bytes: Buffer<ArrayBuffer>,
  other: Buffer<ArrayBuffer>,
  random: Random,
): Buffer<ArrayBuffer> {
  return splice(bytes, place(bytes, random), 0, other.subarray(...range(other, random)));
}

/** A slice of the input or a token so often that it is long, with the rest around it. */
function flood(input: Uint8Array, { random, tokens, longest }: MutationSources): Uint8Array {
  const bytes = Buffer.from(input);
  const [start, end] = range(bytes, random, 6);
  const piece = random.once(2) ? bytes.subarray(start, end) : Buffer.from(random.of(tokens));
  const size = Math.max(longest, FLOOD) - bytes.length;
  const times = Math.max(1, Math.floor(size / Math.max(1, piece.length)));
  const many = Buffer.alloc(times * piece.length, piece.length > 0 ? piece : " ");
  return Uint8Array.from(splice(bytes, random.once(2) ? end : start, 0, many));
}

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { bidiFits } from "../../src/names/bidi.ts";
import { useOf } from "../../src/names/code_points.ts";
import { clientTest, run } from "../clients/programs.ts";

/** In each: a string, and whether it keeps the conditions of RFC 5893 §2. */
const RULE: readonly (readonly [string, string, boolean])[] = [
  ["no direction at all", "1.2", true],
  ["left to right only", "a1-b", true],
  ["condition 1: a digit first", "1\u05d0", false],
  ["condition 2: a Latin letter in Hebrew", "\u05d0a\u05d0", false],
  ["condition 2: marks and a digit in Hebrew", "\u05d0-1.\u05d0", true],
  ["condition 3: ends in a mark without width", "\u05d0\u05b0", true],
  ["condition 3: ends in a hyphen", "\u05d0-", false],
  ["condition 3: ends in a hyphen and a mark without width", "\u05d0-\u05b0", false],
  ["condition 4: both kinds of digits", "\u0627\u06611", false],
  ["condition 4: Arabic digits", "\u0627\u0661\u0662", true],
  ["condition 5: Hebrew in Latin", "a\u05d0", false],
];

for (const [what, text, fits] of RULE) {
  Deno.test(`bidiFits: ${what}`, () => strictEqual(bidiFits(text), fits));
}

/**
 * Prints the general category and the class of each code point that its Unicode has; of letters
 * that have no case and go from left to right, most of them ideographs, each sixteenth.
 */
const CLASSES = `
import sys, unicodedata
for cp in range(0x110000):
    char = chr(cp)
    category, bidi = unicodedata.category(char), unicodedata.bidirectional(char)
    if category != "Cn" and (cp % 16 == 0 or (category, bidi) != ("Lo", "L")):
        print(cp, category, bidi)
`;

clientTest(["python3"], "bidiFits: agrees with the Bidi_Class that python3 knows", async () => {
  const { stdout } = await run(["python3", "-c", CLASSES]);
  const lines = stdout.trim().split("\n");
  const patterns = new Map<string, RegExp>();
  const ofCategory = (name: string) => {
    const pattern = patterns.get(name) ?? new RegExp(`\\p{${name}}`, "u");
    patterns.set(name, pattern);
    return pattern;
  };
  const wrong: string[] = [];
  let checked = 0;
  for (const line of lines) {
    const [cp, category, bidiClass] = line.split(" ");
    const char = String.fromCodePoint(Number(cp));
    if (!["valid", "context"].includes(useOf(char))) continue;
    // Another version of Unicode has made another kind of character of it.
    if (!ofCategory(category).test(char)) continue;
    checked++;
    // What a Hebrew letter may begin, end, and stand around, tells the classes apart.
    const got = [bidiFits(char), bidiFits(`\u05d0${char}\u05d0`), bidiFits(`\u05d0${char}`)];
    const arabic = bidiFits(`\u0627${char}1`);
    const expected = EXPECTED[bidiClass];
    if (expected === undefined || [...got, arabic].join() !== expected.join()) wrong.push(line);
  }
  deepStrictEqual(wrong, []);
  ok(checked > 10_000);
});

const RTL = [true, true, true, true];
const NEUTRAL = [true, true, false, true];
/** Alone; between Hebrew letters; after one; between an Arabic letter and a European digit. */
const EXPECTED: Readonly<Record<string, readonly boolean[]>> = {
  L: [true, false, false, false],
  R: RTL,
  AL: RTL,
  AN: [false, true, true, false],
  EN: RTL,
  NSM: RTL,
  ES: NEUTRAL,
  CS: NEUTRAL,
  ET: NEUTRAL,
  ON: NEUTRAL,
  BN: NEUTRAL,
};

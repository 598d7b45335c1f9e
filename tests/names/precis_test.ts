import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { opaqueString, usernameCaseMapped, usernameCasePreserved } from "../../src/names/precis.ts";

/** The numbered examples of RFC 8265, and what the two profiles of usernames make of them. */
const USERNAMES: readonly (readonly [string, string, string?, string?])[] = [
  ["1", "juliet@example.com", "juliet@example.com", "juliet@example.com"],
  ["2", "fussball", "fussball", "fussball"],
  ["3", "fu\u00dfball", "fu\u00dfball", "fu\u00dfball"],
  ["4", "\u03c0", "\u03c0", "\u03c0"],
  ["5", "\u03a3", "\u03c3", "\u03a3"],
  ["6", "\u03c3", "\u03c3", "\u03c3"],
  ["7", "\u03c2", "\u03c2", "\u03c2"],
  ["8", "foo bar"],
  ["9", ""],
  ["10", "henry\u2163"],
  ["11", "\u221e"],
];

for (const [number, name, mapped, preserved] of USERNAMES) {
  Deno.test(`usernameCaseMapped: example ${number} of RFC 8265 §3.5`, () =>
    strictEqual(usernameCaseMapped(name), mapped));
  Deno.test(`usernameCasePreserved: example ${number} of RFC 8265 §3.5`, () =>
    strictEqual(usernameCasePreserved(name), preserved));
}

/** The numbered examples of RFC 8265 §4.3. */
const PASSWORDS: readonly (readonly [string, string, string?])[] = [
  ["12", "correct horse battery staple", "correct horse battery staple"],
  ["13", "Correct Horse Battery Staple", "Correct Horse Battery Staple"],
  ["14", "\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"],
  ["15", "Jack of \u2666s", "Jack of \u2666s"],
  ["16", "foo\u1680bar", "foo bar"],
  ["17", ""],
  ["18", "my cat is a \tby"],
];

for (const [number, password, enforced] of PASSWORDS) {
  Deno.test(`opaqueString: example ${number} of RFC 8265 §4.3`, () =>
    strictEqual(opaqueString(password), enforced));
}

const MAPPED: readonly (readonly [string, string, string])[] = [
  ["capitals", "Ann", "ann"],
  ["fullwidth letters", "\uff21\uff4e\uff4e", "ann"],
  ["halfwidth katakana with their mark", "\uff76\uff9e", "\u30ac"],
  ["a letter and its accent", "E\u0301ric", "\u00e9ric"],
  ["Hebrew", "\u05d0\u05d1\u05d2", "\u05d0\u05d1\u05d2"],
  ["Hebrew with a digit at its end", "\u05d01", "\u05d01"],
  ["a middle dot between l's", "col\u00b7lega", "col\u00b7lega"],
  ["katakana with its middle dot", "\u30a2\u30fb\u30a4", "\u30a2\u30fb\u30a4"],
  ["a keraia before a Greek letter", "\u0375\u03b1", "\u0375\u03b1"],
  ["a geresh after a Hebrew letter", "\u05d0\u05f3", "\u05d0\u05f3"],
  ["Arabic digits of one kind", "\u0627\u0661", "\u0627\u0661"],
  ["a non-joiner after a virama", "\u0915\u094d\u200c\u0937", "\u0915\u094d\u200c\u0937"],
  ["a non-joiner between letters that join", "\u0628\u200c\u0627", "\u0628\u200c\u0627"],
  ["an old letter of another plane", "\u{10400}", "\u{10428}"],
];

for (const [what, name, mapped] of MAPPED) {
  Deno.test(`usernameCaseMapped: takes ${what}`, () =>
    strictEqual(usernameCaseMapped(name), mapped));
}

const REFUSED: readonly (readonly [string, string])[] = [
  ["a control character", "a\u0000"],
  ["an emoji", "\u{1f600}"],
  ["an ideographic space, which maps to a space", "a\u3000b"],
  ["a soft hyphen", "a\u00adb"],
  ["a zero width space", "a\u200bb"],
  ["a private character", "\ue000"],
  ["half of a character", "\ud800"],
  ["a code point that is not assigned", "\u0378"],
  ["an old Hangul letter", "\u1100"],
  ["a ligature", "\ufb01"],
  ["an Arabic tatweel", "\u0627\u0640\u0628"],
  ["letters of two directions", "\u05d0a"],
  ["Hebrew after a digit", "1\u05d0"],
  ["Hebrew with a hyphen at its end", "\u05d0-"],
  ["digits of two kinds in Arabic", "\u0627\u06611"],
  ["Arabic digits without a letter", "\u0661"],
  ["a middle dot elsewhere", "a\u00b7l"],
  ["a katakana middle dot alone", "a\u30fbb"],
  ["a keraia before another letter", "\u0375a"],
  ["a geresh after another letter", "a\u05f3"],
  ["Arabic digits of two kinds", "\u0627\u0661\u06f1"],
  ["a non-joiner between Latin letters", "a\u200cb"],
  ["a non-joiner after a letter that does not join", "\u0627\u200c\u0628"],
  ["a joiner without a virama", "\u0915\u200d\u0937"],
];

for (const [what, name] of REFUSED) {
  Deno.test(`usernameCaseMapped: refuses ${what}`, () =>
    strictEqual(usernameCaseMapped(name), undefined));
}

Deno.test("opaqueString: refuses what only mapping leads out of the class", () =>
  strictEqual(opaqueString("\u0387"), undefined));

const char = fc.oneof(
  fc.constantFrom("a", "A", "1", "-", ".", " ", "\u05d0", "\u0661", "\u0301", "\uff21", "\u03a3"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
);
const text = fc.array(char, { maxLength: 6 }).map((chars) => chars.join(""));

for (const profile of [usernameCaseMapped, usernameCasePreserved, opaqueString]) {
  Deno.test(`${profile.name}: leaves alone what it made`, () => {
    let taken = 0;
    fc.assert(
      fc.property(text, (text) => {
        const made = profile(text);
        if (made === undefined) return;
        taken++;
        strictEqual(profile(made), made);
      }),
      { numRuns: 5000 },
    );
    strictEqual(taken > 500, true, `only ${taken} were taken`);
  });
}

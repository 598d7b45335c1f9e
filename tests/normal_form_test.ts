import assert from "node:assert/strict";
import { normalForm } from "../src/normal_form.ts";

const FORMS = ["NFC", "NFKC", "NFKD"] as const;
/** Two marks that change places: acute, and dot below. */
const MARKS = "\u0301\u0323";

Deno.test("normalForm() is that of Unicode while no letter has more than 30 marks", () => {
  const letters = ["e", "\u00e9", "\u1ed9", "\uff76", "\uac00", "\u{1d15e}", "\ufb01", "\ud800"];
  for (const letter of letters) {
    for (const marks of ["", "\u0301", "\u0323\u0301", "\uff9e", "\u0344", MARKS.repeat(15)]) {
      const text = `x${letter}${marks}y`;
      for (const form of FORMS) assert.equal(normalForm(text, form), text.normalize(form));
    }
  }
});

Deno.test("normalForm() loses none of many marks, and is its own normal form", () => {
  const halfwidth = "\uff9e\u0334".repeat(100);
  for (const text of [`e${MARKS.repeat(100)}x`, MARKS.repeat(31), `\uff76${halfwidth}`]) {
    for (const form of FORMS) {
      const once = normalForm(text, form);
      const marks = (text: string) => [...text.normalize("NFD")].sort().join("");
      const joiners = /\u034f/g;
      assert.equal(marks(once.replace(joiners, "")), marks(text.normalize(form)));
      const twice = normalForm(once, form);
      assert.equal(normalForm(twice, form), twice);
    }
  }
});

Deno.test("normalForm() of each char by itself and of those before and behind marks is that of Unicode", () => {
  for (let code = 0; code < 0x110000; code++) {
    const char = String.fromCodePoint(code);
    const text = `\u0323${char}\u0334\u0345`;
    if (normalForm(text, "NFKD") !== text.normalize("NFKD")) assert.fail(code.toString(16));
  }
});

Deno.test("normalForm() puts no more marks in order than 30, whatever they are", () => {
  // What a run of chars without a joiner becomes must be short for each of them that is put in order.
  for (let code = 0; code < 0x110000; code++) {
    const char = String.fromCodePoint(code);
    const first = String.fromCodePoint(char.normalize("NFKD").codePointAt(0) ?? 0);
    const moves = `\u0345${first}`.normalize("NFD") !== `\u0345${first}` ||
      `${first}\u0334`.normalize("NFD") !== `${first}\u0334`;
    if (!moves) continue;
    assert.match(normalForm(char.repeat(40), "NFC"), /\u034f/, code.toString(16));
  }
});

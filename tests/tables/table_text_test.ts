import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  parseTable,
  TableSyntaxError,
  withEntry,
  withoutEntry,
} from "../../src/tables/table_text.ts";

/** What parseTable() reads, with the values of a name joined. */
function entriesOf(text: string): string[][] {
  return [...parseTable(text)].map(([name, values]) => [name, values.join("|")]);
}

Deno.test("parseTable() reads names and values, comments and CRLF", () => {
  const text = "# users\nann: a:b:c\r\n\n  bob  :x  \ncarl:\n#off: x\n";
  deepStrictEqual(entriesOf(text), [["ann", "a:b:c"], ["bob", "x"], ["carl", ""]]);
});

Deno.test("parseTable() gives a name all values of its lines, in their order", () => {
  deepStrictEqual(entriesOf("ann: b\nbob: x,y\nann: a, c\n"), [["ann", "b|a|c"], ["bob", "x,y"]]);
});

Deno.test("parseTable() takes a line without a colon for a name with an empty value", () => {
  deepStrictEqual(entriesOf(" ann \nbob: x\nann: y"), [["ann", "|y"], ["bob", "x"]]);
});

Deno.test("parseTable() takes # for a comment only in the first column", () => {
  deepStrictEqual(entriesOf("ann: x # y\n #b: z\n"), [["ann", "x # y"], ["#b", "z"]]);
});

Deno.test("parseTable() locates a line without a name, and does not tell its value", () => {
  throws(() => parseTable("ann: x\n  : secret\n"), (error) => {
    ok(error instanceof TableSyntaxError);
    strictEqual(error.line, 2);
    ok(!error.message.includes("secret"));
    return true;
  });
});

Deno.test("withEntry() replaces in place or adds at the end, and keeps all else", () => {
  const text = "# top\nann: 1\n\n# bob's\nbob: 2";
  strictEqual(withEntry(text, "ann", "9"), "# top\nann: 9\n\n# bob's\nbob: 2\n");
  strictEqual(withEntry(text, "carl", "3"), "# top\nann: 1\n\n# bob's\nbob: 2\ncarl: 3\n");
  strictEqual(withEntry("", "ann", "1"), "ann: 1\n");
  strictEqual(withEntry("ann\nbob: 2\nann : 3\n", "ann", "9"), "ann: 9\nbob: 2\n");
});

for (const name of ["", " ann", "ann ", "a:b", "a\nb", "a\rb", "#ann"]) {
  Deno.test(`withEntry() refuses the name ${JSON.stringify(name)}`, () =>
    throws(() => withEntry("", name, "x"), RangeError));
}

Deno.test("withEntry() refuses a value of two lines", () => {
  throws(() => withEntry("", "ann", "x\neve: y"), RangeError);
});

Deno.test("withoutEntry() removes every line of the name, and no comment", () => {
  strictEqual(
    withoutEntry("#ann: 0\nann: 1\nanna: 2\nann : 3\nann\n", "ann"),
    "#ann: 0\nanna: 2\n",
  );
  strictEqual(withoutEntry("ann: 1\n", "bob"), "ann: 1\n");
});

Deno.test("withEntry() and withoutEntry() change that one name only", () => {
  const name = fc.stringMatching(/^[a-z]{1,3}$/);
  const value = fc.stringMatching(/^[a-z:$#]{0,5}$/);
  fc.assert(fc.property(fc.array(fc.tuple(name, value)), name, value, (entries, name, value) => {
    const text = entries.map(([key, val]) => `${key}: ${val}\n# ${key}\n`).join("");
    const before = parseTable(text);
    deepStrictEqual(
      new Map([...parseTable(withEntry(text, name, value))].sort()),
      new Map([...new Map(before).set(name, [value])].sort()),
    );
    const removed = new Map(before);
    removed.delete(name);
    deepStrictEqual([...parseTable(withoutEntry(text, name))], [...removed]);
  }));
});

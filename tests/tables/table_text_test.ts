import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  parseTable,
  TableSyntaxError,
  withEntry,
  withoutEntry,
} from "../../src/tables/table_text.ts";

Deno.test("parseTable() reads names and values, comments and CRLF", () => {
  const text = "# users\nann: a:b:c\r\n\n  bob  :x  \ncarl:\nann: later\n#off: x\n";
  deepStrictEqual([...parseTable(text)], [["ann", "a:b:c"], ["bob", "x"], ["carl", ""]]);
});

Deno.test("parseTable() takes # for a comment only in the first column", () => {
  deepStrictEqual([...parseTable("ann: x # y\n #b: z\n")], [["ann", "x # y"], ["#b", "z"]]);
});

Deno.test("parseTable() locates a line without a colon or a name, and does not tell its value", () => {
  throws(() => parseTable("ann: x\nsecret\n"), (error) => {
    ok(error instanceof TableSyntaxError);
    strictEqual(error.line, 2);
    ok(!error.message.includes("secret"));
    return true;
  });
  throws(() => parseTable("  : secret\n"), (error) => {
    ok(error instanceof TableSyntaxError);
    strictEqual(error.line, 1);
    return true;
  });
});

Deno.test("withEntry() replaces in place or adds at the end, and keeps all else", () => {
  const text = "# top\nann: 1\n\n# bob's\nbob: 2";
  strictEqual(withEntry(text, "ann", "9"), "# top\nann: 9\n\n# bob's\nbob: 2\n");
  strictEqual(withEntry(text, "carl", "3"), "# top\nann: 1\n\n# bob's\nbob: 2\ncarl: 3\n");
  strictEqual(withEntry("", "ann", "1"), "ann: 1\n");
});

for (const name of ["", " ann", "ann ", "a:b", "a\nb", "a\rb", "#ann"]) {
  Deno.test(`withEntry() refuses the name ${JSON.stringify(name)}`, () =>
    throws(() => withEntry("", name, "x"), RangeError));
}

Deno.test("withEntry() refuses a value of two lines", () => {
  throws(() => withEntry("", "ann", "x\neve: y"), RangeError);
});

Deno.test("withoutEntry() removes every line of the name, and no comment", () => {
  strictEqual(withoutEntry("#ann: 0\nann: 1\nanna: 2\nann : 3\n", "ann"), "#ann: 0\nanna: 2\n");
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
      new Map([...new Map(before).set(name, value)].sort()),
    );
    const removed = new Map(before);
    removed.delete(name);
    deepStrictEqual([...parseTable(withoutEntry(text, name))], [...removed]);
  }));
});

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { readToml, TomlFault, type TomlTable, type TomlValue } from "../../src/config/toml.ts";

/** The plain value; datetimes become null. */
function plain(value: TomlValue): unknown {
  if (value.type === "table") {
    return Object.fromEntries([...value.entries].map(([key, entry]) => [key, plain(entry.value)]));
  }
  if (value.type === "list") return value.items.map(plain);
  return value.type === "datetime" ? null : value.value;
}

function entry(table: TomlTable, key: string) {
  const found = table.entries.get(key);
  ok(found, `no key ${key}`);
  return found;
}

Deno.test("readToml() reads every shape of table", () => {
  const text = `a.b."c.d" = 1
x = { y = [1.5, "s", { z = true }] }
[t.u]
k = 2026-01-01
[[l]]
n = 1
[l.inner]
m = 2
[[l]]
n = 3
[[l.deep]]
o = 4
[t]
late = 'yes'
`;
  deepStrictEqual(plain(readToml(text)), {
    a: { b: { "c.d": 1 } },
    x: { y: [1.5, "s", { z: true }] },
    t: { u: { k: null }, late: "yes" },
    l: [{ n: 1, inner: { m: 2 } }, { n: 3, deep: [{ o: 4 }] }],
  });
});

Deno.test("readToml() knows where keys and values stand, and how they are written", () => {
  const table = readToml('\n  key =  "va\\u006cue"\n[[list]]\n');
  const { keyAt, value } = entry(table, "key");
  deepStrictEqual(keyAt, { line: 2, column: 3 });
  deepStrictEqual(value.at, { line: 2, column: 10 });
  strictEqual(value.source, '"va\\u006cue"');
  deepStrictEqual(entry(table, "list").keyAt, { line: 3, column: 3 });
});

Deno.test("readToml() keeps keys that objects would not", () => {
  const table = readToml('__proto__ = 1\nconstructor = 2\n"" = 3\n');
  deepStrictEqual([...table.entries.keys()], ["__proto__", "constructor", ""]);
});

Deno.test("readToml() locates what is not TOML", () => {
  throws(() => readToml("a = 1\nb = \n"), (error) => {
    ok(error instanceof TomlFault);
    strictEqual(error.at.line, 2);
    return true;
  });
});

Deno.test("readToml() reads any text or throws TomlFault", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    ".",
    "=",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    ",",
    "\n",
    " ",
    "1",
    "#",
    '"""',
    "\\",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      try {
        readToml(pieces.join(""));
      } catch (error) {
        ok(error instanceof TomlFault, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

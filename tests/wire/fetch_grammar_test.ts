import assert from "node:assert/strict";
import { type FetchItem, fetchItems } from "../../src/wire/fetch_grammar.ts";
import { refuses, scan, table } from "./scan.ts";

type BodyItem = FetchItem & { readonly name: "BODY[]" };

/** A part's section as the tests write it: `[1.2.HEADER, From]`. */
function body(text: string, literals: string[] = []): BodyItem {
  const [item, ...others] = scan(fetchItems, text, literals);
  assert.equal(others.length, 0);
  assert.ok(item.name === "BODY[]");
  return item;
}

/** Items that are no more than their name. */
type PlainName = Exclude<FetchItem["name"], "BODY[]" | "BINARY" | "BINARY.SIZE" | "PREVIEW">;

const named = (...names: PlainName[]): FetchItem[] => names.map((name) => ({ name }));

Deno.test("fetchItems: knows macros", () => {
  table(fetchItems, [
    ["FAST", named("FLAGS", "INTERNALDATE", "RFC822.SIZE")],
    ["all", named("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE")],
    ["FULL", named("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY")],
  ]);
  refuses(fetchItems, ["(ALL)", "(FLAGS FAST)", "ALLS"]);
});

Deno.test("fetchItems: takes one item or a list", () => {
  table(fetchItems, [
    ["FLAGS", named("FLAGS")],
    ["body", named("BODY")],
    ["(Uid flags)", named("UID", "FLAGS")],
    ["(INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ)", [
      ...named("INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE", "MODSEQ"),
    ]],
    ["(UID FLAGS UID)", named("UID", "FLAGS")],
  ]);
  refuses(fetchItems, [
    "",
    "()",
    "( FLAGS)",
    "(FLAGS )",
    "(FLAGS",
    "FOO",
    "(FLAGS FOO)",
    '"FLAGS"',
  ]);
});

Deno.test("fetchItems: knows the RFC822 items", () => {
  const rows = [
    ["RFC822", "", false],
    ["rfc822.header", "HEADER", true],
    ["RFC822.TEXT", "TEXT", false],
  ] as const;
  for (const [text, part, peek] of rows) {
    const section = { part: [], text: part, fields: [] };
    assert.deepEqual(body(text), { name: "BODY[]", section, peek, label: text.toUpperCase() });
  }
  refuses(fetchItems, ["RFC822.FOO", "RFC822[]", "RFC822.PEEK"]);
});

Deno.test("fetchItems: knows every section", () => {
  const rows: [string, number[], string, string[], string][] = [
    ["body[]", [], "", [], "BODY[]"],
    ["BODY[1]", [1], "", [], "BODY[1]"],
    ["BODY[1.20.3]", [1, 20, 3], "", [], "BODY[1.20.3]"],
    ["BODY[text]", [], "TEXT", [], "BODY[TEXT]"],
    ["BODY[2.Header]", [2], "HEADER", [], "BODY[2.HEADER]"],
    ["BODY[1.mime]", [1], "MIME", [], "BODY[1.MIME]"],
    [
      "BODY[header.fields (From to)]",
      [],
      "HEADER.FIELDS",
      ["From", "to"],
      "BODY[HEADER.FIELDS (From to)]",
    ],
    [
      'BODY[1.HEADER.FIELDS.NOT ("X-A")]',
      [1],
      "HEADER.FIELDS.NOT",
      ["X-A"],
      "BODY[1.HEADER.FIELDS.NOT (X-A)]",
    ],
    [
      String.raw`BODY[HEADER.FIELDS ("a b" "" "c\"\\)")]`,
      [],
      "HEADER.FIELDS",
      ["a b", "", 'c"\\)'],
      String.raw`BODY[HEADER.FIELDS ("a b" "" "c\"\\)")]`,
    ],
  ];
  for (const [written, part, text, fields, label] of rows) {
    assert.deepEqual(body(written), {
      name: "BODY[]",
      section: { part, text, fields },
      partial: undefined,
      peek: false,
      label,
    });
  }
});

Deno.test("fetchItems: takes field names as literals, but none that a label cannot hold", () => {
  const written = "BODY.PEEK[HEADER.FIELDS ({2}\r\n X)]";
  assert.equal(body(written, ["Cc"]).label, "BODY[HEADER.FIELDS (Cc X)]");
  assert.equal(body(written, ["a]"]).label, "BODY[HEADER.FIELDS (a] X)]");
  for (const name of ["\r\n", "a\n", "\xe9x", "\x7fx"]) {
    assert.throws(() => body(written, [name]), /Expected the name of a header field at byte 26/);
  }
});

Deno.test("fetchItems: refuses wrong sections", () => {
  refuses(fetchItems, [
    "BODY[",
    "BODY[1",
    "BODY[0]",
    "BODY[01]",
    "BODY[1.]",
    "BODY[.1]",
    "BODY[1..2]",
    "BODY[MIME]",
    "BODY[TEXT.1]",
    "BODY[FOO]",
    "BODY[ ]",
    "BODY[HEADER.FIELDS]",
    "BODY[HEADER.FIELDS ()]",
    "BODY[HEADER.FIELDS From]",
    "BODY[HEADER (From)]",
    "BODY [TEXT]",
    "BODY.PEEK",
    "BODYSTRUCTURE[]",
    "FLAGS[]",
  ]);
});

Deno.test("fetchItems: knows partial ranges", () => {
  const rows: [string, number, number, string][] = [
    ["BODY[]<0.1>", 0, 1, "BODY[]<0>"],
    ["BODY.PEEK[TEXT]<1024.2048>", 1024, 2048, "BODY[TEXT]<1024>"],
    ["BODY[]<4294967296.9223372036854775807>", 4294967296, 2 ** 53 - 1, "BODY[]<4294967296>"],
  ];
  for (const [text, offset, count, label] of rows) {
    const item = body(text);
    assert.deepEqual(item.partial, { offset, count });
    assert.equal(item.label, label);
  }
  refuses(fetchItems, [
    "BODY[]<0.0>",
    "BODY[]<0>",
    "BODY[]<0.1",
    "BODY[]<.1>",
    "BODY[]<-1.1>",
    "BODY[]<1.a>",
    "BODY[] <0.1>",
    "RFC822<0.1>",
    "BODY<0.1>",
  ]);
});

Deno.test("fetchItems: peeks only where the client says so", () => {
  assert.equal(body("BODY[TEXT]").peek, false);
  assert.equal(body("body.peek[TEXT]").peek, true);
});

Deno.test("fetchItems: merges repeated sections unless their ranges differ", () => {
  assert.equal(body("(BODY.PEEK[] BODY[])").peek, false);
  assert.equal(body("(BODY[] BODY.PEEK[])").peek, false);
  assert.equal(body("(BODY.PEEK[] BODY.PEEK[])").peek, true);
  assert.equal(scan(fetchItems, "(BODY[]<0.1> BODY[]<0.2> BODY[])").length, 3);
});

Deno.test("fetchItems: knows BINARY", () => {
  const whole = { name: "BINARY", part: [], partial: undefined, peek: false, label: "BINARY[]" };
  const two = { ...whole, part: [1, 2], peek: true, label: "BINARY[1.2]" };
  assert.deepEqual(scan(fetchItems, "BINARY[]"), [whole]);
  assert.deepEqual(scan(fetchItems, "binary.peek[1.2]"), [two]);
  assert.deepEqual(scan(fetchItems, "BINARY[3]<4.5>"), [
    { ...whole, part: [3], partial: { offset: 4, count: 5 }, label: "BINARY[3]<4>" },
  ]);
  assert.deepEqual(scan(fetchItems, "BINARY.SIZE[2]"), [
    { name: "BINARY.SIZE", part: [2], label: "BINARY.SIZE[2]" },
  ]);
  assert.deepEqual(scan(fetchItems, "(BINARY.PEEK[] BINARY[])"), [whole]);
  refuses(fetchItems, ["BINARY", "BINARY[0]", "BINARY[1.]", "BINARY[TEXT]", "BINARY.SIZE[1]<0.1>"]);
});

import assert from "node:assert/strict";
import { metadataValue } from "../../src/wire/response.ts";
import { getMetadataArgs, setMetadataArgs } from "../../src/wire/metadata_grammar.ts";
import { refuses, scan, table } from "./scan.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("getMetadataArgs: has options before or behind the mailbox", () => {
  const entries = ["/private/comment"];
  table(getMetadataArgs, [
    [' "" /private/comment', { mailbox: "", depth: 0, entries }],
    [" inbox (/private/comment)", { mailbox: "INBOX", depth: 0, entries }],
    [" (MAXSIZE 5) a /private/comment", { mailbox: "a", depth: 0, maxSize: 5, entries }],
    [" (depth Infinity maxsize 0) a (/private/comment)", {
      mailbox: "a",
      depth: "infinity",
      maxSize: 0,
      entries,
    }],
    [" a (DEPTH 1) (/private/comment)", { mailbox: "a", depth: 1, entries }],
    [" a /private /SHARED/vendor", {
      mailbox: "a",
      depth: 0,
      entries: ["/private", "/SHARED/vendor"],
    }],
  ]);
  refuses(getMetadataArgs, [
    "",
    " a",
    " a ()",
    " () a /private/x",
    " (MAXSIZE) a /private/x",
    " (MAXSIZE -1) a /private/x",
    " (DEPTH 2) a /private/x",
    " (X 1) a /private/x",
    " (DEPTH 1) a (DEPTH 1) /private/x",
    " a (/private/x",
    " a /private/x)",
  ]);
});

Deno.test("setMetadataArgs: has the last value of each entry", () => {
  table(setMetadataArgs, [
    [' a (/private/x "1")', { mailbox: "a", values: new Map([["/private/x", bytes("1")]]) }],
    [' "" (/private/x "1" /shared/y nil /Private/X "2")', {
      mailbox: "",
      values: new Map([["/Private/X", bytes("2")], ["/shared/y", undefined]]),
    }],
  ]);
  const { values } = scan(setMetadataArgs, " a (/private/x ~{3}\r\n)", ["a\0\xff"]);
  assert.deepEqual(values.get("/private/x"), new Uint8Array([97, 0, 255]));
  refuses(setMetadataArgs, [
    "",
    " a",
    " a ()",
    " a (/private/x)",
    " a (/private/x one)",
    ' a /private/x "1"',
    ' a (/private/x "1"',
    ' a (/private/x ~"1")',
  ]);
});

Deno.test("metadataEntry: takes only names that a value can have", () => {
  const names = [
    "/private/a",
    "/shared/a/b/c",
    '"/shared/a b"',
    "/shared/vendor/v/x",
    "/private/vendors/x",
    '"/shared/(}"',
  ];
  for (const name of names) scan(setMetadataArgs, ` a (${name} NIL)`);
  refuses(
    setMetadataArgs,
    [
      "/private",
      "/shared/",
      "/shared//a",
      "/shared/a/",
      "shared/a",
      "/other/a",
      "/sharedx/a",
      "/shared/vendor",
      "/shared/vendor/v",
      '"/shared/a*"',
      '"/shared/a%"',
      '"/shared/\xe4"',
      '"/shared/a\tb"',
      '"/shared/\x7f"',
      `/shared/${"x".repeat(1000)}`,
    ].map((name) => ` a (${name} NIL)`),
  );
});

Deno.test("metadataValue: spells any octets", () => {
  assert.equal(metadataValue(undefined), "NIL");
  assert.equal(metadataValue(bytes("")), '""');
  assert.equal(metadataValue(bytes('a"b\\')), '"a\\"b\\\\"');
  assert.equal(metadataValue(bytes("a\r\nb")), "{4}\r\na\r\nb");
  assert.equal(metadataValue(new Uint8Array([0, 255])), "~{2}\r\n\0\xff");
});

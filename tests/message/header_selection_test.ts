import { strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { headerFilter } from "../../src/message/header.ts";
import { HeaderSelection } from "../../src/message/header_selection.ts";

function selected(header: string, cuts: readonly number[], not: boolean): string {
  const selection = new HeaderSelection(["Subject", "x-long"], not);
  let text = "";
  let at = 0;
  for (const length of cuts) {
    text += selection.push(header.slice(at, at + length));
    at += length;
  }
  return text + selection.push(header.slice(at)) + selection.end();
}

function whole(header: string, not: boolean): string {
  return headerFilter(["Subject", "x-long"], not)(header);
}

const LONG = "y".repeat(70_000);

const LINES = [
  "Subject: a",
  "SUBJECT : b",
  "X-Long: c",
  "To: d",
  " folded",
  "\tfolded",
  "no field",
  ": no name",
  `X-Long: ${LONG}`,
  ` ${LONG}`,
  `X-Other: ${LONG}`,
  LONG,
  "a\rb: c",
];

Deno.test("HeaderSelection: gives what headerFilter gives, however the header is cut", () => {
  const header = fc.array(fc.constantFrom(...LINES), { maxLength: 12 });
  const cuts = fc.array(fc.oneof(fc.nat(40), fc.nat(90_000)), { maxLength: 12 });
  const ends = fc.constantFrom("\r\n\r\n", "\r\n", "");
  fc.assert(fc.property(header, cuts, ends, fc.boolean(), (lines, cuts, end, not) => {
    const text = lines.join("\r\n") + end;
    strictEqual(selected(text, cuts, not), whole(text, not));
  }));
});

Deno.test("HeaderSelection: passes a long field on before it has ended", () => {
  for (const not of [false, true]) {
    const selection = new HeaderSelection(["Subject"], not);
    const name = not ? "X" : "Subject";
    let given = selection.push(`${name}: `).length;
    for (let i = 0; i < 100; i++) given += selection.push(LONG).length;
    strictEqual(given > 99 * LONG.length, true);
    strictEqual(selection.push("\r\n z\r\n\r\n") + selection.end(), "\r\n z\r\n\r\n");
  }
});

import { equal, ok } from "node:assert/strict";
import { body, bodystructure, bodyWithoutExtensions } from "../../src/message/bodystructure.ts";
import { envelope } from "../../src/message/envelope.ts";
import { MessageIndexer } from "../../src/message/indexer.ts";
import { latin1FromBytes } from "../../src/message/latin1.ts";
import {
  locateSection,
  MimeParser,
  parseOffsets,
  type PartOffsets,
} from "../../src/message/mime.ts";
import { toWireForm } from "../../src/message/wire_form.ts";

/** Mail files with, beside each, what the server says about it; UPDATE_GOLDENS=1 writes that anew. */
const GOLDEN = new URL("../golden/", import.meta.url);
const UPDATE = Deno.env.get("UPDATE_GOLDENS") === "1";
/** So many parts are enough to show where sections lie. */
const MAX_SHOWN = 16;

for (const name of goldenNames()) {
  Deno.test(`MessageIndexer describes ${name}.eml`, () => {
    const described = describe(Deno.readFileSync(new URL(`${name}.eml`, GOLDEN)));
    const file = new URL(`${name}.txt`, GOLDEN);
    if (UPDATE) Deno.writeTextFileSync(file, described);
    equal(described, Deno.readTextFileSync(file));
  });
}

Deno.test("MessageIndexer has goldens to describe", () => ok(goldenNames().length >= 40));

function goldenNames(): string[] {
  return Array.from(Deno.readDirSync(GOLDEN), (entry) => entry.name)
    .filter((name) => name.endsWith(".eml")).map((name) => name.slice(0, -4)).sort();
}

function describe(file: Uint8Array): string {
  const indexer = new MessageIndexer();
  indexer.push(file);
  const summary = indexer.end();
  const wire = toWireForm(file);
  const parser = new MimeParser();
  parser.push(wire);
  const root = parser.end();
  const parts = parseOffsets(summary.parts);
  ok(parts !== undefined);
  equal(summary.envelope, envelope(root.header));
  equal(summary.bodystructure, bodystructure(root));
  equal(summary.bareLf, wire !== file);
  const short = bodyWithoutExtensions(summary.bodystructure);
  equal(short, body(root));
  return [
    `size ${summary.size}${summary.bareLf ? ", bare LF" : ""}, sent on day ${summary.sentDay}`,
    `ENVELOPE ${printable(summary.envelope)}`,
    `BODYSTRUCTURE ${printable(summary.bodystructure)}`,
    `BODY ${printable(short)}`,
    `cached header ${JSON.stringify(printable(summary.header))}`,
    ...sections(parts, latin1FromBytes(wire)),
    "",
  ].join("\n");
}

/** Every section of the first parts, with its start and end and how its text begins. */
function sections(root: PartOffsets, wire: string): string[] {
  const lines: string[] = [];
  for (const path of [[], ...paths(root, [])].slice(0, MAX_SHOWN)) {
    for (const text of ["", "HEADER", "TEXT", "MIME"] as const) {
      const found = locateSection(root, path, text);
      if (found === undefined) continue;
      const spec = [...path, ...(text === "" ? [] : [text])].join(".");
      const content = wire.slice(...found);
      const shown = content.length > 60 ? `${content.slice(0, 60)}…` : content;
      lines.push(`BODY[${spec}] ${found[0]}-${found[1]} ${JSON.stringify(printable(shown))}`);
    }
  }
  return lines;
}

function paths(part: PartOffsets, path: readonly number[]): number[][] {
  if (part.parts !== undefined) {
    return part.parts.flatMap((child, i) => [[...path, i + 1], ...below(child, [...path, i + 1])]);
  }
  return [[...path, 1], ...below(part, [...path, 1])];
}

function below(part: PartOffsets, path: readonly number[]): number[][] {
  if (part.message !== undefined) return paths(part.message, path);
  return part.parts === undefined ? [] : paths(part, path);
}

/** Goldens are text: a byte that is not printable ASCII is shown as \xNN. */
function printable(latin1: string): string {
  return latin1.replace(
    /[^\n\r\t -~…]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

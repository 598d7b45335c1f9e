/** Runs the parser over a message given as a latin1 string. */

import { bytesFromLatin1 } from "../../src/message/latin1.ts";
import { MimeParser, offsetsOf, type Part, type PartOffsets } from "../../src/message/mime.ts";

/** The tree of a message in wire form. */
export function parse(wire: string): Part {
  const parser = new MimeParser();
  parser.push(bytesFromLatin1(wire));
  return parser.end();
}

/** A message from its lines, and its tree. */
export function parseLines(...lines: readonly string[]): { wire: string; root: Part } {
  const wire = lines.join("\r\n");
  return { wire, root: parse(wire) };
}

/** The offsets of a message in wire form. */
export function offsets(wire: string): PartOffsets {
  return offsetsOf(parse(wire));
}

/** Runs parsers of `src/wire` over text. */

import assert from "node:assert/strict";
import { latin1Bytes } from "../../src/wire/bytes.ts";
import { type Literal, Scanner, SyntaxFault } from "../../src/wire/scanner.ts";

/** Parses all of `text`; `literals` are byte strings. */
export function scan<T>(parse: (s: Scanner) => T, text: string, literals: string[] = []): T {
  const s = new Scanner(text, literals.map(latin1Bytes));
  const value = parse(s);
  s.end();
  return value;
}

/** The fault that `text` makes; fails if it makes none. */
export function faultOf(
  parse: (s: Scanner) => unknown,
  text: string,
  literals: readonly Literal[] = [],
): SyntaxFault {
  const s = new Scanner(text, literals);
  try {
    parse(s);
    s.end();
  } catch (error) {
    if (error instanceof SyntaxFault) return error;
    throw error;
  }
  assert.fail(`Expected a fault in ${JSON.stringify(text)}`);
}

/** Each text must make a SyntaxFault. */
export function refuses(parse: (s: Scanner) => unknown, texts: readonly string[]): void {
  for (const text of texts) faultOf(parse, text);
}

/** Each text must parse to the value beside it. */
export function table<T>(parse: (s: Scanner) => T, rows: readonly (readonly [string, T])[]): void {
  for (const [text, value] of rows) {
    assert.deepEqual(scan(parse, text), value, `of ${JSON.stringify(text)}`);
  }
}

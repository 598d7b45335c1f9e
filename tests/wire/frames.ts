/** Drives a Framer the way a connection does, and writes down what it says. */

import { latin1, latin1Bytes } from "../../src/wire/bytes.ts";
import { type FrameEvent, Framer } from "../../src/wire/framer.ts";
import { isStreamed, type Literal } from "../../src/wire/scanner.ts";

/** What to do with a literal. */
export type Verdict = "accept" | "stream" | "discard";

export type Frame =
  | { readonly command: string; readonly literals: readonly string[] }
  | { readonly streamed: string }
  | { readonly refused: string }
  | { readonly fault: string; readonly text: string };

export const ROOMY = { line: 65536, literals: 65536 };

/** Streams what follows APPEND, discards what follows NO, accepts all else. */
export function byName(text: string): Verdict {
  return text.includes("APPEND") ? "stream" : text.includes("NO ") ? "discard" : "accept";
}

/** The frames of `pieces`; a streamed literal's chunks are put together. */
export function frames(
  pieces: readonly string[],
  limits = ROOMY,
  decide: (text: string) => Verdict = byName,
): Frame[] {
  const framer = new Framer(limits);
  const found: Frame[] = [];
  let chunks = "";
  const take = (event: FrameEvent) => {
    switch (event.type) {
      case "command":
        found.push({ command: event.text, literals: event.literals.map(spell) });
        break;
      case "literal": {
        const verdict = decide(event.text);
        if (verdict === "discard") found.push({ refused: event.text });
        if (verdict === "stream") framer.stream("message");
        else framer[verdict]();
        break;
      }
      case "chunk":
        chunks += latin1(event.bytes);
        if (event.last) {
          found.push({ streamed: chunks });
          chunks = "";
        }
        break;
      case "fault":
        found.push({ fault: event.reason, text: event.text });
        break;
    }
  };
  for (const piece of pieces) {
    framer.push(latin1Bytes(piece));
    for (let event = framer.next(); event !== undefined; event = framer.next()) take(event);
  }
  return found;
}

/** One byte a piece. */
export function bytewise(text: string): string[] {
  return [...text];
}

function spell(literal: Literal): string {
  return isStreamed(literal) ? `streamed ${literal.size}` : latin1(literal);
}

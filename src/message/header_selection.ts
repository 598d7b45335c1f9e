/** BODY[HEADER.FIELDS (…)] of a header that comes in pieces. @see RFC 9051 §6.4.5.1 */

import { FieldNames, selectFields } from "./header.ts";

/** Chars of a field that is not yet there as a whole; more of it are not held. */
const LONGEST_HELD = 64 * 1024;

/**
 * Gives the same as `headerFilter` does of the whole header, and holds no more than some of it. The
 * pieces are latin1 in wire form.
 */
export class HeaderSelection {
  readonly #names: FieldNames;
  readonly #having: boolean;
  /** A field that has begun, up to what came. */
  #held = "";
  /** In a field of which the beginning was dealt with: whether it is selected. */
  #inside: boolean | undefined;
  #lastGiven = "\n";

  /** @param fields names in any case */
  constructor(fields: readonly string[], not: boolean) {
    this.#names = new FieldNames(fields.map((name) => name.toLowerCase()));
    this.#having = !not;
  }

  /** What is selected of the next piece. */
  push(piece: string): string {
    let text = this.#held + piece;
    let selected = "";
    if (this.#inside !== undefined) {
      const next = boundary(text, 0);
      const end = next < 0 ? lineEndIn(text) : next;
      if (this.#inside) selected = text.slice(0, end);
      text = text.slice(end);
      if (next < 0) {
        this.#held = text;
        return this.#given(selected);
      }
      this.#inside = undefined;
    }
    const last = lastBoundary(text);
    selected += selectFields(text.slice(0, last), this.#names, this.#having);
    this.#held = text.slice(last);
    if (this.#held.length > LONGEST_HELD) {
      this.#inside = selectFields(this.#held, this.#names, this.#having) !== "";
      const end = lineEndIn(this.#held);
      if (this.#inside) selected += this.#held.slice(0, end);
      this.#held = this.#held.slice(end);
    }
    return this.#given(selected);
  }

  /** What is selected of the rest, and the blank line, which is always there. */
  end(): string {
    const rest = this.#inside === undefined
      ? selectFields(this.#held, this.#names, this.#having)
      : this.#restInside(this.#inside);
    this.#given(rest);
    // Only the last line of a message that ends in its header can lack a line end.
    return this.#lastGiven === "\n" ? `${rest}\r\n` : `${rest}\r\n\r\n`;
  }

  #restInside(selected: boolean): string {
    const next = boundary(this.#held, 0);
    const end = next < 0 ? this.#held.length : next;
    return (selected ? this.#held.slice(0, end) : "") +
      selectFields(this.#held.slice(end), this.#names, this.#having);
  }

  #given(text: string): string {
    if (text !== "") this.#lastGiven = text[text.length - 1];
    return text;
  }
}

/** Where the first field begins behind `from`; -1 if none does, or what follows has yet to come. */
function boundary(text: string, from: number): number {
  for (let lf = text.indexOf("\n", from); lf >= 0; lf = text.indexOf("\n", lf + 1)) {
    if (startsField(text, lf + 1)) return lf + 1;
  }
  return -1;
}

/** Where the last field begins; 0 if that is where the text does. */
function lastBoundary(text: string): number {
  for (let lf = text.lastIndexOf("\n"); lf >= 0; lf = text.lastIndexOf("\n", lf - 1)) {
    if (startsField(text, lf + 1)) return lf + 1;
    if (lf === 0) break;
  }
  return 0;
}

function startsField(text: string, at: number): boolean {
  const char = text[at];
  return char !== undefined && char !== " " && char !== "\t";
}

/** All of it, but for a last line end: what follows tells whether the field goes on. */
function lineEndIn(text: string): number {
  if (text.endsWith("\r\n")) return text.length - 2;
  return text.endsWith("\r") || text.endsWith("\n") ? text.length - 1 : text.length;
}

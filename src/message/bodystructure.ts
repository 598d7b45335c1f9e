/** BODYSTRUCTURE and BODY in wire form. @see RFC 9051 §7.5.2 */

import type { Parameter } from "./structured_field.ts";
import { envelope } from "./envelope.ts";
import type { Part } from "./mime.ts";
import { nstring, wireString } from "./wire_string.ts";

/** BODYSTRUCTURE of a part with its extension data, parentheses included. */
export function bodystructure(part: Part): string {
  return structure(part, true);
}

/** BODY of a part: its BODYSTRUCTURE without extension data. */
export function body(part: Part): string {
  return structure(part, false);
}

function structure(part: Part, extended: boolean): string {
  const { contentType } = part.content;
  if (part.parts !== undefined) {
    const parts = part.parts.map((child) => structure(child, extended)).join("");
    const extension = extended ? ` ${parameters(contentType.parameters)} ${placement(part)}` : "";
    return `(${parts} ${wireString(contentType.subtype)}${extension})`;
  }
  const extension = extended ? ` ${nstring(part.content.md5)} ${placement(part)}` : "";
  return `(${basicFields(part)}${typeFields(part, extended)}${extension})`;
}

/** @see RFC 9051 §9 `body-fields` */
function basicFields({ content, bodyStart, end }: Part): string {
  const { contentType, id, description, encoding } = content;
  return [
    wireString(contentType.type),
    wireString(contentType.subtype),
    parameters(contentType.parameters),
    nstring(id),
    nstring(description),
    wireString(encoding),
    end - bodyStart,
  ].join(" ");
}

function typeFields(part: Part, extended: boolean): string {
  if (part.message !== undefined) {
    const { header } = part.message;
    return ` ${envelope(header)} ${structure(part.message, extended)} ${part.lines}`;
  }
  return part.content.contentType.type.toLowerCase() === "text" ? ` ${part.lines}` : "";
}

/** Disposition, language and location, the extension data that all parts have. */
function placement({ content: { disposition, languages, location } }: Part): string {
  const disposed = disposition === undefined
    ? "NIL"
    : `(${wireString(disposition.type)} ${parameters(disposition.parameters)})`;
  const spoken = languages === undefined ? "NIL" : `(${languages.map(wireString).join(" ")})`;
  return `${disposed} ${spoken} ${nstring(location)}`;
}

function parameters(list: readonly Parameter[]): string {
  if (list.length === 0) return "NIL";
  return `(${list.map(([name, value]) => `${wireString(name)} ${wireString(value)}`).join(" ")})`;
}

/**
 * BODY from the text that {@link bodystructure} made.
 *
 * @see RFC 9051 §9 `body`
 */
export function bodyWithoutExtensions(bodystructure: string): string {
  return new BodyReader(bodystructure).body();
}

/** Copies from a BODYSTRUCTURE what belongs to BODY. */
class BodyReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  body(): string {
    this.#at++;
    const kept = this.#text[this.#at] === "(" ? this.#multipart() : this.#single();
    while (this.#text[this.#at] !== ")" && this.#at < this.#text.length) this.#item();
    this.#at++;
    return `(${kept})`;
  }

  #multipart(): string {
    let parts = "";
    while (this.#text[this.#at] === "(") parts += this.body();
    return `${parts} ${this.#item()}`;
  }

  #single(): string {
    const start = this.#at;
    // Type, subtype, parameters, id, description, encoding, octets.
    for (let passed = 0; passed < 7; passed++) this.#item();
    const next = this.#text[this.#nextStart()];
    // Lines of a text, or the envelope of a message.
    if (next === "(" || (next >= "0" && next <= "9")) this.#item();
    const fields = this.#text.slice(start, this.#at);
    if (next !== "(") return fields;
    this.#at = this.#nextStart();
    // V8 copies what is put together like this once at the end, but with join() at each level.
    return `${fields} ${this.body()} ${this.#item()}`;
  }

  #nextStart(): number {
    return this.#text[this.#at] === " " ? this.#at + 1 : this.#at;
  }

  /** Passes one value and the space before it. */
  #item(): string {
    const start = this.#nextStart();
    this.#at = start;
    let depth = 0;
    do {
      const char = this.#text[this.#at];
      if (char === '"') this.#passQuoted();
      else if (char === "{") this.#passLiteral();
      else if (char === "(" || char === ")") {
        depth += char === "(" ? 1 : -1;
        this.#at++;
      } else if (char === " ") this.#at++;
      else this.#passAtom();
    } while (depth > 0 && this.#at < this.#text.length);
    return this.#text.slice(start, this.#at);
  }

  #passQuoted(): void {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === "\\") this.#at++;
      else if (char === '"') break;
    }
    this.#at++;
  }

  #passLiteral(): void {
    const close = this.#text.indexOf("}", this.#at);
    this.#at = close + 3 + Number(this.#text.slice(this.#at + 1, close));
  }

  #passAtom(): void {
    while (this.#at < this.#text.length && !" ()".includes(this.#text[this.#at])) this.#at++;
  }
}

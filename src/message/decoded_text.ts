/** The text of a message as a person reads it, decoded while the message streams by. */

import { charsetReader } from "./charset.ts";
import { decodeHeader } from "./header.ts";
import { latin1FromBytes } from "./latin1.ts";
import { HEADER_LIMIT, type PartOffsets } from "./mime.ts";
import { transferReader } from "./transfer_encoding.ts";

/**
 * Gets the text piece by piece; `last` with the last piece of a header or of a part. Text of one
 * header or part is coherent, from one to the next it is not.
 */
export type TextSink = (text: string, last: boolean) => void;

/** A header or a body with text. */
interface Segment {
  readonly start: number;
  readonly end: number;
  /** Undefined for a header. */
  readonly body?: { readonly charset: string; readonly encoding: string | undefined };
}

/**
 * Decodes the text parts (text/*, and such as delivery reports) of a message, and with `headers`
 * all its headers: its own, those of its parts and those of attached messages.
 */
export class TextDecoding {
  readonly #segments: readonly Segment[];
  readonly #sink: TextSink;
  #next = 0;
  #offset = 0;
  #reader: TextReader | undefined;

  constructor(parts: PartOffsets, options: { readonly headers: boolean }, sink: TextSink) {
    this.#segments = segmentsOf(parts, options.headers);
    this.#sink = sink;
  }

  /** Nothing that is still to come has text. */
  get done(): boolean {
    return this.#next >= this.#segments.length;
  }

  /** Takes the next octets in wire form. */
  push(wireBytes: Uint8Array): void {
    const chunkEnd = this.#offset + wireBytes.length;
    while (!this.done) {
      const segment = this.#segments[this.#next];
      if (segment.start >= chunkEnd) break;
      const from = Math.max(segment.start, this.#offset) - this.#offset;
      const last = segment.end <= chunkEnd;
      const to = Math.min(segment.end, chunkEnd) - this.#offset;
      this.#reader ??= readerFor(segment);
      this.#sink(this.#reader(wireBytes.subarray(from, to), last), last);
      if (!last) break;
      this.#reader = undefined;
      this.#next++;
    }
    this.#offset = chunkEnd;
  }

  /** Gives what was held back, if the message was shorter than its parts say. */
  end(): void {
    if (this.#reader !== undefined) this.#sink(this.#reader(new Uint8Array(), true), true);
    this.#reader = undefined;
    this.#next = this.#segments.length;
  }
}

/** Text of the next octets of a segment. */
type TextReader = (octets: Uint8Array, last: boolean) => string;

function readerFor({ body }: Segment): TextReader {
  if (body === undefined) return headerReader();
  const transfer = transferReader(body.encoding);
  const charset = charsetReader(body.charset);
  return (octets, last) => charset.read(transfer.read(octets, last), last);
}

/** A header is decoded as a whole, but for a hostile one, which is cut in pieces. */
function headerReader(): TextReader {
  let held = "";
  return (octets, last) => {
    held += latin1FromBytes(octets);
    let text = "";
    while (held.length >= HEADER_LIMIT) {
      text += decodeHeader(held.slice(0, HEADER_LIMIT));
      held = held.slice(HEADER_LIMIT);
    }
    if (!last) return text;
    text += decodeHeader(held);
    held = "";
    return text;
  };
}

/** Octets of a message that have text, encoded as they are, headers among them. */
export function textOctets(parts: PartOffsets): number {
  return segmentsOf(parts, true).reduce((sum, { start, end }) => sum + end - start, 0);
}

function segmentsOf(parts: PartOffsets, headers: boolean): readonly Segment[] {
  const segments: Segment[] = [];
  addSegments(parts, headers, segments);
  return segments;
}

function addSegments(part: PartOffsets, headers: boolean, segments: Segment[]): void {
  const [headerStart, bodyStart, end] = part.at;
  if (headers && bodyStart > headerStart) segments.push({ start: headerStart, end: bodyStart });
  if (part.text !== undefined && end > bodyStart) {
    const body = { charset: part.text, encoding: part.encoding };
    segments.push({ start: bodyStart, end, body });
  }
  if (part.message !== undefined) addSegments(part.message, headers, segments);
  for (const child of part.parts ?? []) addSegments(child, headers, segments);
}

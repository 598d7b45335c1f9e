/** The MIME structure of a message: a streaming parser, and where each part lies. @see RFC 2046 */

import {
  type Content,
  type ContentType,
  DIGEST_DEFAULT,
  parameter,
  parseContent,
  PLAIN_TEXT,
} from "./content.ts";
import { bytesFromLatin1, latin1FromBytes } from "./latin1.ts";

/** A message or a body part. Offsets are octets of the whole message in wire form. */
export interface Part {
  readonly headerStart: number;
  /** Behind the blank line of the header. */
  readonly bodyStart: number;
  /** Not included; the line end before a boundary belongs to the boundary. */
  readonly end: number;
  /** Line ends in the body. */
  readonly lines: number;
  /** Raw header block (latin1) of a message, at most {@link HEADER_LIMIT}; "" of a body part. */
  readonly header: string;
  readonly content: Content;
  /** The parts of a multipart: at least one, if need be an empty one. */
  readonly parts?: readonly Part[];
  /** What a message/rfc822 or message/global part holds. */
  readonly message?: Part;
}

/** Header octets that are kept of the message itself; the rest is only counted. */
export const HEADER_LIMIT = 256 * 1024;
/** The same for all nested messages and body parts together. */
const NESTED_HEADERS_LIMIT = 8 << 20;
/** Parts nested deeper are not looked into. */
const MAX_DEPTH = 100;
/** The last of so many parts takes all the rest of the message. */
const MAX_PARTS = 10_000;
/** Boundaries have at most 70 chars (RFC 2046 §5.1.1); of longer ones so many count. */
export const MAX_BOUNDARY = 1000;
/** Enough of a line to tell whether it is a boundary. */
const MAX_LINE_HEAD = MAX_BOUNDARY + 6;

const LF = 10;
const CR = 13;
const DASH = 45;
const EMPTY_CONTENT: Content = { contentType: PLAIN_TEXT, encoding: "7bit" };

/** A {@link Part} in the making. */
class OpenPart implements Part {
  bodyStart = -1;
  end = -1;
  lines = 0;
  header = "";
  content = EMPTY_CONTENT;
  parts: OpenPart[] | undefined;
  message: OpenPart | undefined;
  /** Lines of the message before the body. */
  bodyLine = 0;

  constructor(
    readonly headerStart: number,
    readonly isMessage: boolean,
    readonly defaultType: ContentType,
  ) {}
}

/** The boundary of an open multipart. */
export interface Boundary {
  readonly text: Uint8Array;
  /** Index of its multipart among the open parts. */
  readonly depth: number;
}

/**
 * Builds the part tree of a message that comes in chunks of wire form. Any input has a tree, any
 * chunking gives the same, and memory is bounded by the headers. What cannot be split (no boundary
 * parameter, nested too deep) is one part of plain text.
 */
export class MimeParser {
  #chunk: Uint8Array = new Uint8Array();
  /** Octets before the current chunk. */
  #base = 0;
  /** Line ends passed so far. */
  #lines = 0;
  /** The head of a line that began in an earlier chunk, and how long that line is so far. */
  readonly #held = new Uint8Array(MAX_LINE_HEAD);
  #heldLength = 0;
  readonly #root = new OpenPart(0, true, PLAIN_TEXT);
  /** Open parts from the root to the innermost. */
  readonly #open: OpenPart[] = [this.#root];
  /** Of the open multiparts that are not in their epilogue, outermost first. */
  #boundaries: Boundary[] = [];
  /** The header of the innermost part is being read. */
  #inHeader = true;
  #header = "";
  #headerRoom = HEADER_LIMIT;
  #nestedRoom = NESTED_HEADERS_LIMIT;
  #partCount = 1;
  readonly #onLeaf: (bodyStart: number, content: Content) => void;

  /** @param onLeaf told where the body of each part begins that is not split any further */
  constructor(onLeaf: (bodyStart: number, content: Content) => void = () => {}) {
    this.#onLeaf = onLeaf;
  }

  /** Takes the next octets; the array may be reused afterwards. */
  push(wireBytes: Uint8Array): void {
    this.#chunk = wireBytes;
    let at = this.#heldLength > 0 ? this.#finishHeldLine() : 0;
    while (at < wireBytes.length) {
      // A loop: at the usual length of lines `indexOf` takes twice as long.
      let lf = at;
      while (lf < wireBytes.length && wireBytes[lf] !== LF) lf++;
      if (lf === wireBytes.length) {
        this.#hold(wireBytes.subarray(at));
        break;
      }
      const first = wireBytes[at];
      if (first === DASH || (this.#inHeader && (first === CR || first === LF))) {
        const head = wireBytes.subarray(at, Math.min(lf + 1, at + MAX_LINE_HEAD));
        this.#line(head, this.#base + at, this.#base + lf + 1);
      } else {
        this.#lines++;
      }
      at = lf + 1;
    }
    if (this.#inHeader) this.#keepHeader(wireBytes.length);
    this.#base += wireBytes.length;
  }

  /** The tree. The parser is done with. */
  end(): Part {
    this.#chunk = new Uint8Array();
    if (this.#heldLength > 0) {
      this.#boundaryLine(this.#heldHead(), this.#base - this.#heldLength, this.#base);
    }
    while (this.#inHeader) this.#endHeader(this.#base);
    this.#closeParts(0, this.#base, this.#lines);
    return this.#root;
  }

  #hold(bytes: Uint8Array): void {
    const room = MAX_LINE_HEAD - this.#heldLength;
    if (room > 0) this.#held.set(bytes.subarray(0, room), this.#heldLength);
    this.#heldLength += bytes.length;
  }

  #heldHead(): Uint8Array {
    return this.#held.subarray(0, Math.min(this.#heldLength, MAX_LINE_HEAD));
  }

  /** @returns index of the next line in the chunk */
  #finishHeldLine(): number {
    const start = this.#base - this.#heldLength;
    const lf = this.#chunk.indexOf(LF);
    const next = lf < 0 ? this.#chunk.length : lf + 1;
    this.#hold(this.#chunk.subarray(0, next));
    if (lf < 0) return next;
    const head = this.#heldHead();
    this.#heldLength = 0;
    this.#line(head, start, this.#base + next);
    return next;
  }

  /** A whole line by its first octets and its place. */
  #line(head: Uint8Array, start: number, end: number): void {
    const boundary = this.#boundaryLine(head, start, end);
    this.#lines++;
    if (this.#inHeader && !boundary && isBlankLine(head)) this.#endHeader(end);
  }

  #innermost(): OpenPart {
    return this.#open[this.#open.length - 1];
  }

  /** Keeps what the current chunk has of the header, up to that index of the chunk. */
  #keepHeader(to: number): void {
    const from = Math.max(0, this.#innermost().headerStart - this.#base);
    const room = this.#headerRoom - this.#header.length;
    if (from >= to || room <= 0) return;
    this.#header += latin1FromBytes(this.#chunk.subarray(from, Math.min(to, from + room)));
  }

  #startPart(headerStart: number, isMessage: boolean, defaultType: ContentType): OpenPart {
    const part = new OpenPart(headerStart, isMessage, defaultType);
    this.#open.push(part);
    this.#inHeader = true;
    this.#header = "";
    this.#headerRoom = Math.min(HEADER_LIMIT, this.#nestedRoom);
    if (++this.#partCount === MAX_PARTS) this.#boundaries = [];
    return part;
  }

  #endHeader(bodyStart: number): void {
    const part = this.#innermost();
    const header = this.#takeHeader(part.headerStart, bodyStart);
    if (part !== this.#root) this.#nestedRoom -= header.length;
    if (part.isMessage) part.header = header;
    part.bodyStart = bodyStart;
    part.bodyLine = this.#lines;
    part.content = parseContent(header, part.defaultType);
    this.#openBody(part);
  }

  #takeHeader(start: number, end: number): string {
    this.#keepHeader(end - this.#base);
    this.#inHeader = false;
    // What was kept may already hold the start of a boundary line.
    const header = this.#header.slice(0, end - start);
    this.#header = "";
    if (header.length === end - start) return header;
    return header.slice(0, header.lastIndexOf("\r\n") + 2);
  }

  /** Looks into the body if it has parts. */
  #openBody(part: OpenPart): void {
    const { type, subtype, parameters } = part.content.contentType;
    const isMultipart = type.toLowerCase() === "multipart";
    if (!isMultipart && !isMessageType(type, subtype)) {
      return this.#onLeaf(part.bodyStart, part.content);
    }
    const boundary = isMultipart ? parameter(parameters, "boundary") : undefined;
    const mayNest = this.#open.length < MAX_DEPTH && this.#partCount < MAX_PARTS;
    if (!mayNest || (isMultipart && !boundary)) {
      part.content = { ...part.content, contentType: PLAIN_TEXT };
      this.#onLeaf(part.bodyStart, part.content);
    } else if (boundary) {
      part.parts = [];
      const text = bytesFromLatin1(boundary.slice(0, MAX_BOUNDARY));
      this.#boundaries.push({ text, depth: this.#open.length - 1 });
    } else {
      part.message = this.#startPart(part.bodyStart, true, PLAIN_TEXT);
    }
  }

  /** Acts on a line that is a boundary; false if it is none. */
  #boundaryLine(head: Uint8Array, start: number, end: number): boolean {
    const boundary = findBoundary(this.#boundaries, head);
    if (boundary === undefined) return false;
    // It also ends a header that lacks its blank line.
    while (this.#inHeader) this.#endHeader(start);
    this.#closeParts(boundary.depth + 1, start - 2, this.#lines - 1);
    const tail = 2 + boundary.text.length;
    const closing = head[tail] === DASH && head[tail + 1] === DASH;
    const depth = closing ? boundary.depth - 1 : boundary.depth;
    this.#boundaries = this.#boundaries.filter((open) => open.depth <= depth);
    if (!closing) this.#startChild(end);
    return true;
  }

  #startChild(headerStart: number): void {
    const parent = this.#innermost();
    const isDigest = parent.content.contentType.subtype.toLowerCase() === "digest";
    const child = this.#startPart(headerStart, false, isDigest ? DIGEST_DEFAULT : PLAIN_TEXT);
    parent.parts?.push(child);
  }

  /** Closes all parts from that depth on; they end at `end`, before which `lines` lines end. */
  #closeParts(depth: number, end: number, lines: number): void {
    for (let i = this.#open.length - 1; i >= depth; i--) {
      const part = this.#open[i];
      if (part.bodyStart > end) {
        // No body: the blank line of the header is also the line end before the boundary.
        end = part.bodyStart;
        lines = this.#lines;
      }
      part.end = end;
      part.lines = lines - part.bodyLine;
      if (part.parts?.length === 0) part.parts.push(emptyPart(end));
    }
    this.#open.length = depth;
  }
}

/** A multipart must show at least one part. @see RFC 9051 §9 `body-type-mpart` */
function emptyPart(at: number): OpenPart {
  const part = new OpenPart(at, false, PLAIN_TEXT);
  part.bodyStart = at;
  part.end = at;
  return part;
}

/** Whether a part of this type holds a message. */
export function isMessageType(type: string, subtype: string): boolean {
  return type.toLowerCase() === "message" && /^(?:rfc822|global)$/i.test(subtype);
}

function isBlankLine(head: Uint8Array): boolean {
  return head[0] === LF || (head[0] === CR && head[1] === LF);
}

/**
 * The boundary that a line beginning with "--" is. The line need only begin with it; of several
 * the longest counts, so that "--ab" in one multipart and "--abc" in another stay apart.
 *
 * @see RFC 2046 §5.1.1
 */
export function findBoundary<B extends Boundary>(
  boundaries: readonly B[],
  head: Uint8Array,
): B | undefined {
  if (head[0] !== DASH || head[1] !== DASH) return undefined;
  let best: B | undefined;
  for (let i = boundaries.length - 1; i >= 0; i--) {
    const boundary = boundaries[i];
    if (best !== undefined && best.text.length >= boundary.text.length) continue;
    if (!startsWith(head, boundary.text)) continue;
    best = boundary;
    if (endsDelimiter(head, 2 + boundary.text.length)) break;
  }
  return best;
}

function startsWith(head: Uint8Array, boundary: Uint8Array): boolean {
  for (let i = 0; i < boundary.length; i++) {
    if (head[i + 2] !== boundary[i]) return false;
  }
  return true;
}

/** Does the line end here, but for "--"? */
function endsDelimiter(head: Uint8Array, at: number): boolean {
  const end = head[at] === DASH && head[at + 1] === DASH ? at + 2 : at;
  return end >= head.length || head[end] === CR || head[end] === LF;
}

/** Where the parts of a message lie: what {@link Part} says in brief, fit for JSON. */
export interface PartOffsets {
  /** Start of the header, start of the body, end (not included): octets in wire form. */
  readonly at: readonly [headerStart: number, bodyStart: number, end: number];
  /** Charset of a part that has text; "" if it names none. Absent: no text. */
  readonly text?: string;
  /** Transfer encoding of such a part in lower case, where it has to be undone. */
  readonly encoding?: string;
  readonly parts?: readonly PartOffsets[];
  readonly message?: PartOffsets;
}

/** {@link PartOffsets} of a tree. */
export function offsetsOf(part: Part): PartOffsets {
  const at = [part.headerStart, part.bodyStart, part.end] as const;
  if (part.parts !== undefined) return { at, parts: part.parts.map(offsetsOf) };
  if (part.message !== undefined) return { at, message: offsetsOf(part.message) };
  const { contentType, encoding } = part.content;
  if (!/^(?:text|message)$/i.test(contentType.type)) return { at };
  const text = parameter(contentType.parameters, "charset") ?? "";
  return /^(?:base64|quoted-printable)$/i.test(encoding)
    ? { at, text, encoding: encoding.toLowerCase() }
    : { at, text };
}

/** {@link PartOffsets} kept as JSON; undefined if they were damaged since. */
export function parseOffsets(json: string): PartOffsets | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isOffsets(value, Infinity) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isOffsets(value: unknown, most: number): value is PartOffsets {
  if (typeof value !== "object" || value === null) return false;
  const { at, text = "", encoding = "", parts = [], message }: Record<string, unknown> = {
    ...value,
  };
  if (!Array.isArray(at) || at.length !== 3 || !at.every(isOffset)) return false;
  const [headerStart, bodyStart, end] = at;
  return headerStart <= bodyStart && bodyStart <= end && end <= most &&
    typeof text === "string" && typeof encoding === "string" &&
    Array.isArray(parts) && parts.every((each) => isOffsets(each, end)) &&
    (message === undefined || isOffsets(message, end));
}

function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/**
 * Where a section lies, or undefined if the message has no such part. "HEADER" and "MIME" include
 * the blank line.
 *
 * @param path part numbers from 1; empty for the message itself
 * @see RFC 9051 §6.4.5.1
 */
export function locateSection(
  root: PartOffsets,
  path: readonly number[],
  text: "" | "HEADER" | "TEXT" | "MIME",
): readonly [start: number, end: number] | undefined {
  if (path.length === 0) return text === "MIME" ? undefined : sectionOfMessage(root, text);
  const part = locatePart(root, path);
  if (part === undefined) return undefined;
  if (text === "") return [part.at[1], part.at[2]];
  if (text === "MIME") return [part.at[0], part.at[1]];
  return part.message && sectionOfMessage(part.message, text);
}

function sectionOfMessage(
  { at: [headerStart, bodyStart, end] }: PartOffsets,
  text: "" | "HEADER" | "TEXT",
): readonly [start: number, end: number] {
  if (text === "HEADER") return [headerStart, bodyStart];
  return text === "TEXT" ? [bodyStart, end] : [headerStart, end];
}

/** A part by its numbers, of which there is at least one. @see RFC 9051 §6.4.5.1 */
export function locatePart(root: PartOffsets, path: readonly number[]): PartOffsets | undefined {
  let part: PartOffsets | undefined = partOfMessage(root, path[0]);
  for (const number of path.slice(1)) {
    if (part?.message !== undefined) part = partOfMessage(part.message, number);
    else part = part?.parts?.[number - 1];
  }
  return part;
}

/** A message that is no multipart has one part: its body. */
function partOfMessage(message: PartOffsets, number: number): PartOffsets | undefined {
  if (message.parts !== undefined) return message.parts[number - 1];
  return number === 1 ? message : undefined;
}

/**
 * Brings binary content to base64 while a message arrives, so that it can be kept in a file of
 * lines, and be sent by BODY[…] as it is. @see RFC 3516 §4.4, RFC 2045 §6.2
 */

import { joinBytes } from "./bytes.ts";
import {
  type ContentType,
  DIGEST_DEFAULT,
  parameter,
  parseContent,
  PLAIN_TEXT,
} from "./content.ts";
import { bytesFromLatin1, latin1FromBytes } from "./latin1.ts";
import { type Boundary, findBoundary, HEADER_LIMIT, isMessageType, MAX_BOUNDARY } from "./mime.ts";

const LF = 10;
const CR = 13;
const DASH = 45;
/** Enough of a line to tell whether it is a boundary. */
const MAX_LINE_HEAD = MAX_BOUNDARY + 6;
/** Multiparts nested deeper are not looked into. */
const MAX_DEPTH = 100;
/** Octets of a line of base64. */
const LINE_OCTETS = 57;

interface OpenMultipart extends Boundary {
  readonly childType: ContentType;
}

/**
 * Turns every part whose transfer encoding is "binary" into base64, and says "8bit" of what only
 * holds such parts. All else stays as it is, in any chunking.
 */
export class BinaryParts {
  #multiparts: OpenMultipart[] = [];
  #mode: "header" | "text" | "binary" = "header";
  #header = "";
  #defaultType = PLAIN_TEXT;
  /** What came of a line that may yet be a boundary. */
  #held: Uint8Array = new Uint8Array();
  /** The line is known to be no boundary. */
  #within = false;
  #base64 = new Base64Lines();
  #out: Uint8Array[] = [];

  /** Takes the next octets, which may not change afterwards; gives what is ready of the message. */
  push(bytes: Uint8Array): Uint8Array {
    const chunk = this.#held.length === 0 ? bytes : joinBytes([this.#held, bytes]);
    this.#held = new Uint8Array();
    // Runs are passed on whole: most octets belong to lines that need no look.
    let from = 0;
    for (let at = 0; at < chunk.length;) {
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf + 1;
      if (lf < 0 && this.#mayBeBoundary(chunk.subarray(at))) {
        this.#pass(chunk.subarray(from, at));
        this.#held = chunk.slice(at);
        return this.#take();
      }
      if (!this.#within && this.#looks(chunk, at)) {
        this.#pass(chunk.subarray(from, at));
        this.#line(chunk.subarray(at, end));
        from = end;
      }
      this.#within = lf < 0;
      at = end;
    }
    this.#pass(chunk.subarray(from));
    return this.#take();
  }

  /** The rest of the message. */
  end(): Uint8Array {
    if (this.#held.length > 0) this.#line(this.#held);
    if (this.#mode === "header") this.#out.push(bytesFromLatin1(this.#header));
    if (this.#mode === "binary") this.#out.push(...this.#base64.end(false));
    return this.#take();
  }

  #take(): Uint8Array {
    const out = joinBytes(this.#out);
    this.#out = [];
    return out;
  }

  /** The start of a line, without its end. */
  #mayBeBoundary(start: Uint8Array): boolean {
    if (this.#within || start.length >= MAX_LINE_HEAD) return false;
    return this.#mode === "header" || start[0] === DASH && (start.length < 2 || start[1] === DASH);
  }

  #looks(chunk: Uint8Array, at: number): boolean {
    return this.#mode === "header" || (chunk[at] === DASH && chunk[at + 1] === DASH);
  }

  #pass(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#mode === "header") {
      this.#header += latin1FromBytes(bytes);
      // Within a line, or else a line without an end would be held as long as it goes on.
      if (this.#within && this.#header.length > HEADER_LIMIT) this.#giveUp();
    } else if (this.#mode === "binary") this.#out.push(...this.#base64.push(bytes));
    else this.#out.push(bytes);
  }

  #line(line: Uint8Array): void {
    const boundary = findBoundary(this.#multiparts, line);
    if (boundary !== undefined) return this.#atBoundary(boundary, line);
    this.#pass(line);
    if (this.#mode !== "header") return;
    const blank = line[0] === LF || (line[0] === CR && line[1] === LF);
    if (blank) this.#endHeader();
    else if (this.#header.length > HEADER_LIMIT) this.#giveUp();
  }

  #giveUp(): void {
    this.#out.push(bytesFromLatin1(this.#header));
    this.#header = "";
    this.#mode = "text";
  }

  #atBoundary(boundary: OpenMultipart, line: Uint8Array): void {
    if (this.#mode === "header") this.#giveUp();
    if (this.#mode === "binary") this.#out.push(...this.#base64.end(true));
    const tail = 2 + boundary.text.length;
    const closing = line[tail] === DASH && line[tail + 1] === DASH;
    const place = this.#multiparts.indexOf(boundary);
    this.#multiparts.length = closing ? place : place + 1;
    this.#out.push(line.slice());
    this.#mode = closing ? "text" : "header";
    this.#defaultType = boundary.childType;
  }

  #endHeader(): void {
    const { contentType: { type, subtype, parameters }, encoding } = parseContent(
      this.#header,
      this.#defaultType,
    );
    const isBinary = encoding.toLowerCase() === "binary";
    const boundary = type.toLowerCase() === "multipart"
      ? parameter(parameters, "boundary")
      : undefined;
    const isMessage = isMessageType(type, subtype);
    const holdsParts = boundary !== undefined || isMessage;
    const header = isBinary
      ? withEncoding(this.#header, holdsParts ? "8bit" : "base64")
      : this.#header;
    this.#out.push(bytesFromLatin1(header));
    this.#header = "";
    this.#defaultType = PLAIN_TEXT;
    this.#mode = isMessage ? "header" : isBinary && !holdsParts ? "binary" : "text";
    if (boundary) this.#open(boundary, subtype);
  }

  #open(boundary: string, subtype: string): void {
    if (this.#multiparts.length >= MAX_DEPTH) return;
    this.#multiparts.push({
      text: bytesFromLatin1(boundary.slice(0, MAX_BOUNDARY)),
      depth: this.#multiparts.length,
      childType: subtype.toLowerCase() === "digest" ? DIGEST_DEFAULT : PLAIN_TEXT,
    });
  }
}

/** The header with another transfer encoding; of several fields the first counts. */
function withEncoding(header: string, encoding: string): string {
  return header.replace(
    /^(Content-Transfer-Encoding[ \t]*:)[^\n]*?(?:\n[ \t][^\n]*?)*?(\r?\n)(?![ \t])/im,
    `$1 ${encoding}$2`,
  );
}

/** Base64 in lines, but for the line end before a boundary. */
class Base64Lines {
  #left: Uint8Array = new Uint8Array();
  #first = true;

  push(octets: Uint8Array): Uint8Array[] {
    const all = joinBytes([this.#left, octets]);
    // The last two may be the line end that belongs to a boundary.
    const lines = Math.max(0, Math.floor((all.length - 2) / LINE_OCTETS));
    this.#left = all.slice(lines * LINE_OCTETS);
    return this.#lines(all.subarray(0, lines * LINE_OCTETS));
  }

  /** @param boundary what comes next is a boundary, and so owns the line end before it */
  end(boundary: boolean): Uint8Array[] {
    const left = this.#left;
    let end = left.length;
    if (boundary && left[end - 1] === LF) end -= left[end - 2] === CR ? 2 : 1;
    const lines = this.#lines(left.subarray(0, end));
    this.#left = new Uint8Array();
    this.#first = true;
    return [...lines, left.slice(end)];
  }

  #lines(octets: Uint8Array): Uint8Array[] {
    let text = "";
    for (let at = 0; at < octets.length; at += LINE_OCTETS) {
      text += `${this.#first ? "" : "\r\n"}${octets.subarray(at, at + LINE_OCTETS).toBase64()}`;
      this.#first = false;
    }
    return [bytesFromLatin1(text)];
  }
}

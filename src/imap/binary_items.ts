/** BINARY and BINARY.SIZE: parts with their transfer encoding undone. @see RFC 3516 §4.2, §4.3 */

import { joinBytes } from "../message/bytes.ts";
import { parseContent, PLAIN_TEXT } from "../message/content.ts";
import { HEADER_LIMIT, locatePart } from "../message/mime.ts";
import { transferReader } from "../message/transfer_encoding.ts";
import type { Pace } from "../pace.ts";
import type { StoredMessage } from "../store/store.ts";
import type { FetchItem, PartialRange } from "../wire/fetch_grammar.ts";
import { BrokenResponse, Disconnected, type Output } from "./command.ts";
import { type FetchedMessage, openedOf, type PlannedItem, type Writing } from "./planned_item.ts";
import { type OctetRange, type OpenedMessage, readText } from "./sections.ts";

type ItemNamed<Name> = Extract<FetchItem, { readonly name: Name }>;

/** Octets in the message up to which a part is decoded once and held; a larger one twice. */
const HELD_OCTETS = 256 * 1024;

const DECODED = new Set(["7bit", "8bit", "binary", "base64", "quoted-printable"]);

const NEEDS = { cached: ["parts"], prepared: true, opened: true } as const;

/** A part as it lies in the message. */
interface EncodedPart {
  readonly range: OctetRange;
  /** In lower case; one of {@link DECODED}. */
  readonly encoding: string;
}

export function planBinary(item: ItemNamed<"BINARY">): PlannedItem {
  const { part, partial, label, peek } = item;
  const ready = async (message: FetchedMessage, pace: Pace) => {
    const opened = openedOf(message);
    const { stored } = opened;
    const found = await findPart(opened, part);
    if (found === undefined) return (out: Output) => out.text(`${label} NIL`);
    return found === "unknown" ? undefined : await writing(stored, found, { partial, label }, pace);
  };
  return { ...NEEDS, marksSeen: !peek, ready };
}

export function planBinarySize({ part, label }: ItemNamed<"BINARY.SIZE">): PlannedItem {
  const ready = async (message: FetchedMessage, pace: Pace) => {
    const opened = openedOf(message);
    const { stored } = opened;
    const found = await findPart(opened, part);
    if (found === "unknown") return undefined;
    const size = found ? (await measure(stored, found, undefined, pace)).size : 0;
    return (out: Output) => out.text(`${label} ${size}`);
  };
  return { ...NEEDS, marksSeen: false, ready };
}

/** The message itself has no transfer encoding; neither has what holds parts, by RFC 2045 §6.4. */
async function findPart(
  opened: OpenedMessage,
  path: readonly number[],
): Promise<EncodedPart | "unknown" | undefined> {
  const { stored } = opened;
  if (path.length === 0) return { range: [0, stored.size], encoding: "binary" };
  const part = locatePart(opened.parts, path);
  if (part === undefined) return undefined;
  const [headerStart, bodyStart, end] = part.at;
  // Of a longer one BODYSTRUCTURE knows no more either.
  const headerEnd = Math.min(bodyStart, headerStart + HEADER_LIMIT);
  const read = await readText(stored, [headerStart, headerEnd]);
  const header = headerEnd < bodyStart ? read.slice(0, read.lastIndexOf("\n") + 1) : read;
  const encoding = parseContent(header, PLAIN_TEXT).encoding.toLowerCase();
  return DECODED.has(encoding) ? { range: [bodyStart, end], encoding } : "unknown";
}

/** The decoded octets in pieces. */
async function* decode(
  stored: StoredMessage,
  { range: [start, end], encoding }: EncodedPart,
): AsyncGenerator<Uint8Array> {
  const reader = transferReader(encoding);
  let left = end - start;
  for await (const piece of stored.read(start, end)) {
    left -= piece.length;
    yield reader.read(piece, left === 0);
  }
}

/** The octets of a partial fetch. */
async function* clipped(
  pieces: AsyncIterable<Uint8Array>,
  { offset, count }: PartialRange,
): AsyncGenerator<Uint8Array> {
  const end = offset + count;
  let at = 0;
  for await (const piece of pieces) {
    if (at + piece.length > offset) yield piece.subarray(Math.max(0, offset - at), end - at);
    at += piece.length;
    if (at >= end) return;
  }
}

function wanted(
  stored: StoredMessage,
  part: EncodedPart,
  partial: PartialRange | undefined,
): AsyncIterable<Uint8Array> {
  const pieces = decode(stored, part);
  return partial === undefined ? pieces : clipped(pieces, partial);
}

async function measure(
  stored: StoredMessage,
  part: EncodedPart,
  partial: PartialRange | undefined,
  pace: Pace,
): Promise<{ readonly size: number; readonly nul: boolean }> {
  let size = 0;
  let nul = false;
  for await (const piece of wanted(stored, part, partial)) {
    size += piece.length;
    nul ||= piece.includes(0);
    if (pace.due()) await pace.turn();
  }
  return { size, nul };
}

async function writing(
  stored: StoredMessage,
  part: EncodedPart,
  { partial, label }: { readonly partial?: PartialRange; readonly label: string },
  pace: Pace,
): Promise<Writing> {
  const [start, end] = part.range;
  if (end - start <= HELD_OCTETS) {
    const octets = await joined(wanted(stored, part, partial));
    return (out) => {
      out.text(`${label} ${announced(octets.length, octets.includes(0))}`);
      if (octets.length > 0) out.bytes(octets);
    };
  }
  const { size, nul } = await measure(stored, part, partial, pace);
  return async (out) => {
    out.text(`${label} ${announced(size, nul)}`);
    await writeAll(wanted(stored, part, partial), size, out);
  };
}

/** Only what has a NUL is a literal8, so that clients see which has none. @see RFC 3516 §4.3 */
function announced(size: number, nul: boolean): string {
  if (size === 0) return '""';
  return `${nul ? "~" : ""}{${size}}\r\n`;
}

async function joined(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return joinBytes(all);
}

async function writeAll(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  out: Output,
): Promise<void> {
  let left = size;
  try {
    for await (const piece of pieces) {
      out.bytes(piece);
      left -= piece.length;
      if (out.full) await out.flush();
    }
  } catch (error) {
    if (error instanceof Disconnected) throw error;
    throw new BrokenResponse("A part became unreadable in the middle of its literal", {
      cause: error,
    });
  }
  if (left !== 0) throw new BrokenResponse("A part is not as long as its literal was announced");
}

/**
 * The preview of a message: how its text begins, for lists of messages. Markup, quotations of other
 * messages and signatures are left out, and work is bounded by {@link HEAD_OCTETS} of each text.
 *
 * @see RFC 8970 §3.3
 */

import { charsetReader } from "./charset.ts";
import { type Content, parameter } from "./content.ts";
import { htmlText } from "./html_text.ts";
import { isAscii } from "./latin1.ts";
import type { Part } from "./mime.ts";
import { HEAD_OCTETS, type TextHeads } from "./text_heads.ts";
import { transferReader } from "./transfer_encoding.ts";

/** Characters (code points) of a preview; the RFC allows 256. @see RFC 8970 §3.3 */
export const PREVIEW_CHARS = 200;

/** Most texts fill their preview with the first octets, and are looked at no further. */
const STEPS = [1024, 8192, HEAD_OCTETS] as const;

/** True for the content of a part that a preview can come from. */
export function hasPreview({ contentType, disposition }: Content): boolean {
  return contentType.type.toLowerCase() === "text" &&
    TEXTS.has(contentType.subtype.toLowerCase()) &&
    disposition?.type.toLowerCase() !== "attachment";
}

/** How text is read out of each subtype. */
const TEXTS: ReadonlyMap<string, (text: string) => string> = new Map([
  ["plain", plainPreview],
  ["html", htmlPreview],
  // Tags as in HTML are what these have besides text.
  ["enriched", htmlPreview],
  ["richtext", htmlPreview],
]);

/** The preview of a message; "" if it has no text. */
export function previewOf(root: Part, heads: TextHeads): string {
  const nested: Part[] = [];
  for (const part of textParts(root, nested)) {
    const preview = partPreview(part, heads);
    if (preview !== "") return preview;
  }
  // A message that is nothing but another one, forwarded.
  for (const message of nested) {
    const preview = previewOf(message, heads);
    if (preview !== "") return preview;
  }
  return "";
}

/** Parts with text in the order in which they are tried; attached messages go to `nested`. */
function* textParts(part: Part, nested: Part[]): Generator<Part> {
  if (part.message !== undefined) nested.push(part.message);
  else if (part.parts === undefined) {
    if (hasPreview(part.content)) yield part;
  } else {
    const alternative = part.content.contentType.subtype.toLowerCase() === "alternative";
    const parts = alternative ? [...part.parts].sort(plainFirst) : part.parts;
    for (const child of parts) yield* textParts(child, nested);
  }
}

function plainFirst(a: Part, b: Part): number {
  return Number(isPlain(b)) - Number(isPlain(a));
}

function isPlain({ content: { contentType: { type, subtype } } }: Part): boolean {
  return /^text$/i.test(type) && /^plain$/i.test(subtype);
}

function partPreview(part: Part, heads: TextHeads): string {
  const octets = heads.of(part.bodyStart, part.end);
  const { contentType, encoding } = part.content;
  const textOf = TEXTS.get(contentType.subtype.toLowerCase());
  if (octets === undefined || textOf === undefined) return "";
  const transfer = transferReader(encoding.toLowerCase());
  const charset = charsetReader(parameter(contentType.parameters, "charset") ?? "");
  let text = "";
  let preview = "";
  for (let step = 0, at = 0; at < octets.length; step++) {
    const end = Math.min(octets.length, STEPS[step]);
    const last = end === octets.length;
    text += charset.read(transfer.read(octets.subarray(at, end), last), last);
    const shown = shorten(textOf(text));
    preview = shown.text;
    if (shown.full) break;
    at = end;
  }
  return preview;
}

/** Invisible characters by which senders fill what lists show of their mail, and marks of direction. */
const INVISIBLE = /[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/g;
/** Joiners join letters; beside blanks they are filling. */
const LONE_JOINER = /(?<=^|\s)[\u200c\u200d]{1,64}|[\u200c\u200d]{1,64}(?=\s|$)/g;
// deno-lint-ignore no-control-regex
const BLANKS = /[\s\x00-\x1f\x7f-\x9f]+/g;

function shorten(text: string): { text: string; full: boolean } {
  const ascii = isAscii(text);
  const visible = ascii ? text : text.replace(INVISIBLE, "").replace(LONE_JOINER, "");
  const folded = visible.replace(BLANKS, " ").trim().toWellFormed();
  if (folded.length <= PREVIEW_CHARS) return { text: folded, full: false };
  if (ascii) return { text: folded.slice(0, PREVIEW_CHARS).trimEnd(), full: true };
  const chars = [...folded.slice(0, PREVIEW_CHARS * 2)];
  return {
    text: chars.slice(0, PREVIEW_CHARS).join("").trimEnd(),
    full: chars.length >= PREVIEW_CHARS,
  };
}

function htmlPreview(html: string): string {
  const { own, quoted } = htmlText(html);
  return own.trim() === "" ? quoted : own;
}

/** Ends what the sender wrote. */
const END = /^(?:-- ?|-----BEGIN PGP (?:MESSAGE|SIGNATURE)-----)$/;
/** Introduces a message that is quoted or forwarded without marks at its lines. */
const ORIGINAL = /^[-_]{2,}\s?[^-_]{3,60}\s?[-_]{2,}$/;
/** Lines that only separate. */
const RULE = /^[-=_*#~+.]{3,}$/;
const SIGNED = /^-----BEGIN PGP SIGNED MESSAGE-----$/;
const ATTRIBUTION_START = /^(?:On|Am|Le|El|Il|Em|Op|Den|Dne|Dnia|W dniu)\b/;

/** Own text of a plain one; where there is none, what it quotes. */
function plainPreview(text: string): string {
  // Begins with a line that is not empty.
  const own: string[] = [];
  const quoted: string[] = [];
  let signature = false;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (SIGNED.test(line)) signature = true;
    else if (signature) signature = line !== "";
    else if (line.startsWith(">")) {
      if (quoted.length === 0) dropAttribution(own);
      quoted.push(line.replace(/^[>\s]+/, ""));
    } else if (END.test(line) || (ORIGINAL.test(line) && own.length > 0)) break;
    else if (line === "" && own.length === 0) continue;
    else if (!RULE.test(line) && !ORIGINAL.test(line)) own.push(line);
  }
  return own.length === 0 ? quoted.join(" ") : own.join(" ");
}

/** Removes "On Monday Ann wrote:" from the end, in one line or two. */
function dropAttribution(own: string[]): void {
  while (own.at(-1) === "") own.pop();
  const last = own.at(-1);
  if (last === undefined || !last.endsWith(":") || last.length > 200) return;
  own.pop();
  if (!ATTRIBUTION_START.test(last) && ATTRIBUTION_START.test(own.at(-1) ?? "")) own.pop();
}

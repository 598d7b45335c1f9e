/** Encoded words in header text. @see RFC 2047 */

import { decodeCharset, decodeUnlabelled } from "./charset.ts";

interface EncodedWord {
  readonly charset: string;
  /** latin1 string of the decoded bytes. */
  readonly bytes: string;
  /** As it stands in the header. */
  readonly source: string;
}

/**
 * Decodes the encoded words of an unfolded latin1 text; all else is taken as 8-bit text. Blanks
 * between two words vanish, and a character split over words of one charset is put together,
 * which RFC 2047 §5 forbids but mailers do.
 */
export function decodeWords(text: string): string {
  if (!text.includes("=?")) return decodeUnlabelled(text);
  let decoded = "";
  let end = 0;
  let run: EncodedWord[] = [];
  const decoders: Decoders = new Map();
  for (const match of text.matchAll(/=\?([^?\s]+)\?([bBqQ])\?([^?\r\n]*)\?=/g)) {
    const word = parseWord(match[0], match[1], match[2], match[3]);
    if (word === undefined) continue;
    const gap = text.slice(end, match.index);
    if (run.length === 0 || /[^ \t]/.test(gap)) {
      decoded += decodeRun(run, decoders) + decodeUnlabelled(gap);
      run = [];
    }
    run.push(word);
    end = match.index + match[0].length;
  }
  return decoded + decodeRun(run, decoders) + decodeUnlabelled(text.slice(end));
}

function parseWord(
  source: string,
  charset: string,
  encoding: string,
  text: string,
): EncodedWord | undefined {
  if (encoding === "q" || encoding === "Q") return { charset, bytes: decodeQ(text), source };
  try {
    return { charset, bytes: atob(withoutPadding(text)), source };
  } catch {
    return undefined;
  }
}

/** A loop: a pattern that ends in "$" looks at each row of "=" from each of its places. */
function withoutPadding(base64: string): string {
  let end = base64.length;
  while (end > 0 && /[\s=]/.test(base64[end - 1])) end--;
  return base64.slice(0, end);
}

/** @see RFC 2047 §4.2 */
function decodeQ(text: string): string {
  return text.replaceAll("_", " ").replace(
    /=([0-9A-Fa-f]{2})/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
}

type Decoders = Parameters<typeof decodeCharset>[2];

function decodeRun(run: readonly EncodedWord[], decoders: Decoders): string {
  let decoded = "";
  for (let first = 0; first < run.length;) {
    const charset = run[first].charset.toLowerCase();
    let bytes = "";
    let next = first;
    while (next < run.length && run[next].charset.toLowerCase() === charset) {
      bytes += run[next++].bytes;
    }
    decoded += decodeCharset(bytes, charset, decoders) ??
      run.slice(first, next).map((word) => word.source).join(" ");
    first = next;
  }
  return decoded;
}

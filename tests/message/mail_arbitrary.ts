/** Random mail for property tests. */

import fc from "fast-check";
import { bytesFromLatin1 } from "../../src/message/latin1.ts";

/** Pieces that parsers stumble over, in no sensible order: wire form is not guaranteed. */
const FRAGMENTS = [
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "--",
  "--b",
  "--b--",
  "--bb",
  "\r\n--b\r\n",
  "\r\n--bb\r\n",
  "\r\n--bb--\r\n",
  "\r\n--b--\r\n",
  "Content-Type: multipart/mixed; boundary=b\r\n",
  'Content-Type: multipart/digest; boundary="bb"\r\n',
  "Content-Type: message/rfc822\r\n",
  "Content-Type: text/plain; charset=utf-8\r\n",
  "Content-Type: text/html; charset=iso-2022-jp\r\n",
  "Content-Type: text/plain; charset=shift_jis\r\n",
  "Content-Transfer-Encoding: base64\r\n",
  "Content-Transfer-Encoding: quoted-printable\r\n",
  "Content-Disposition: attachment; filename*0*=utf-8''%C3%A4; filename*1=\"x\r\n y\"\r\n",
  "Content-Language: en, de (x)\r\n",
  "Subject: =?utf-8?q?J=C3=B6?= =?utf-8?b?w7Y=?=\r\n",
  "From: A <a@b>, g: c@d (x), e;\r\n",
  'To: "q\\"x" <@r,@s:u@h>\r\n',
  "Date: Tue, 10 Feb 2026 10:00:00 +0100\r\n",
  "X-Mailer: y\r\n\tfolded\r\n",
  "=\r\n",
  "=C3=A9",
  "=E9=",
  "SGVsbG8g\r\nV29ybGQ=",
  "w6",
  "n\xc3\xa9",
  "\xe9\x80\xff",
  "\x1b$B\x46\x7c\x1b(B",
  "needle",
  "nee",
  "dle",
  "\0",
  "(",
  '"',
  ":",
  " ",
];

/** A latin1 string of mail-like garbage. */
export const garbageMail: fc.Arbitrary<string> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...FRAGMENTS) },
    { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 20 }) },
  ),
  { maxLength: 40 },
).map((fragments) => fragments.join(""));

/** A well-formed part as a model, from which its text and structure follow. */
export type PartModel =
  | { readonly kind: "text"; readonly lines: readonly string[] }
  | { readonly kind: "message"; readonly content: PartModel }
  | {
    readonly kind: "multipart";
    readonly parts: readonly PartModel[];
    readonly preamble: boolean;
    readonly epilogue: boolean;
    readonly closed: boolean;
  };

/** Lines of text, some of which look a little like boundaries. */
const textLine = fc.oneof(
  fc.constantFrom("", "-- ", "--", "---", "-b0", " --b0", "--a", "plain text", "x".repeat(1100)),
  fc.string({ maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, "")).filter((text) =>
    !text.startsWith("--")
  ),
);

export const partModel: fc.Arbitrary<PartModel> = fc.letrec<{ part: PartModel }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.record({ kind: fc.constant("text" as const), lines: fc.array(textLine, { maxLength: 4 }) }),
    fc.record({ kind: fc.constant("message" as const), content: tie("part") }),
    fc.record({
      kind: fc.constant("multipart" as const),
      parts: fc.array(tie("part"), { minLength: 1, maxLength: 4 }),
      preamble: fc.boolean(),
      epilogue: fc.boolean(),
      closed: fc.boolean(),
    }),
  ),
})).part;

/** Where a part of a {@link PartModel} lies once it is written. */
export interface PlacedPart {
  readonly kind: PartModel["kind"];
  readonly at: readonly [headerStart: number, bodyStart: number, end: number];
  readonly children: readonly PlacedPart[];
}

/** Writes a message out in wire form (latin1) and says where its parts lie. */
export function writeMessage(model: PartModel): { text: string; placed: PlacedPart } {
  let text = "";
  let boundaries = 0;
  function write(part: PartModel): PlacedPart {
    const headerStart = text.length;
    if (part.kind === "text") {
      text += "Content-Type: text/plain\r\n\r\n";
      const bodyStart = text.length;
      text += part.lines.join("\r\n");
      return { kind: part.kind, at: [headerStart, bodyStart, text.length], children: [] };
    }
    if (part.kind === "message") {
      text += "Content-Type: message/rfc822\r\n\r\n";
      const bodyStart = text.length;
      const children = [write(part.content)];
      return { kind: part.kind, at: [headerStart, bodyStart, text.length], children };
    }
    // One boundary may be the beginning of another: b1, b10.
    const boundary = `b${boundaries++}`;
    text += `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n`;
    const bodyStart = text.length;
    if (part.preamble) text += "preamble\r\n";
    const children = part.parts.map((child) => {
      text += `--${boundary}\r\n`;
      const placed = write(child);
      text += "\r\n";
      return placed;
    });
    // Without its closing line a multipart ends where the line end before an outer boundary begins.
    if (part.closed) text += `--${boundary}--`;
    else text = text.slice(0, -2);
    if (part.closed && part.epilogue) text += "\r\nepilogue";
    return { kind: part.kind, at: [headerStart, bodyStart, text.length], children };
  }
  const placed = write(model);
  return { text, placed };
}

/** The same bytes in chunks, cut at the given places (taken modulo the length). */
export function chunked(latin1: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = bytesFromLatin1(latin1);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.slice(places[i - 1] ?? 0, end));
}

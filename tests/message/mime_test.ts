import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { bytesFromLatin1 } from "../../src/message/latin1.ts";
import {
  HEADER_LIMIT,
  locateSection,
  MimeParser,
  offsetsOf,
  type Part,
  type PartOffsets,
} from "../../src/message/mime.ts";
import {
  chunked,
  garbageMail,
  partModel,
  type PlacedPart,
  writeMessage,
} from "./mail_arbitrary.ts";
import { offsets, parse, parseLines } from "./parse.ts";

function childrenOf(part: Part): readonly Part[] {
  return part.message === undefined ? part.parts ?? [] : [part.message];
}

function placed(part: Part): PlacedPart {
  const kind = part.message !== undefined
    ? "message"
    : part.parts !== undefined
    ? "multipart"
    : "text";
  const at = [part.headerStart, part.bodyStart, part.end] as const;
  return { kind, at, children: childrenOf(part).map(placed) };
}

function allParts(part: Part): readonly Part[] {
  return [part, ...childrenOf(part).flatMap(allParts)];
}

Deno.test("MimeParser finds every part of a well-formed message where it was written", () => {
  fc.assert(fc.property(partModel, (model) => {
    const written = writeMessage(model);
    deepEqual(placed(parse(written.text)), written.placed);
  }));
});

Deno.test("MimeParser gives the same tree for any chunks", () => {
  fc.assert(fc.property(garbageMail, fc.array(fc.nat()), (text, cuts) => {
    const wire = text.replace(/(?<!\r)\n/g, "\r\n");
    const parser = new MimeParser();
    for (const chunk of chunked(wire, cuts)) {
      parser.push(chunk);
      chunk.fill(0x2d);
    }
    deepEqual(parser.end(), parse(wire));
  }));
});

Deno.test("MimeParser gives the same tree byte by byte", () => {
  fc.assert(fc.property(partModel, (model) => {
    const { text } = writeMessage(model);
    const parser = new MimeParser();
    for (const byte of bytesFromLatin1(text)) parser.push(Uint8Array.of(byte));
    deepEqual(parser.end(), parse(text));
  }));
});

Deno.test("MimeParser nests parts of any garbage within each other, in order, with true line counts", () => {
  fc.assert(fc.property(garbageMail, (text) => {
    const wire = text.replace(/(?<!\r)\n/g, "\r\n");
    const root = parse(wire);
    deepEqual([root.headerStart, root.end], [0, wire.length]);
    for (const part of allParts(root)) {
      ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.end);
      equal(part.lines, wire.slice(part.bodyStart, part.end).split("\n").length - 1);
      let from = part.bodyStart;
      for (const child of childrenOf(part)) {
        ok(from <= child.headerStart && child.end <= part.end);
        from = child.end;
      }
    }
  }));
});

Deno.test("MimeParser keeps the header of messages, not of body parts", () => {
  const { root } = parseLines(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: inner",
    "",
    "text",
    "--b--",
  );
  equal(root.header, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
  equal(root.parts?.[0].header, "");
  equal(root.parts?.[0].message?.header, "Subject: inner\r\n\r\n");
});

Deno.test("MimeParser takes the longest boundary that a line begins with", () => {
  const { wire, root } = parseLines(
    "Content-Type: multipart/mixed; boundary=ab",
    "",
    "--ab",
    "Content-Type: multipart/mixed; boundary=abc",
    "",
    "--abc",
    "",
    "one",
    "--abc and more",
    "",
    "two",
    "--abc--",
    "--ab and what follows does not matter",
    "",
    "three",
    "--ab--",
  );
  equal(root.parts?.length, 2);
  equal(root.parts?.[0].parts?.length, 2);
  equal(wire.slice(root.parts?.[1].bodyStart, root.parts?.[1].end), "three");
});

Deno.test("MimeParser prefers a line that is a whole boundary to a longer one", () => {
  const { root } = parseLines(
    "Content-Type: multipart/mixed; boundary=ab--",
    "",
    "--ab--",
    "Content-Type: multipart/mixed; boundary=ab",
    "",
    "--ab",
    "",
    "one",
    "--ab--",
    "--ab--",
    "",
    "two",
    "--ab----",
  );
  equal(root.parts?.length, 2);
  equal(root.parts?.[0].parts?.length, 1);
});

Deno.test("MimeParser ends a header without blank line at a boundary, wherever chunks end", () => {
  const wire = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
    "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n--b\r\n\r\ntwo\r\n--b--";
  const whole = parse(wire);
  equal(whole.parts?.length, 2);
  equal(whole.parts?.[0].message?.header, "Subject: inner\r\n");
  for (let cut = 0; cut <= wire.length; cut++) {
    const parser = new MimeParser();
    for (const chunk of chunked(wire, [cut])) parser.push(chunk);
    deepEqual(parser.end(), whole);
  }
});

Deno.test("MimeParser ends inner parts at an outer boundary", () => {
  const { root } = parseLines(
    "Content-Type: multipart/mixed; boundary=o",
    "",
    "--o",
    "Content-Type: multipart/mixed; boundary=i",
    "",
    "--i",
    "",
    "one",
    "--o",
    "",
    "--i",
    "--o--",
  );
  equal(root.parts?.length, 2);
  equal(root.parts?.[0].parts?.length, 1);
  equal(root.parts?.[1].parts, undefined);
});

Deno.test("MimeParser keeps only the start of a header that is too long, and counts all of it", () => {
  const field = `X-Pad: ${"x".repeat(1000)}\r\n`;
  const header = `Subject: kept\r\n${field.repeat(2000)}To: lost@example.org\r\n\r\n`;
  const root = parse(`${header}body`);
  ok(root.header.length <= HEADER_LIMIT && root.header.length > HEADER_LIMIT - 2000);
  ok(root.header.startsWith("Subject: kept\r\n") && root.header.endsWith("x\r\n"));
  deepEqual([root.bodyStart, root.end], [header.length, header.length + 4]);
});

Deno.test("MimeParser bounds the headers that it keeps of nested messages", () => {
  const inner = `X: ${"x".repeat(900_000)}\r\n\r\n`;
  const part = `--b\r\nContent-Type: message/rfc822\r\n\r\n${inner}\r\n`;
  const root = parse(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(20)}--b--`);
  equal(root.parts?.length, 20);
  const kept = allParts(root).reduce((sum, { header }) => sum + header.length, 0);
  ok(kept < 12_000_000, `kept ${kept}`);
});

Deno.test("MimeParser looks 100 levels deep and takes what is deeper for text", () => {
  const levels = 150;
  let wire = "";
  for (let i = 0; i < levels; i++) wire += "Content-Type: message/rfc822\r\n\r\n";
  let depth = 0;
  let part = parse(`${wire}\r\ntext`);
  for (; part.message !== undefined; part = part.message) depth++;
  equal(depth, 99);
  equal(part.content.contentType.type, "text");
  equal(part.end, wire.length + 6);
});

Deno.test("MimeParser splits multiparts 100 levels deep", () => {
  let wire = "";
  for (let i = 0; i < 150; i++) {
    wire += `Content-Type: multipart/mixed; boundary="=${i}="\r\n\r\n--=${i}=\r\n`;
  }
  let depth = 0;
  let part: Part | undefined = parse(`${wire}\r\ntext\r\n--=0=--`);
  for (; part?.parts !== undefined; part = part.parts[0]) depth++;
  equal(depth, 99);
  equal(part?.content.contentType.subtype, "plain");
});

Deno.test("MimeParser splits 1,000 parts", () => {
  const part = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n";
  const root = parse(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(1000)}--b--`);
  equal(root.parts?.length, 1000);
  equal(root.parts?.every(({ bodyStart, end }) => end - bodyStart === 1), true);
});

Deno.test("MimeParser gives the rest of a message with too many parts to the last one", () => {
  const part = "--b\r\n\r\nx\r\n";
  const wire = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(20_000)}--b--`;
  const root = parse(wire);
  equal(root.parts?.length, 9_999);
  equal(root.parts?.[9_998].end, wire.length);
});

Deno.test("MimeParser takes linear time where boundaries and candidates are many", () => {
  const depth = 99;
  const name = (i: number) => `${"b".repeat(60)}${i}`;
  let wire = "";
  for (let i = 0; i < depth; i++) {
    wire += `Content-Type: multipart/mixed; boundary=${name(i)}\r\n\r\n--${name(i)}\r\n`;
  }
  wire += `\r\n${`--${"b".repeat(60)}x\r\n`.repeat(20_000)}`;
  equal(parse(wire).end, wire.length);
});

Deno.test("MimeParser reads a line of any length and a message without any line", () => {
  const long = "-".repeat(3_000_000);
  const root = parse(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${long}\r\n--b--`,
  );
  equal(root.parts?.[0].end, (root.parts?.[0].bodyStart ?? 0) + long.length);
  equal(parse(long).bodyStart, long.length);
});

const MESSAGE = [
  "Content-Type: multipart/mixed; boundary=o",
  "",
  "--o",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: BASE64",
  "",
  "eA==",
  "--o",
  "Content-Type: message/rfc822",
  "",
  "Subject: two",
  "Content-Type: multipart/alternative; boundary=i",
  "",
  "--i",
  "",
  "2.1",
  "--i",
  "Content-Type: image/png",
  "",
  "2.2",
  "--i--",
  "--o",
  "Content-Type: message/rfc822",
  "",
  "Subject: three",
  "",
  "3.1",
  "--o--",
].join("\r\n");

Deno.test("offsetsOf says what text a part has, and survives JSON", () => {
  const root = offsets(MESSAGE);
  deepEqual(JSON.parse(JSON.stringify(root)), root);
  const first: PartOffsets | undefined = root.parts?.[0];
  deepEqual([first?.text, first?.encoding], ["utf-8", "base64"]);
  const [text, image] = root.parts?.[1].message?.parts ?? [];
  deepEqual([text.text, text.encoding], ["us-ascii", undefined]);
  equal(image.text, undefined);
});

function section(wire: string, path: number[], text: "" | "HEADER" | "TEXT" | "MIME" = "") {
  const found = locateSection(offsets(wire), path, text);
  return found && wire.slice(...found);
}

Deno.test("locateSection numbers parts as RFC 9051 §6.4.5.1 does", () => {
  equal(section(MESSAGE, []), MESSAGE);
  equal(section(MESSAGE, [], "HEADER"), MESSAGE.slice(0, 45));
  equal(section(MESSAGE, [], "TEXT"), MESSAGE.slice(45));
  equal(section(MESSAGE, [1]), "eA==");
  equal(section(MESSAGE, [2])?.startsWith("Subject: two\r\n"), true);
  equal(section(MESSAGE, [2], "MIME"), "Content-Type: message/rfc822\r\n\r\n");
  equal(section(MESSAGE, [2], "TEXT")?.startsWith("--i\r\n"), true);
  equal(section(MESSAGE, [2, 1]), "2.1");
  equal(section(MESSAGE, [2, 1], "MIME"), "\r\n");
  equal(section(MESSAGE, [2, 2], "MIME"), "Content-Type: image/png\r\n\r\n");
  equal(section(MESSAGE, [3], "HEADER"), "Subject: three\r\n\r\n");
  equal(section(MESSAGE, [3, 1]), "3.1");
});

Deno.test("locateSection knows no part that is not there", () => {
  equal(section(MESSAGE, [0]), undefined);
  equal(section(MESSAGE, [4]), undefined);
  equal(section(MESSAGE, [1, 1]), undefined);
  equal(section(MESSAGE, [3, 1, 1]), undefined);
  equal(section(MESSAGE, [3, 2]), undefined);
  equal(section(MESSAGE, [1], "HEADER"), undefined);
  equal(section(MESSAGE, [1], "TEXT"), undefined);
  equal(section(MESSAGE, [], "MIME"), undefined);
});

Deno.test("locateSection gives the body of a message without parts as part 1", () => {
  const wire = "Subject: x\r\n\r\nbody";
  equal(section(wire, [1]), "body");
  equal(section(wire, [1], "MIME"), "Subject: x\r\n\r\n");
  equal(section(wire, [1, 1]), undefined);
  equal(section(wire, [2]), undefined);
  const nested = `Content-Type: message/rfc822\r\n\r\n${wire}`;
  equal(section(nested, [1]), wire);
  equal(section(nested, [1], "HEADER"), "Subject: x\r\n\r\n");
  equal(section(nested, [1, 1]), "body");
});

Deno.test("offsetsOf keeps every place of a tree", () => {
  fc.assert(fc.property(garbageMail, (text) => {
    const root = parse(text.replace(/(?<!\r)\n/g, "\r\n"));
    const places = (part: PartOffsets): unknown => [
      part.at,
      (part.parts ?? (part.message ? [part.message] : [])).map(places),
    ];
    const expected = (part: Part): unknown => [
      [part.headerStart, part.bodyStart, part.end],
      childrenOf(part).map(expected),
    ];
    deepEqual(places(offsetsOf(root)), expected(root));
  }));
});

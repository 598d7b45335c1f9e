import assert from "node:assert/strict";
import { BinaryParts } from "../../src/message/binary_parts.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";

/** Sends `message` in pieces of `size`. */
function converted(message: string, size = message.length): string {
  const parts = new BinaryParts();
  const bytes = bytesFromLatin1(message);
  let out = "";
  for (let at = 0; at < bytes.length; at += size) {
    out += latin1FromBytes(parts.push(bytes.slice(at, at + size)));
  }
  return out + latin1FromBytes(parts.end());
}

const CONTENT = Array.from({ length: 600 }, (_, i) => String.fromCharCode(i % 256)).join("");

function multipart(encoding: string, content: string): string {
  return "Content-Type: multipart/mixed; boundary=xx\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
    `preamble\r\n--xx\r\n\r\ntext\r\n--xx\r\nContent-Type: a/b\r\n${encoding}\r\n${content}\r\n` +
    "--xx--\r\nepilogue\r\n";
}

const BINARY = "Content-Transfer-Encoding: Binary\r\n";

Deno.test("BinaryParts: leaves what is not binary as it is", () => {
  for (
    const message of [
      "",
      "x",
      "a: b\r\n\r\nbody",
      multipart("", "a\r\n--x").replace("binary", "8bit"),
    ]
  ) {
    for (const size of [1, 3, 1000]) assert.equal(converted(message, size), message);
  }
});

Deno.test("BinaryParts: turns a message into base64, to its last octet", () => {
  for (const content of ["", "x", "\r\n", "\0\r\n", CONTENT, CONTENT.slice(0, 114), "\n--xx\n\n"]) {
    const message = `Subject: a\r\n${BINARY}X: y\r\n\r\n${content}`;
    for (const size of [1, 2, 7, 5000]) {
      const [head, body] = converted(message, size).split("\r\n\r\n");
      assert.equal(head, "Subject: a\r\nContent-Transfer-Encoding: base64\r\nX: y");
      assert.equal(atob((body ?? "").replaceAll("\r\n", "")), content);
      assert.ok((body ?? "").split("\r\n").every((line) => line.length <= 76));
    }
  }
});

Deno.test("BinaryParts: turns a part of a multipart into base64", () => {
  for (const size of [1, 2, 7, 5000]) {
    const out = converted(multipart(BINARY, CONTENT), size);
    const part = out.split("--xx\r\n")[2].split("\r\n--xx--")[0];
    const [head, body] = part.split("\r\n\r\n");
    assert.equal(head, "Content-Type: a/b\r\nContent-Transfer-Encoding: base64");
    assert.equal(atob(body.replaceAll("\r\n", "")), CONTENT);
    assert.match(
      out,
      /^Content-Type: multipart\/mixed; boundary=xx\r\nContent-Transfer-Encoding: 8bit\r\n/,
    );
    assert.match(out, /\r\n--xx--\r\nepilogue\r\n$/);
  }
});

Deno.test("BinaryParts: looks into messages in messages", () => {
  const message = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
    `From: a\r\n${BINARY}\r\n\0`;
  assert.equal(
    converted(message),
    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
      "From: a\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==",
  );
});

Deno.test("BinaryParts: replaces a folded field as a whole", () => {
  assert.equal(
    converted("Content-Transfer-Encoding:\r\n binary\r\n\t(why)\r\nA: b\r\n\r\nx"),
    "Content-Transfer-Encoding: base64\r\nA: b\r\n\r\neA==",
  );
});

Deno.test("BinaryParts: holds no more of a header than counts, also of a line without an end", () => {
  const parts = new BinaryParts();
  const piece = new Uint8Array(1 << 16).fill(0x61);
  let given = 0;
  let passed = 0;
  while (given < 1 << 23) {
    given += piece.length;
    passed += parts.push(piece).length;
    assert.ok(given - passed <= (1 << 20) + 2 * piece.length, `${given - passed} octets are held`);
  }
  assert.equal(passed + parts.end().length, given);
});

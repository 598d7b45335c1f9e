/** Any message, in any chunking, keeps what its binary parts hold, and nothing makes it fail. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { BinaryParts } from "../../src/message/binary_parts.ts";
import { bytesFromLatin1, latin1FromBytes } from "../../src/message/latin1.ts";

const RUNS = Number(Deno.env.get("IMAPD_FUZZ_RUNS") ?? 300);

const PIECES = fc.array(
  fc.oneof(
    fc.constantFrom(
      "\r\n",
      "\n",
      "--b",
      "--b--",
      "--bc",
      "\r\n--b\r\n",
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "Content-Type: multipart/digest; boundary=bc\r\n",
      "Content-Type: message/rfc822\r\n",
      "Content-Transfer-Encoding: binary\r\n",
      "Content-Transfer-Encoding:\r\n binary\r\n",
    ),
    fc.string({ unit: "binary", maxLength: 80 }).map((text) =>
      latin1FromBytes(bytesFromLatin1(text))
    ),
  ),
  { maxLength: 30 },
).map((pieces) => pieces.join(""));

function converted(message: string, size: number): string {
  const parts = new BinaryParts();
  const bytes = bytesFromLatin1(message);
  let out = "";
  for (let at = 0; at < bytes.length; at += size) {
    out += latin1FromBytes(parts.push(bytes.slice(at, at + size)));
  }
  return out + latin1FromBytes(parts.end());
}

Deno.test("BinaryParts: pieces of any size give the same", () => {
  fc.assert(
    fc.property(PIECES, fc.integer({ min: 1, max: 50 }), (message, size) => {
      assert.equal(converted(message, size), converted(message, message.length || 1));
    }),
    { numRuns: RUNS },
  );
});

Deno.test("BinaryParts: the content of a binary part comes out whole", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 1000 }),
      fc.integer({ min: 1, max: 99 }),
      (bytes, size) => {
        const head = "Content-Transfer-Encoding: binary\r\n\r\n";
        const body = converted(head + latin1FromBytes(bytes), size).split("\r\n\r\n")[1] ?? "";
        assert.deepEqual(bytesFromLatin1(atob(body.replaceAll("\r\n", ""))), bytes);
      },
    ),
    { numRuns: RUNS },
  );
});

/** No bytes that a proxy may send make the reader of PROXY headers fail in an unforeseen way. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { isIP } from "node:net";
import { ProxyHeaderFault, readProxyHeader } from "../../src/net/proxy_header.ts";
import { ADDRESSES_4, ADDRESSES_6, header, PROXY, ssl, TCP4, TCP6 } from "../net/proxy_bytes.ts";

const VALID = [
  Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n"),
  Buffer.from("PROXY TCP6 2001:db8::7 2001:db8::1 1234 143\r\n"),
  Buffer.from("PROXY UNKNOWN\r\n"),
  header(PROXY, TCP4, ADDRESSES_4, ssl(1)),
  header(PROXY, TCP6, ADDRESSES_6),
];

function outcome(bytes: Uint8Array): unknown {
  try {
    return readProxyHeader(bytes);
  } catch (error) {
    assert.ok(error instanceof ProxyHeaderFault, String(error));
    return error.message;
  }
}

const damaged = fc.record({
  valid: fc.constantFrom(...VALID),
  edits: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  more: fc.uint8Array({ maxLength: 64 }),
}).map(({ valid, edits, more }) => {
  const bytes = Buffer.concat([valid, more]);
  for (const [at, octet] of edits) bytes[at % bytes.length] = octet;
  return bytes;
});

Deno.test("readProxyHeader() reads any bytes, or says what is wrong with them", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
      const header = outcome(bytes);
      if (typeof header !== "object" || header === null) return;
      const { length, source } = header as { length: number; source: string | undefined };
      assert.ok(length >= 15 && length <= Math.min(bytes.length, 4096));
      assert.ok(source === undefined || source === "unix" || isIP(source) !== 0);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("readProxyHeader() says the same however the bytes come", () => {
  fc.assert(
    fc.property(damaged, (bytes) => {
      const whole = outcome(bytes);
      for (let size = 0; size < bytes.length; size++) {
        const part = outcome(bytes.subarray(0, size));
        if (part !== undefined) return assert.deepEqual(part, whole);
      }
    }),
    { numRuns: 1000 },
  );
});

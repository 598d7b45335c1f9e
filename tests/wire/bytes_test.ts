import assert from "node:assert/strict";
import fc from "fast-check";
import { isAscii, latin1, latin1Bytes } from "../../src/wire/bytes.ts";

const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);

Deno.test("latin1: makes each byte the char of its number, in short and long arrays", () => {
  for (const times of [0, 1, 100]) {
    const bytes = new Uint8Array(times * 256);
    for (let i = 0; i < times; i++) bytes.set(ALL_BYTES, i * 256);
    const text = latin1(bytes);
    assert.equal(text.length, bytes.length);
    for (let i = 0; i < bytes.length; i++) assert.equal(text.charCodeAt(i), bytes[i]);
  }
  assert.equal(latin1(ALL_BYTES.subarray(0x80, 0xa0)).charCodeAt(0), 0x80);
});

Deno.test("latin1Bytes: undoes latin1", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
    assert.deepEqual(latin1Bytes(latin1(bytes)), bytes);
  }));
});

Deno.test("isAscii: is true for 7-bit text", () => {
  assert.equal(isAscii("\x00a\x7f"), true);
  assert.equal(isAscii("a\x80"), false);
});

import { strictEqual } from "node:assert/strict";
import { HeaderOctets } from "../../src/message/header_octets.ts";
import { latin1Bytes } from "../../src/wire/bytes.ts";

/** Whether it is found, the message coming in pieces of `size` octets. */
function found(message: string, size: number): boolean {
  const header = new HeaderOctets();
  const octets = latin1Bytes(message);
  for (let i = 0; i < octets.length; i += size) header.push(octets.subarray(i, i + size));
  return header.eightBit;
}

const CASES: readonly (readonly [string, boolean])[] = [
  ["", false],
  ["Subject: a\r\n\r\n\xc3\xbc", false],
  ["Subject: a\n\n\xc3\xbc", false],
  ["Subject: \xc3\xbc\r\n\r\nb", true],
  ["A: b\r\nSubject: \xfc", true],
  ["\r\n\xc3\xbc", false],
  ["A: b\r\r\nC: \xfc\r\n\r\n", true],
];

Deno.test("HeaderOctets.push: finds octets above 127 before the first empty line only", () => {
  for (const [message, wanted] of CASES) {
    for (const size of [1, 2, 3, 100]) strictEqual(found(message, size), wanted, message);
  }
});

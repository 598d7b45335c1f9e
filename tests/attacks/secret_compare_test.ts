// CVE-2026-27856: a server compared a secret octet by octet up to the first difference, so that the
// time told how much of a guess was right. Here the octets that are looked at are counted.

import assert from "node:assert/strict";
import { equalBytes } from "../../src/auth/sasl/scram_keys.ts";
import { Access } from "../../src/monitoring/access.ts";

/** Octets that a comparison with `secret` looks at. */
function looks(secret: Uint8Array, guess: Uint8Array): number {
  let count = 0;
  const counted = new Proxy(secret, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) count++;
      return Reflect.get(target, key);
    },
  });
  assert.equal(equalBytes(guess, counted), guess.every((octet, i) => octet === secret[i]));
  return count;
}

Deno.test("secret comparison: looks at as much whatever is wrong of a guess (CVE-2026-27856)", () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const guesses = [0, 1, 16, 31].map((wrong) =>
    secret.map((octet, i) => i === wrong ? ~octet : octet)
  );
  for (const guess of [...guesses, secret, new Uint8Array(32)]) {
    assert.equal(looks(secret, guess), 32);
  }
  for (const length of [0, 1, 31, 33, 64]) assert.ok(!equalBytes(new Uint8Array(length), secret));
  assert.ok(!equalBytes(secret, secret.slice(0, 16)), "a part that repeats is no secret");
  assert.ok(!equalBytes(new Uint8Array(4), new Uint8Array(2)));
});

Deno.test("secret comparison: no beginning of the token of the status page is taken for it", () => {
  const access = new Access("a token of some length", new Uint8Array(32));
  for (
    const guess of [
      "",
      "a",
      "a token of some lengt",
      "a token of some length\0",
      "A TOKEN OF SOME LENGTH",
    ]
  ) {
    assert.equal(access.isToken(guess), false, guess);
  }
  assert.equal(access.isToken("a token of some length"), true);
});

Deno.test("secret comparison: nothing in the code of logins stops at the first difference", async () => {
  const compare =
    /(?:password|secret|token|hash|proof|storedKey|signature)\s*[!=]==\s*(?![\s=]|undefined|null|"")/i;
  const found: string[] = [];
  async function look(dir: string) {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = `${dir}/${name}`;
      if (isDirectory) await look(path);
      else {
        const lines = (await Deno.readTextFile(path)).split("\n");
        for (const line of lines) {
          if (compare.test(line) && !/\.(?:length|name|hash|algorithm)\b|typeof/.test(line)) {
            found.push(`${path}: ${line.trim()}`);
          }
        }
      }
    }
  }
  await look(new URL("../../src/auth", import.meta.url).pathname);
  assert.deepEqual(found, []);
});

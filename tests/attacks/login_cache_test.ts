// CVE-2025-30189: a cache of logins took one user for another.

import assert from "node:assert/strict";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** bcrypt (cost 4) of "secret": all of them have the same value in the table. */
const HASH = "$2a$04$p9YIi8TXWWDhzmsLRraC.OqTYO05Xe1pTcHzxt11Y6HHRLWpjbwvq";

/** Of each of these and "secret" the other ones are a part, or the same text put together. */
const NAMES = ["c", "cs", "cse", "csecret", "secret"];

const GUESSES: readonly (readonly [string, string])[] = [
  ["cs", "ecret"],
  ["cse", "cret"],
  ["c", "ssecret"],
  ["csecret", ""],
  ["secret", "c"],
  ["c\0", "secret"],
  ["C", "secret "],
  ["c", "secret\0"],
  ["c", HASH],
];

Deno.test("login cache: what one user knows lets in no other one (CVE-2025-30189)", async () => {
  await using server = await startServer({
    auth: 'cache = "10m"',
    users: NAMES.map((name) => `${name}: bcrypt:${HASH}\n`).join(""),
  });
  const attempt = async (name: string, password: string): Promise<string> => {
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    const plain = new TextEncoder().encode(`\0${name}\0${password}`).toBase64();
    return (await client.command(`AUTHENTICATE PLAIN ${plain}`)).pop() ?? "";
  };
  for (let round = 0; round < 2; round++) {
    for (const name of NAMES) {
      await using client = await RawConnection.login(server.tlsPort, name, "secret");
      await client.ok(`SETMETADATA "" (/private/comment "${name}")`);
      const [line] = await client.ok('GETMETADATA "" /private/comment');
      assert.equal(line, `* METADATA "" (/private/comment "${name}")`);
    }
    const replies = await Promise.all(GUESSES.map(([name, password]) => attempt(name, password)));
    for (const [i, reply] of replies.entries()) {
      assert.match(reply, /^t1 (NO|BAD) /, JSON.stringify(GUESSES[i]));
    }
  }
  // At the same moment, when each could share the other's check.
  const wrong = NAMES.map((name) => attempt(name, "wrong"));
  const right = NAMES.map((name) => attempt(name, "secret"));
  for (const reply of await Promise.all(wrong)) assert.match(reply, /^t1 NO /);
  for (const reply of await Promise.all(right)) assert.match(reply, /^t1 OK /);
});

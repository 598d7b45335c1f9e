// Patterns that a backtracking engine takes exponential time for, in the admin's config; what they are
// matched with is the name that anybody can try to log in with.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const PATTERNS = [
  "(a+)+",
  "(a|a)*",
  "(a|aa)+",
  "([a-z]+)*@(a+)+",
  "(.*)*(.*)*(.*)*=",
  "(a?){50}a{50}",
];

Deno.test("regexp table: no pattern takes longer than its key is long", async () => {
  const steps = PATTERNS.map((pattern) => `{ optional_step = ["regexp", "${pattern}", "nobody"] }`);
  await using server = await startServer({
    imap: `auth_map = { module = "chain", steps = [${steps.join(", ")}] }`,
  });
  for (const name of ["a".repeat(1000) + "!", "a".repeat(500) + "@" + "a".repeat(500) + "b"]) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    const reply = (await client.command(`LOGIN ${name} x`)).pop() ?? "";
    assert.match(reply, /^t1 NO \[AUTHENTICATIONFAILED\] /);
    await using other = await RawConnection.plain(server.port);
    await other.line();
    await other.ok(`LOGIN ${server.freshUser()} ${PASSWORD}`);
  }
});

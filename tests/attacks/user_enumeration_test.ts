// Answers that differ tell an attacker which users exist.

import assert from "node:assert/strict";
import { startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("login: an unknown user and a wrong password get the same answer", async () => {
  await using server = await startServer();
  const known = server.freshUser();
  const names = [known, "nobody", `${known}x`, known.toUpperCase(), "root", "u".repeat(200)];
  const forms = [
    (name: string) => `LOGIN "${name}" "wrong"`,
    (name: string) => `LOGIN "${name}" ""`,
    (name: string) => `AUTHENTICATE PLAIN ${btoa(`\0${name}\0wrong`)}`,
  ];
  for (const form of forms) {
    const answers = new Set<string>();
    for (const name of names) {
      await using client = await RawConnection.tls(server.tlsPort);
      await client.line();
      answers.add((await client.command(form(name))).join("\n"));
    }
    assert.equal(answers.size, 1, [...answers].join("\n"));
    assert.match([...answers][0], /^t1 NO \[AUTHENTICATIONFAILED\] [^\n]*$/);
  }
});

// A name takes the server longer than it takes the client to send it.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** Letters in several scripts, in forms of other widths, and around joiners. */
const LETTERS = [
  "a",
  "\u00e9",
  "\u0627",
  "\uff41",
  "\u05d0",
  "\u200d1\u0627",
  "\u0915\u094d\u200d",
];

Deno.test("login: a name of a hundred thousand letters holds nobody up", async () => {
  const imap = 'limits = { literals_before_login = "1 MiB" }';
  await using server = await startServer({ imap });
  for (const letter of LETTERS) {
    const name = new TextEncoder().encode(letter.repeat(100_000));
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    await client.send(`a LOGIN {${name.length}+}\r\n`);
    await client.send(name);
    await client.send(" wrong\r\n");
    // Others wait for as long as the server works on the name.
    await using other = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
    await other.ok("NOOP");
    assert.match(await client.line() ?? "", /^a NO \[AUTHENTICATIONFAILED\] /);
  }
});

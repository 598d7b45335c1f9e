// A client sends as many messages in one APPEND as it can, to fill the memory or the disk.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, residentMemory } from "./memory.ts";

async function loggedIn(port: number): Promise<RawConnection> {
  const client = await RawConnection.plain(port);
  await client.line();
  await client.ok(`LOGIN u1 ${PASSWORD}`);
  return client;
}

Deno.test("MULTIAPPEND: messages that wait for the others are not held in memory", async () => {
  await using server = await startServer();
  await using client = await loggedIn(server.port);
  const before = await residentMemory(server.pid);
  const octets = 250 * 1024;
  const message = new Uint8Array(octets).fill(0x61);
  await client.send("b APPEND INBOX");
  // 700 of them would be 175 MiB, and what indexes them as much again.
  for (let i = 0; i < 700; i++) {
    await client.send(` {${octets}+}\r\n`);
    await client.send(message);
  }
  await assertBounded(server.pid, before);
  await client.send(" nonsense\r\n");
  assert.match(await client.line() ?? "", /^b BAD /);
  await client.ok("NOOP");
});

Deno.test("MULTIAPPEND: too many messages are refused, and leave nothing", async () => {
  await using server = await startServer();
  await using client = await loggedIn(server.port);
  await client.send(`b APPEND INBOX${" {1+}\r\nx".repeat(1001)}\r\n`);
  assert.match(await client.line() ?? "", /^b NO \[LIMIT\] /);
  await client.send("c STATUS INBOX (MESSAGES)\r\n");
  assert.equal(await client.line(), "* STATUS INBOX (MESSAGES 0)");
  assert.match(await client.line() ?? "", /^c OK /);
});

// A client sends a line that never ends.

import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, FLOOD_MIB, MIB, residentMemory } from "./memory.ts";

async function bomb(server: TestServer, client: RawConnection, start: string): Promise<void> {
  const before = await residentMemory(server.pid);
  const piece = new Uint8Array(MIB).fill(0x61);
  await client.send(start);
  for (let sent = 0; sent < FLOOD_MIB && !client.ended; sent++) await client.send(piece);
  await assertBounded(server.pid, before);
  await client.send("\r\n");
  const reply = await client.line() ?? "* BYE";
  assert.match(reply, /^(a|\*) (BAD|NO|BYE)/);
}

Deno.test("line before login: a flood without an end is refused in bounded memory", async () => {
  await using server = await startServer();
  for (const start of ["", "a LOGIN ", 'a LOGIN "']) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await bomb(server, client, start);
  }
});

Deno.test("line after login: a flood without an end is refused in bounded memory", async () => {
  await using server = await startServer();
  for (const start of ["a FETCH 1", "a SEARCH TEXT "]) {
    await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
    await bomb(server, client, start);
  }
});

Deno.test("line in a continuation: a flood without an end is refused in bounded memory", async () => {
  await using server = await startServer();
  await using login = await RawConnection.tls(server.tlsPort);
  await login.line();
  await login.send("a AUTHENTICATE PLAIN\r\n");
  assert.match(await login.line() ?? "", /^\+/);
  await bomb(server, login, "");

  await using idle = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await idle.send("a IDLE\r\n");
  assert.match(await idle.line() ?? "", /^\+/);
  await bomb(server, idle, "");
});

Deno.test("line after login: a UID list of some 30 KB is no attack", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await client.ok("SELECT INBOX");
  const uids = Array.from({ length: 6000 }, (_, i) => 2 * i + 1).join(",");
  await client.ok(`UID FETCH ${uids} (FLAGS)`);
});

// A client announces, or sends, a literal that would fill the memory, before it has logged in.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, FLOOD_MIB, MIB, residentMemory } from "./memory.ts";

const HUGE = ["4294967295", "4294967296", "18446744073709551616", "9".repeat(40)];

Deno.test("literal before login: a huge one is refused without a continuation", async () => {
  await using server = await startServer();
  for (const size of HUGE) {
    for (const command of ["LOGIN", "LOGIN u1", "AUTHENTICATE", "ID (name", "XYZZY"]) {
      await using client = await RawConnection.plain(server.port);
      await client.line();
      await client.send(`a ${command} {${size}}\r\n`);
      const reply = await client.line() ?? "* BYE";
      assert.match(reply, /^(a|\*) (BAD|NO|BYE)/, `${command} {${size}}`);
    }
  }
});

Deno.test("literal before login: a huge one that is sent anyhow does not fill the memory", async () => {
  await using server = await startServer();
  const before = await residentMemory(server.pid);
  const piece = new Uint8Array(MIB).fill(0x61);
  for (const size of HUGE) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.send(`a LOGIN {${size}+}\r\n`);
    for (let sent = 0; sent < FLOOD_MIB && !client.ended; sent++) await client.send(piece);
    await assertBounded(server.pid, before);
    if (!client.ended) await client.close();
  }
  await using other = await RawConnection.plain(server.port);
  await other.line();
  await other.ok("NOOP");
});

Deno.test("literal before login: many small ones in one command are bounded together", async () => {
  await using server = await startServer();
  const before = await residentMemory(server.pid);
  await using client = await RawConnection.plain(server.port);
  await client.line();
  const literals = `{32768+}\r\n${"x".repeat(32768)} `.repeat(32);
  await client.send("a ID (");
  for (let sent = 0; sent < FLOOD_MIB && !client.ended; sent++) await client.send(literals);
  await client.send("NIL)\r\n");
  await assertBounded(server.pid, before);
  const reply = await client.line() ?? "* BYE";
  assert.match(reply, /^(a|\*) (BAD|NO|BYE)/);
});

Deno.test("literal after login: APPEND above APPENDLIMIT is refused before it is sent", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  for (const size of ["4294967295", "104857601"]) {
    await client.send(`a APPEND INBOX {${size}}\r\n`);
    assert.match(await client.line() ?? "", /^a (NO \[(TOOBIG|LIMIT)\]|BAD)/);
  }
  await client.send("b SELECT {4294967295}\r\n");
  const reply = await client.line() ?? "* BYE";
  assert.match(reply, /^(b|\*) (BAD|NO|BYE)/);
});

Deno.test("literal bomb: literals of one SEARCH are bounded together (CVE-2024-34055)", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  const before = await residentMemory(server.pid);
  const piece = new Uint8Array(MIB / 4).fill(0x61);
  // As long as there is no limit of their sum this is as much as a flood.
  await client.send("a SEARCH");
  for (let sent = 0; sent < 4 * FLOOD_MIB && !client.ended; sent++) {
    await client.send(` TEXT {${piece.length}+}\r\n`);
    await client.send(piece);
  }
  await client.send("\r\n");
  assert.match(await client.line() ?? "* BYE", /^(a (NO|BAD)|\* BYE) /);
  await assertBounded(server.pid, before);
});

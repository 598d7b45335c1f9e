// A client compresses a line that never ends, or sends what is no DEFLATE.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, FLOOD_MIB, MIB, residentMemory } from "./memory.ts";

function packed(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}

async function compressed(server: TestServer): Promise<RawConnection> {
  const client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.ok("COMPRESS DEFLATE");
  return client;
}

Deno.test("compression bomb: what a few octets swell to is refused in bounded memory", async () => {
  await using server = await startServer();
  await using client = await compressed(server);
  const before = await residentMemory(server.pid);
  await client.send(packed(Buffer.from("a FETCH 1")));
  const piece = packed(new Uint8Array(MIB).fill(0x61));
  for (let sent = 0; sent < FLOOD_MIB && !client.ended; sent++) await client.send(piece);
  await assertBounded(server.pid, before);
  await using other = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await other.ok("NOOP");
});

Deno.test("compression bomb: a literal is held to its limit", async () => {
  await using server = await startServer();
  await using client = await compressed(server);
  const before = await residentMemory(server.pid);
  await client.send(packed(Buffer.from(`a SEARCH SUBJECT {${FLOOD_MIB * MIB}+}\r\n`)));
  const piece = packed(new Uint8Array(MIB));
  for (let sent = 0; sent < FLOOD_MIB && !client.ended; sent++) await client.send(piece);
  await assertBounded(server.pid, before);
});

Deno.test("broken compression: ends the connection, and the log tells so", async () => {
  await using server = await startServer();
  for (const bytes of ["b NOOP\r\n", "\xff\xff\xff\xff", "\x06\x00\xff"]) {
    await using client = await compressed(server);
    await client.send(Buffer.from(bytes, "latin1"));
    assert.equal(await client.line(), undefined);
  }
  assert.match(server.log(), /compressed stream is broken/);
});

Deno.test("compression before login: is refused, and nothing is inflated", async () => {
  await using server = await startServer();
  for (const port of [server.port, server.tlsPort]) {
    await using client = port === server.port
      ? await RawConnection.plain(port)
      : await RawConnection.tls(port);
    await client.line();
    await client.send("a COMPRESS DEFLATE\r\n");
    assert.match(await client.line() ?? "", /^a BAD Log in first/);
    await client.send(packed(Buffer.from("b NOOP\r\n")));
    await client.send("\r\nc NOOP\r\n");
    const lines = await client.until("c");
    assert.ok(!lines.some((line) => line.startsWith("b OK")), lines.join("\n"));
  }
});

// Thousands of connections that say nothing, or begin a handshake and never end it.

import assert from "node:assert/strict";
import net from "node:net";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { MIB, residentMemory } from "./memory.ts";

const WANTED = 9000;
/** From one address, so that no limit of one address is in play. */
const EACH = 45;
/** What the test and the server need besides. */
const SPARE = 500;

/** A TLS record that promises a ClientHello of 512 octets, and holds the first of them. */
const HELLO_BEGUN = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1, 2, 3);

async function openFiles(pid: number | "self"): Promise<number> {
  const limits = await Deno.readTextFile(`/proc/${pid}/limits`);
  return Number(limits.match(/^Max open files +(\d+)/m)?.[1]);
}

function connect(port: number, from: number): Promise<net.Socket> {
  const localAddress = `127.9.${from >> 8}.${from & 255}`;
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  socket.on("error", () => {});
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("close", () => reject(new Error("The connection was refused")));
  });
}

async function halfOpen(server: TestServer, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  const step = 250;
  for (let at = 0; at < count; at += step) {
    const more = Array.from({ length: Math.min(step, count - at) }, async (_, i) => {
      const from = 1 + Math.floor((at + i) / EACH);
      const tls = (at + i) % 3 === 0;
      const socket = await connect(tls ? server.tlsPort : server.port, from);
      if (tls && i % 2 === 0) socket.write(HELLO_BEGUN);
      if (!tls && i % 2 === 0) socket.write("a LOG");
      return socket;
    });
    sockets.push(...await Promise.all(more));
  }
  return sockets;
}

Deno.test("half-open connections: 9,000 of them keep nobody out, and cost little memory", async () => {
  // The limits on connections, not the time, are what lets them go.
  await using server = await startServer({ imap: 'limits = { login = "10m", read = "10m" }' });
  const room = Math.min(await openFiles("self"), await openFiles(server.pid)) - SPARE;
  const count = Math.min(WANTED, room);
  const user = server.freshUser();
  await using early = await RawConnection.login(server.tlsPort, user, PASSWORD);
  const before = await residentMemory(server.pid);
  const sockets = await halfOpen(server, count);
  try {
    await early.ok("NOOP");
    await using late = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await late.append("INBOX", "Subject: x\r\n\r\nx\r\n");
    await early.ok("SELECT INBOX");
    assert.deepEqual(await early.ok("SEARCH ALL"), ["* SEARCH 1"]);
    const grown = (await residentMemory(server.pid) - before) / MIB;
    assert.ok(grown < 500, `Expected growth below 500 MiB: got ${Math.round(grown)} MiB`);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await using after = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await after.ok("NOOP");
});

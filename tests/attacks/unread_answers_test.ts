// A client sends one command after the other and reads no answer.

import assert from "node:assert/strict";
import net from "node:net";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { assertBounded, FLOOD_MIB, MIB, residentMemory } from "./memory.ts";

/** Commands of a client that another one may have answered while it waits for one answer. */
const MOST_BETWEEN = 10_000;
const TRIPS = 3;

/** Writes as much as the server takes, but reads nothing; settles once nothing more is taken. */
async function flood(port: number, first: string, command: string): Promise<net.Socket> {
  const socket = net.connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  socket.pause();
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(first);
  const piece = new TextEncoder().encode(command.repeat(Math.ceil(MIB / command.length)));
  for (let sent = 0; sent < FLOOD_MIB && !socket.destroyed; sent++) {
    if (socket.write(piece)) continue;
    const drained = new Promise((resolve) => socket.once("drain", () => resolve(true)));
    const stuck = new Promise((resolve) => setTimeout(() => resolve(false), 500));
    if (!await Promise.race([drained, stuck])) break;
  }
  return socket;
}

Deno.test("unread answers: cost no memory, before login (CVE-2025-61600) and after it", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  const before = await residentMemory(server.pid);
  const sockets: net.Socket[] = [];
  const login = `a LOGIN ${user} ${PASSWORD}\r\n`;
  try {
    for (
      const [first, command] of [
        ["", "a CAPABILITY\r\n"],
        ["", 'a ID ("name" "x")\r\n'],
        ["", "a LOGIN u1 {3}\r\nabc\r\n"],
        [login, 'a LIST "" *\r\n'],
        [`${login}b SELECT INBOX\r\n`, "a NOOP\r\n"],
        [`${login}b IDLE\r\n`, "DONE\r\na IDLE\r\n"],
      ]
    ) sockets.push(await flood(server.port, first, command));
    await using other = await RawConnection.login(server.tlsPort, user, PASSWORD);
    await other.ok("SELECT INBOX");
    await assertBounded(server.pid, before);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

Deno.test("pipelining: 20,000 commands in one piece are answered in their order, and others meanwhile", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.ok("SELECT INBOX");
  const count = 20_000;
  const commands = Array.from({ length: count }, (_, i) => `p${i} NOOP\r\n`).join("");
  const sending = client.send(commands);
  await using other = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await other.ok("NOOP");
  for (let i = 0; i < count; i++) assert.equal(await client.line(), `p${i} OK NOOP completed`);
  await sending;
});

/** Sends 300 commands more with each answer that it reads; counts the answers. */
const FLOODER = `
self.onmessage = async ({ data: { port, counts } }) => {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  const commands = new TextEncoder().encode("a NOOP\\r\\n".repeat(300));
  const bytes = new Uint8Array(65536);
  for (let size = await socket.read(bytes); size; size = await socket.read(bytes)) {
    for (const octet of bytes.subarray(0, size)) if (octet === 10) Atomics.add(counts, 0, 1);
    socket.write(commands).catch(() => {});
  }
};
`;

Deno.test("pipelining: who sends command after command without a login keeps nobody waiting", async () => {
  await using server = await startServer();
  await using other = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  const counts = new Int32Array(new SharedArrayBuffer(4));
  const answered = () => Atomics.load(counts, 0);
  const script = URL.createObjectURL(new Blob([FLOODER], { type: "text/javascript" }));
  const flooder = new Worker(script, { type: "module" });
  try {
    flooder.postMessage({ port: server.port, counts });
    while (answered() < 10_000) await new Promise((resolve) => setTimeout(resolve, 10));
    const before = answered();
    for (let i = 0; i < TRIPS; i++) await other.ok("NOOP");
    const meanwhile = answered() - before;
    assert.ok(meanwhile < TRIPS * MOST_BETWEEN, `${meanwhile} of the other's were answered`);
  } finally {
    flooder.terminate();
    URL.revokeObjectURL(script);
  }
});

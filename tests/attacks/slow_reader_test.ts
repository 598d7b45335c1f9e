// Clients ask for gigabytes and read none of it, over plain connections, TLS and COMPRESS.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { createDeflateRaw } from "node:zlib";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { assertBounded, residentMemory } from "./memory.ts";

const CLIENTS = 12;
const FETCHES = 16;
/** 8 MiB that do not compress well. */
const MESSAGE = `Subject: x\r\n\r\n${noise(8 << 20)}`;

function noise(octets: number): string {
  const line = () => Buffer.from(crypto.getRandomValues(new Uint8Array(54))).toString("base64");
  const lines = Array.from({ length: 1000 }, line);
  let text = "";
  for (let n = 0; text.length < octets; n++) text += `${lines[n * 7919 % 1000]}${n}\r\n`;
  return text;
}

/** A connection that is read until it is told to stop. */
async function connect(server: TestServer, secure: boolean): Promise<net.Socket> {
  const { port, tlsPort } = server;
  const socket = secure
    ? tls.connect({ host: "127.0.0.1", port: tlsPort, rejectUnauthorized: false })
    : net.connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once(secure ? "secureConnect" : "connect", resolve));
  return socket;
}

async function answered(socket: net.Socket, command: string, tag: string): Promise<void> {
  let text = "";
  await new Promise<void>((resolve) => {
    const take = (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (!text.includes(`${tag} OK`)) return;
      socket.off("data", take);
      resolve();
    };
    socket.on("data", take);
    socket.write(command);
  });
}

function compressed(text: string): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const deflate = createDeflateRaw();
    const pieces: Uint8Array[] = [];
    deflate.on("data", (bytes: Uint8Array) => pieces.push(bytes));
    deflate.write(text);
    deflate.flush(() => resolve(Buffer.concat(pieces)));
  });
}

for (const mode of ["plain", "TLS", "COMPRESS"] as const) {
  Deno.test(`slow readers (${mode}): what they asked for does not fill the memory`, async () => {
    await using server = await startServer();
    const user = server.freshUser();
    const address = { host: "127.0.0.1", port: server.port };
    await using other = await ImapClient.login(address, user, PASSWORD);
    assert.match((await other.append("INBOX", MESSAGE)).reply, /^OK /);
    await other.command("SELECT INBOX");
    const before = await residentMemory(server.pid);
    const deaf: net.Socket[] = [];
    try {
      for (let i = 0; i < CLIENTS; i++) {
        const socket = await connect(server, mode === "TLS");
        deaf.push(socket);
        await answered(socket, `a LOGIN ${user} ${PASSWORD}\r\n`, "a");
        if (mode === "COMPRESS") await answered(socket, "b COMPRESS DEFLATE\r\n", "b");
        socket.pause();
        const flood = `c SELECT INBOX\r\n${"d FETCH 1 BODY.PEEK[]\r\n".repeat(FETCHES)}`;
        socket.write(mode === "COMPRESS" ? await compressed(flood) : flood);
      }
      // Others have their turn meanwhile; the deaf ones have had theirs by then, too.
      for (let i = 0; i < 3; i++) {
        const { reply } = await other.command("FETCH 1 BODY.PEEK[]", 60_000);
        assert.match(reply, /^OK /);
      }
      await assertBounded(server.pid, before);
    } finally {
      for (const socket of deaf) socket.destroy();
    }
    assert.match((await other.command("NOOP")).reply, /^OK /);
  });
}

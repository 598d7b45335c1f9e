import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { TlsContext } from "../../src/net/endpoint.ts";
import { handshake, secured } from "../../src/net/secured.ts";
import { yieldNow } from "../../src/pace.ts";
import { tlsContext } from "../../src/tls/context.ts";
import { makeSelfSigned } from "../../src/tls/x509.ts";
import { BOTH, DAY } from "../tls/fixture.ts";

const MIB = 1 << 20;
const SENT = 32 * MIB;
/** What the kernel holds of one connection, at most, and what Node's streams read ahead. */
const AHEAD = 12 * MIB;
/** Looks at sockets in which all could be read. */
const TURNS = 1000;

function ownContext(): TlsContext {
  const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) };
  const own = makeSelfSigned({ names: ["own"], ...dates });
  const pair = { ...own, names: ["own"], notBefore: 0, notAfter: Infinity, path: "own.pem" };
  const close = () => Promise.resolve();
  const certificates = { current: [pair], refresh() {}, watch: () => () => {}, close };
  return tlsContext(certificates, BOTH);
}

Deno.test("secured(): a socket that is paused has nothing read from below it", async () => {
  const tls = ownContext();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const below = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [plain]: Socket[] = await once(server, "connection");
  const socket: TLSSocket = secured(plain, tls);
  const client = connectTls({ socket: below, rejectUnauthorized: false });
  client.on("error", () => {});
  await Promise.all([handshake(socket, 10_000), once(client, "secureConnect")]);
  let received = 0;
  socket.on("data", (bytes: Uint8Array) => received += bytes.length);
  socket.pause();
  client.end(new Uint8Array(SENT));
  for (let turn = 0; turn < TURNS && plain.bytesRead < AHEAD; turn++) await yieldNow();
  assert.ok(plain.bytesRead < AHEAD, `${plain.bytesRead} octets were read`);
  socket.resume();
  await once(socket, "end");
  assert.equal(received, SENT);
  socket.destroy();
  client.destroy();
  await once(server.close(), "close");
});

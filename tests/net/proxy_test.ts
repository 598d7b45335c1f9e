import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { ImapClient, type ServerAddress } from "../client.ts";
import { ADDRESSES_4, ADDRESSES_6, header, LOCAL, PROXY, ssl, TCP4, TCP6 } from "./proxy_bytes.ts";
import { PASSWORD, type Serving, serving, USER } from "./serving.ts";

const V1 = Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n");
const V2 = header(PROXY, TCP6, ADDRESSES_6);
const LISTEN = 'listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]';
const TRUST = 'proxy_protocol = ["127.0.0.1"]';

const at = (server: Serving, i: number): ServerAddress => ({
  host: "127.0.0.1",
  port: server.ports[i],
});

async function loggedIn(client: ImapClient): Promise<void> {
  const { reply } = await client.command(`LOGIN ${USER} ${PASSWORD}`);
  match(reply, /^OK/);
}

/** Sends `bytes` and returns all that comes until the server closes the connection. */
function talk({ host, port }: { host: string; port: number }, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    let text = "";
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk) => text += chunk.toString("latin1"));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

for (const [what, bytes, remote] of [["1", V1, "192.0.2.7"], ["2", V2, "2001:db8::7"]] as const) {
  Deno.test(`proxy_protocol: the header of version ${what} tells the client's address, over tls:// too`, async () => {
    await using server = await serving([`${LISTEN}\n${TRUST}`]);
    await using plain = await ImapClient.behindProxy(at(server, 0), bytes);
    match(await plain.response() ?? "", /LOGINDISABLED/);
    await server.logged(new RegExp(`connected conn=1 remote=${remote} secure=false`));
    await using secure = await ImapClient.behindProxy(at(server, 1), bytes, "tls");
    match(await secure.response() ?? "", /AUTH=PLAIN/);
    await loggedIn(secure);
    await server.logged(new RegExp(`logged in conn=2 user=u1 remote=${remote} secure=true`));
  });
}

Deno.test("proxy_protocol: STARTTLS works after a header", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  await using client = await ImapClient.behindProxy(at(server, 0), V1);
  await client.response();
  match((await client.command("STARTTLS")).reply, /^OK/);
  await client.startTls();
  await loggedIn(client);
  await server.logged(/logged in .*remote=192\.0\.2\.7 secure=true/);
});

Deno.test("proxy_protocol: commands in the same packet as the header are not lost", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  const [port] = server.ports;
  for (const bytes of [V1, V2, header(LOCAL, 0)]) {
    const all = Buffer.concat([bytes, Buffer.from("a NOOP\r\nb LOGOUT\r\n")]);
    match(
      await talk({ host: "127.0.0.1", port }, all),
      /^\* OK .*\r\na OK .*\r\n\* BYE .*\r\nb OK/,
    );
  }
});

Deno.test("proxy_protocol: a header that comes octet by octet is read", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  const socket = net.connect({ host: "127.0.0.1", port: server.ports[0], noDelay: true });
  for (const octet of V2) await new Promise((resolve) => socket.write(Buffer.of(octet), resolve));
  await server.logged(/connected conn=1 remote=2001:db8::7/);
  socket.destroy();
});

Deno.test("proxy_protocol: where the proxy speaks for itself its own address counts", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  for (const bytes of [header(LOCAL, TCP4, ADDRESSES_4), Buffer.from("PROXY UNKNOWN\r\n")]) {
    await using client = await ImapClient.behindProxy(at(server, 0), bytes);
    match(await client.response() ?? "", /^\* OK/);
  }
  await server.logged(/connected conn=2 remote=127\.0\.0\.1 secure=false/);
});

Deno.test("proxy_protocol: who is not trusted is a client, and its header a bad command", async () => {
  await using server = await serving([`${LISTEN}\nproxy_protocol = ["192.0.2.1"]`]);
  await using client = await ImapClient.behindProxy(at(server, 0), V1);
  match(await client.response() ?? "", /^\* OK/);
  match(await client.response() ?? "", /^PROXY BAD /);
  await server.logged(/connected conn=1 remote=127\.0\.0\.1/);
  await using secure = await ImapClient.connect(at(server, 1), "tls");
  match(await secure.response() ?? "", /^\* OK/);
});

Deno.test("proxy_protocol: a trusted peer without a header, or with a bad one, is closed", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  const [port] = server.ports;
  strictEqual(await talk({ host: "127.0.0.1", port }, Buffer.from("a NOOP\r\n")), "");
  await server.logged(
    /^warning: proxy turned away conn=\S+ remote=127\.0\.0\.1 error="Expected a PROXY header, got something else"/,
  );
  strictEqual(await talk({ host: "127.0.0.1", port }, Buffer.alloc(5000, V1.subarray(0, 20))), "");
  await server.logged(/error="Expected a PROXY header of at most 107 octets"/);
  strictEqual(server.lines.filter((line) => /\bconnected\b/.test(line)).length, 0);
});

Deno.test("proxy_protocol: a trusted peer that sends nothing is closed after 5 seconds", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  strictEqual(await talk({ host: "127.0.0.1", port: server.ports[0] }, Buffer.alloc(0)), "");
  await server.logged(
    /^warning: proxy turned away conn=\S+ remote=127\.0\.0\.1 error="Expected a PROXY header within 5 s"/,
  );
});

Deno.test("proxy_protocol: a peer that only looks whether somebody listens is no warning", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  const socket = net.connect({ host: "127.0.0.1", port: server.ports[0] });
  socket.on("connect", () => socket.end());
  await server.logged(/^debug: proxy sent nothing conn=1 remote=127\.0\.0\.1/);
});

Deno.test("proxy_protocol: tls_offloaded believes the proxy that the client has TLS, and nothing less", async () => {
  const proxy = (more: string) => `proxy_protocol = { trust = ["127.0.0.1"]${more} }`;
  await using server = await serving([
    `listen = ["tcp://127.0.0.1:0"]\n${proxy(", tls_offloaded = true")}`,
    `listen = ["tcp://127.0.0.1:0"]\n${proxy("")}`,
  ]);
  const greeting = async (i: number, ...parts: Uint8Array[]) => {
    await using client = await ImapClient.behindProxy(
      at(server, i),
      parts.length === 0 ? V1 : header(PROXY, TCP4, ADDRESSES_4, ...parts),
    );
    return await client.response() ?? "";
  };
  const offloaded = await greeting(0, ssl(1));
  match(offloaded, /AUTH=PLAIN/);
  ok(!offloaded.includes("STARTTLS"));
  match(await greeting(0, ssl(0)), /STARTTLS.*LOGINDISABLED/);
  match(await greeting(0, Buffer.alloc(0)), /STARTTLS.*LOGINDISABLED/);
  match(await greeting(0), /STARTTLS.*LOGINDISABLED/);
  match(await greeting(1, ssl(1)), /STARTTLS.*LOGINDISABLED/);
});

Deno.test("proxy_protocol: peers of a unix socket are proxies only if trust says so", async () => {
  await using server = await serving([
    'listen = ["unix://proxied"]\nproxy_protocol = ["unix"]',
    'listen = ["unix://direct"]\nproxy_protocol = ["0.0.0.0/0", "::/0"]',
  ]);
  await using proxied = await ImapClient.behindProxy({ path: `${server.dir}/proxied` }, V1);
  match(await proxied.response() ?? "", /LOGINDISABLED/);
  await server.logged(/connected conn=1 remote=192\.0\.2\.7 secure=false/);
  await using direct = await ImapClient.connect({ path: `${server.dir}/direct` });
  match(await direct.response() ?? "", /AUTH=PLAIN/);
});

/** TLS to the server, as a proxy does it, and a header inside. */
async function throughChannel(port: number, bytes: Uint8Array): Promise<tls.TLSSocket> {
  const channel = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => {
    channel.once("secureConnect", resolve);
    channel.once("error", reject);
  });
  channel.write(bytes);
  return channel;
}

Deno.test("proxy_protocol.tls: TLS of the channel is outside, the header in it, then the protocol", async () => {
  const proxy = '{ trust = ["127.0.0.1"], tls = { loader = "self_signed" } }';
  await using server = await serving([`${LISTEN}\nproxy_protocol = ${proxy}`]);
  const channel = await throughChannel(server.ports[0], V1);
  const first = await new Promise<string>((resolve) =>
    channel.once("data", (bytes) => resolve(String(bytes)))
  );
  // The channel says nothing of how the client came to the proxy.
  match(first, /^\* OK .*STARTTLS.*LOGINDISABLED/);
  await server.logged(/connected conn=1 remote=192\.0\.2\.7 secure=false/);
  channel.destroy();
});

Deno.test("proxy_protocol.tls: TLS of the channel binds no client, and logs nobody in", async () => {
  const settings = '["127.0.0.1"], tls = { loader = "self_signed" }';
  await using server = await serving([
    `${LISTEN}\ninsecure_auth = true\nproxy_protocol = { trust = ${settings} }`,
  ], { scram: true });
  const greeting = async (socket: tls.TLSSocket) => {
    const said = new Promise<string>((resolve, reject) => {
      socket.once("data", (bytes) => resolve(String(bytes)));
      socket.once("error", reject);
    });
    return (await said).match(/AUTH=\S*SCRAM\S*/g);
  };
  const plain = await throughChannel(server.ports[0], V1);
  deepStrictEqual(await greeting(plain), ["AUTH=SCRAM-SHA-256"]);
  const channel = await throughChannel(server.ports[1], V1);
  const inner = tls.connect({ socket: channel, rejectUnauthorized: false });
  deepStrictEqual(await greeting(inner), ["AUTH=SCRAM-SHA-256-PLUS", "AUTH=SCRAM-SHA-256"]);
  plain.destroy();
  inner.destroy();
  channel.destroy();
});

Deno.test("proxy_protocol.tls: TLS of a client comes inside the channel's", async () => {
  const proxy = '{ trust = ["127.0.0.1"], tls = { loader = "self_signed" } }';
  await using server = await serving([`${LISTEN}\nproxy_protocol = ${proxy}`]);
  const channel = await throughChannel(server.ports[1], V2);
  const inner = tls.connect({ socket: channel, rejectUnauthorized: false });
  const text = await new Promise<string>((resolve, reject) => {
    let all = "";
    inner.on("data", (bytes) => {
      all += String(bytes);
      if (all.includes("\r\n") && !all.includes("a ")) {
        inner.write(`a LOGIN ${USER} ${PASSWORD}\r\n`);
      }
      if (/^a /m.test(all)) resolve(all);
    });
    inner.on("error", reject);
  });
  match(text, /^a OK/m);
  await server.logged(/logged in .*remote=2001:db8::7 secure=true/);
  inner.destroy();
  channel.destroy();
});

Deno.test("proxy_protocol: who waits for its header counts for the limit, and makes room", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}\nlimits = { connections = 1 }`]);
  await using silent = await ImapClient.connect(at(server, 0));
  await using late = await ImapClient.behindProxy(at(server, 0), V1);
  match(await late.response() ?? "", /^\* OK/);
  strictEqual(await silent.response(), "* BYE [UNAVAILABLE] Too many connections, try later");
  strictEqual(await silent.response(), undefined);
  match((await late.command("NOOP")).reply, /^OK/);
  await server.close();
  const told = server.lines.filter((line) => / conn=1 /.test(line));
  strictEqual(told.length, 1, told.join("\n"));
  match(told[0], /^warning: too many connections conn=1 remote=127\.0\.0\.1 of=all/);
});

Deno.test("proxy_protocol.tls: who makes room, or finds none, is told nothing in the clear", async () => {
  const proxy = '{ trust = ["127.0.0.1"], tls = { loader = "self_signed" } }';
  const settings = "insecure_auth = true\nlimits = { connections = 1 }";
  await using server = await serving([`${LISTEN}\n${settings}\nproxy_protocol = ${proxy}`]);
  await using silent = await ImapClient.connect(at(server, 0));
  const user = await throughChannel(server.ports[0], V1);
  strictEqual(await silent.response(), undefined);
  user.write(`a LOGIN ${USER} ${PASSWORD}\r\n`);
  await server.logged(/logged in/);
  const late = await throughChannel(server.ports[0], V1);
  const [said] = await once(late, "data");
  match(String(said), /^\* BYE \[UNAVAILABLE\] /);
  user.destroy();
  late.destroy();
});

Deno.test("proxy_protocol: what waits for its header does not keep the server from ending", async () => {
  await using server = await serving([`${LISTEN}\n${TRUST}`]);
  const socket = net.connect({ host: "127.0.0.1", port: server.ports[0] });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await new Promise((resolve) => socket.once("connect", resolve));
  await server.close();
  await closed;
  deepStrictEqual(server.lines.filter((line) => line.startsWith("error")), []);
  await rejects(ImapClient.connect(at(server, 0)));
});

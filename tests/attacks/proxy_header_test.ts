// A client sends a PROXY header of its own to be taken for another one.

import { match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ImapClient } from "../client.ts";
import { ADDRESSES_6, header, PROXY, ssl, TCP6 } from "../net/proxy_bytes.ts";
import { serving } from "../net/serving.ts";

const FORGED = "192.0.2.66";
const V1 = Buffer.from(`PROXY TCP4 ${FORGED} 198.51.100.1 1234 143\r\n`);
const REAL = Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 1234 143\r\n");
const OFFLOADED = "tls_offloaded = true";

async function replies(client: ImapClient): Promise<string> {
  const lines: string[] = [];
  for (let line = await client.response(); line !== undefined; line = await client.response()) {
    lines.push(line);
    if (/^t1 /.test(line)) break;
  }
  return lines.join("\n");
}

Deno.test("PROXY header: one of a client that nobody trusts changes nothing", async () => {
  await using server = await serving([
    `listen = ["tcp://127.0.0.1:0"]\nproxy_protocol = { trust = ["192.0.2.1"], ${OFFLOADED} }`,
    'listen = ["tcp://127.0.0.1:0"]',
  ]);
  for (const port of server.ports) {
    for (const bytes of [V1, Buffer.concat([header(PROXY, TCP6, ADDRESSES_6, ssl(1)), V1])]) {
      const address = { host: "127.0.0.1", port };
      await using client = await ImapClient.behindProxy(address, bytes);
      client.line("t1 LOGIN u1 secret");
      const text = await replies(client);
      match(text, /^\* OK .*LOGINDISABLED/);
      match(text, /^(PROXY|\*) BAD /m);
      match(text, /^t1 NO \[PRIVACYREQUIRED\]|^\* BYE /m);
    }
  }
  ok(!server.lines.some((line) => /192\.0\.2\.66|2001:db8/.test(line)), server.lines.join("\n"));
});

Deno.test("PROXY header: a second one, behind the proxy's, is a bad command", async () => {
  await using server = await serving([
    `listen = ["tcp://127.0.0.1:0"]\nproxy_protocol = ["127.0.0.1"]\ninsecure_auth = true`,
  ]);
  const address = { host: "127.0.0.1", port: server.ports[0] };
  await using client = await ImapClient.behindProxy(address, Buffer.concat([REAL, V1]));
  client.line("t1 LOGIN u1 wrong");
  const text = await replies(client);
  match(text, /^PROXY BAD /m);
  match(text, /^t1 NO \[AUTHENTICATIONFAILED\]/m);
  await server.logged(/authentication failed\t.*"src_ip":"192\.0\.2\.7:1234"/);
  ok(!server.lines.some((line) => line.includes(FORGED)), server.lines.join("\n"));
});

import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { makeSelfSigned } from "../../src/tls/x509.ts";
import { PASSWORD, type Serving, serving, USER } from "../net/serving.ts";
import { startHaproxy } from "./haproxy.ts";
import { clientTest, run } from "./programs.ts";
import { certificateOf } from "./certificate.ts";

const SESSION = fileURLToPath(new URL("imaplib_session.py", import.meta.url));

/** The address that clients come from, other than HAProxy's. */
const CLIENT = "127.0.0.5";
const PROXY = "127.0.0.9";

/** Speaks with HAProxy from {@link CLIENT} until `commands` are answered; returns all that came. */
async function session(port: number, mode: "plain" | "tls", commands: string[]): Promise<string> {
  const plain = net.connect({ host: "127.0.0.1", port, localAddress: CLIENT });
  const socket = mode === "plain"
    ? plain
    : tls.connect({ socket: plain, rejectUnauthorized: false });
  let text = "";
  let sent = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
        const answered = sent === 0 ? text.includes("\r\n") : text.includes(`\r\nt${sent} `);
        if (!answered || !text.endsWith("\r\n")) return;
        if (sent === commands.length) return resolve();
        sent++;
        socket.write(`t${sent} ${commands[sent - 1]}\r\n`);
      });
    });
  } finally {
    socket.destroy();
    plain.destroy();
  }
  return text;
}

const LOGIN = [`LOGIN ${USER} ${PASSWORD}`, "SELECT INBOX"];

function assertLoggedIn(text: string): void {
  assert.match(text, /^t1 OK/m);
  assert.match(text, /^t2 OK/m);
}

const proxied = (more: string) => `proxy_protocol = { trust = ["${PROXY}", "unix"]${more} }`;

async function certificateFor(server: Serving): Promise<string> {
  const day = 86_400_000;
  const { cert, key } = makeSelfSigned({
    names: ["localhost"],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  const file = `${server.dir}/haproxy.pem`;
  await Deno.writeTextFile(file, `${cert}\n${key}\n`);
  return file;
}

for (const version of ["send-proxy", "send-proxy-v2"]) {
  clientTest(
    ["haproxy"],
    `HAProxy: ${version} in front of tls:// tells the client's address`,
    async () => {
      await using server = await serving([`listen = ["tls://127.0.0.1:0"]\n${proxied("")}`]);
      const [port] = server.ports;
      const route = { server: version, to: `127.0.0.1:${port}` };
      await using haproxy = await startHaproxy(server.dir, [route]);
      assertLoggedIn(await session(haproxy.ports[0], "tls", LOGIN));
      await server.logged(/logged in .*user=u1 remote=127\.0\.0\.5 secure=true/);
    },
  );

  clientTest(
    ["haproxy"],
    `HAProxy: ${version} in front of tcp:// tells the client's address`,
    async () => {
      await using server = await serving([
        `listen = ["tcp://127.0.0.1:0"]\ninsecure_auth = true\n${proxied("")}`,
      ]);
      const route = { server: version, to: `127.0.0.1:${server.ports[0]}` };
      await using haproxy = await startHaproxy(server.dir, [route]);
      assertLoggedIn(await session(haproxy.ports[0], "plain", LOGIN));
      await server.logged(/logged in .*user=u1 remote=127\.0\.0\.5 secure=false/);
    },
  );

  clientTest(["haproxy", "python3"], `HAProxy: ${version}, then STARTTLS, by imaplib`, async () => {
    await using server = await serving([
      'listen = ["tls://127.0.0.1:0"]',
      `listen = ["tcp://127.0.0.1:0"]\n${proxied("")}`,
    ]);
    const [direct, behind] = server.ports;
    const certificate = `${server.dir}/certificate.pem`;
    await Deno.writeTextFile(certificate, await certificateOf(direct));
    const route = { server: version, to: `127.0.0.1:${behind}` };
    await using haproxy = await startHaproxy(server.dir, [route]);
    const { code, stderr } = await run([
      ...["python3", SESSION, "starttls", String(haproxy.ports[0]), USER, PASSWORD, certificate],
    ]);
    assert.equal(code, 0, stderr);
    await server.logged(/logged in .*user=u1 remote=127\.0\.0\.1 secure=true/);
    assert.ok(!server.lines.some((line) => line.includes(PROXY)), server.lines.join("\n"));
  });

  clientTest(["haproxy"], `HAProxy: ${version} to a unix socket`, async () => {
    await using server = await serving([
      `listen = ["unix://imap.sock"]\ninsecure_auth = true\n${proxied("")}`,
    ]);
    const route = { server: version, to: `unix@${server.dir}/imap.sock` };
    await using haproxy = await startHaproxy(server.dir, [route]);
    assertLoggedIn(await session(haproxy.ports[0], "plain", LOGIN));
    await server.logged(/logged in .*remote=127\.0\.0\.5 secure=false/);
  });
}

clientTest(
  ["haproxy"],
  "HAProxy: TLS that it took off counts with tls_offloaded, and else not",
  async () => {
    await using server = await serving([
      `listen = ["tcp://127.0.0.1:0"]\n${proxied(", tls_offloaded = true")}`,
      `listen = ["tcp://127.0.0.1:0"]\n${proxied("")}`,
    ]);
    const bind = `ssl crt ${await certificateFor(server)}`;
    const [offloaded, other] = server.ports.map((port) => `127.0.0.1:${port}`);
    await using haproxy = await startHaproxy(server.dir, [
      { bind, server: "send-proxy-v2-ssl", to: offloaded },
      { bind, server: "send-proxy-v2-ssl-cn", to: offloaded },
      { server: "send-proxy-v2-ssl", to: offloaded },
      { bind, server: "send-proxy-v2", to: offloaded },
      { bind, server: "send-proxy-v2-ssl", to: other },
    ]);
    for (const port of haproxy.ports.slice(0, 2)) {
      assertLoggedIn(await session(port, "tls", LOGIN));
    }
    await server.logged(/logged in .*remote=127\.0\.0\.5 secure=true/);
    assert.match(await session(haproxy.ports[2], "plain", LOGIN), /^t1 NO \[PRIVACYREQUIRED\]/m);
    for (const port of haproxy.ports.slice(3)) {
      const text = await session(port, "tls", LOGIN);
      assert.match(text, /LOGINDISABLED/);
      assert.match(text, /^t1 NO \[PRIVACYREQUIRED\]/m);
    }
  },
);

clientTest(
  ["haproxy"],
  "HAProxy: the TLS that it speaks after its header is that of tls://",
  async () => {
    await using server = await serving([`listen = ["tls://127.0.0.1:0"]\n${proxied("")}`]);
    await using haproxy = await startHaproxy(server.dir, [
      { server: "ssl verify none send-proxy-v2", to: `127.0.0.1:${server.ports[0]}` },
    ]);
    assertLoggedIn(await session(haproxy.ports[0], "plain", LOGIN));
    await server.logged(/logged in .*remote=127\.0\.0\.5 secure=true/);
  },
);

clientTest(["haproxy"], "HAProxy: TLS around its header is that of proxy_protocol", async () => {
  const tlsOfProxy = ', tls = { loader = "self_signed" }, tls_offloaded = true';
  await using server = await serving([
    `listen = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]\n${proxied(tlsOfProxy)}`,
  ]);
  const bind = `ssl crt ${await certificateFor(server)}`;
  const [plain, secure] = server.ports.map((port) => `127.0.0.1:${port}`);
  // HAProxy puts its header before its TLS, so a second one puts TLS around both.
  await using haproxy = await startHaproxy(server.dir, [
    { server: "ssl verify none", to: plain },
    { server: "ssl verify none", to: secure },
    { bind, server: "send-proxy-v2-ssl", to: 0 },
    { server: "send-proxy", to: 1 },
  ]);
  assertLoggedIn(await session(haproxy.ports[2], "tls", LOGIN));
  assertLoggedIn(await session(haproxy.ports[3], "tls", LOGIN));
  const lines = server.lines.filter((line) => line.includes("logged in"));
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /remote=127\.0\.0\.5 secure=true/);
});

clientTest(["haproxy"], "HAProxy: its health checks do no harm", async () => {
  await using server = await serving([`listen = ["tcp://127.0.0.1:0"]\n${proxied("")}`]);
  const to = `127.0.0.1:${server.ports[0]}`;
  await using _haproxy = await startHaproxy(server.dir, [
    { server: "send-proxy-v2 check check-send-proxy inter 50ms", to },
    { server: "check inter 50ms", to },
  ]);
  await server.logged(/^debug: (proxy sent nothing remote=127\.0\.0\.9|client has gone already)/);
  await server.logged(/^debug: connected .*remote=127\.0\.0\.9/);
  assert.deepEqual(server.lines.filter((line) => /^(warning|error)/.test(line)), []);
});

// What bounds clients over all endpoints, by the addresses that a proxy tells.

import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { memoryLog } from "../../src/log.ts";
import { ImapClient } from "../client.ts";
import { type Serving, serving } from "../net/serving.ts";
import { until } from "../until.ts";

const PROXIED = 'listen = ["tcp://127.0.0.1:0"]\nproxy_protocol = ["127.0.0.1"]\n' +
  "insecure_auth = true\nlimits = { bad_before_login = 100 }\n";

const FULL = "* BYE [UNAVAILABLE] Too many connections, try later";

/** A server with these settings in `[limits]`, and others at the top. */
function limited(settings: string, top = ""): Promise<Serving> {
  return serving([PROXIED, PROXIED], { top: `${top}\nlimits = { ${settings} }` });
}

/** A client that comes from `address`; the greeting has not been read. */
function from(server: Serving, address: string, port = server.ports[0]): Promise<ImapClient> {
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const header = `PROXY ${family} ${address} ${address} 1234 143\r\n`;
  return ImapClient.behindProxy({ host: "127.0.0.1", port }, new TextEncoder().encode(header));
}

/** One attempt to log in, over a connection of its own. */
async function attempt(server: Serving, address: string, login: string, port?: number) {
  await using client = await from(server, address, port);
  await client.response();
  const started = performance.now();
  const { reply } = await client.command(login);
  return { reply, ms: performance.now() - started };
}

Deno.test("limits.penalty: a wrong password waits, the more the more there were", async () => {
  await using server = await limited('penalty = "300ms", longest_penalty = "800ms"');
  const times: number[] = [];
  const attempts = ["LOGIN u1 wrong", `AUTHENTICATE PLAIN ${btoa("\0nobody\0wrong")}`];
  // The endpoints share what they remember; so do the addresses of one network of IPv6.
  for (let i = 0; i < 4; i++) {
    const address = `2001:db8::${i + 1}`;
    const { reply, ms } = await attempt(server, address, attempts[i % 2], server.ports[i % 2]);
    assert.match(reply, /^NO \[AUTHENTICATIONFAILED\]/);
    times.push(ms);
  }
  const least = [300, 600, 800, 800];
  times.forEach((ms, i) => assert.ok(ms > least[i] - 5, `${i}: ${times.join()}`));
});

Deno.test("limits.penalty: who tries from the same address waits before the password is looked at", async () => {
  await using server = await limited('penalty = "1h", longest_penalty = "1h"');
  await using guessing = await from(server, "192.0.2.1");
  await guessing.response();
  guessing.line("a LOGIN nobody wrong");
  await server.logged(/authentication failed/);
  await using second = await from(server, "192.0.2.1");
  await second.response();
  second.line("a LOGIN nobody secret");
  // Nobody else waits, neither elsewhere nor there, and what came before has been looked at when
  // this is answered.
  for (const address of ["192.0.2.2", "192.0.2.2", "192.0.2.1", "192.0.2.1"]) {
    const { reply } = await attempt(server, address, "LOGIN u1 secret");
    assert.match(reply, /^OK/);
  }
  assert.equal(server.lines.filter((line) => /authentication failed/.test(line)).length, 1);
});

Deno.test("limits.penalty: attempts on many connections get one turn after the other, or none", async () => {
  await using server = await limited('penalty = "100ms", longest_penalty = "100ms"');
  await attempt(server, "192.0.2.1", "LOGIN u1 wrong");
  const clients = await Promise.all(Array.from({ length: 12 }, () => from(server, "192.0.2.1")));
  for (const client of clients) await client.response();
  const started = performance.now();
  const replies = await Promise.all(clients.map(async (client, i) => {
    const { reply } = await client.command(`LOGIN u1 wrong${i}`);
    return reply.replace(/\].*/, "]");
  }));
  const pauses = (performance.now() - started) / 100;
  await Promise.all(clients.map((client) => client.close()));
  const refused = replies.filter((reply) => reply === "NO [UNAVAILABLE]").length;
  const failed = replies.filter((reply) => reply === "NO [AUTHENTICATIONFAILED]").length;
  assert.equal(refused + failed, 12, replies.join());
  assert.ok(refused > 0 && failed > 0 && failed <= pauses + 1, `${failed} of ${replies.join()}`);
  // Nobody can be banned for what was not looked at.
  const logged = (event: string) => server.lines.filter((line) => line.includes(event)).length;
  assert.equal(logged("authentication failed"), 1 + failed);
  assert.equal(logged("authentication not possible"), refused);
});

Deno.test("limits.penalty: who cannot be checked waits, too, and has not failed", async () => {
  const endpoint = `[[imap]]\nauth = ["external", "{dir}/none"]\nstorage = "&mail"\n${PROXIED}`;
  await using server = await serving([], { top: `limits = { penalty = "300ms" }\n${endpoint}` });
  const { reply, ms } = await attempt(server, "192.0.2.1", "LOGIN u1 secret");
  assert.match(reply, /^NO \[UNAVAILABLE\]/);
  assert.ok(ms > 295, `${ms}`);
  assert.ok(!server.lines.some((line) => line.includes("authentication failed")));
});

Deno.test("limits.penalty: who is known at an address does not wait for what others did", async () => {
  await using server = await limited('penalty = "1h", longest_penalty = "1h"');
  const good = "LOGIN u1 secret";
  assert.match((await attempt(server, "192.0.2.1", good)).reply, /^OK/);
  await using elsewhere = await from(server, "198.51.100.1");
  await elsewhere.response();
  elsewhere.line("a LOGIN u1 wrong");
  await server.logged(/authentication failed.*198\.51\.100\.1/);
  await using here = await from(server, "192.0.2.1");
  await here.response();
  here.line("a LOGIN nobody wrong");
  await server.logged(/authentication failed.*192\.0\.2\.1/);
  // The password in the cache, too.
  assert.match((await attempt(server, "192.0.2.1", good)).reply, /^OK/);
});

Deno.test("limits.penalty: who is known at an address is so after a restart and a reload, too", async () => {
  await using server = await limited('penalty = "1h", longest_penalty = "1h"');
  const good = "LOGIN u1 secret";
  assert.match((await attempt(server, "192.0.2.1", good)).reply, /^OK/);
  await server.close();
  const config = await loadConfig(`${server.dir}/c.toml`);
  const lines: string[] = [];
  const app = await startApp(config, memoryLog(lines));
  try {
    const [address] = app.listening;
    const port = address.kind === "inet" ? address.port : 0;
    // The only turn that there is for a stranger.
    await using stranger = await from(server, "192.0.2.1", port);
    await stranger.response();
    stranger.line("a LOGIN nobody wrong");
    await until(() => lines.some((line) => /failed.*nobody/.test(line)), "a failure there");
    await using elsewhere = await from(server, "198.51.100.1", port);
    await elsewhere.response();
    elsewhere.line("a LOGIN u1 wrong");
    await until(() => lines.some((line) => /failed.*u1/.test(line)), "a failure at the name");
    assert.match((await attempt(server, "192.0.2.1", good, port)).reply, /^OK/);
    await app.reload(config);
    assert.match((await attempt(server, "192.0.2.1", good, port)).reply, /^OK/);
    assert.ok(!(await Deno.readTextFile(`${server.dir}/known_places`)).includes("u1"));
  } finally {
    await app.close(5000);
  }
});

Deno.test("limits.penalty: many networks of 64 bits within one of 48 do not make guessing faster", async () => {
  await using server = await limited('penalty = "1h", longest_penalty = "1h"');
  const subnet = (i: number) => `2001:db8:0:${i.toString(16)}::1`;
  const guess = async (i: number) => {
    const client = await from(server, subnet(i));
    await client.response();
    client.line(`a LOGIN nobody${i} wrong`);
    return client;
  };
  const failures = () => server.lines.filter((line) => /authentication failed/.test(line)).length;
  const clients = await Promise.all(Array.from({ length: 100 }, (_, i) => guess(i)));
  await until(() => failures() === 100, "a hundred failures");
  clients.push(await guess(100));
  // What came before has been looked at when this is answered.
  assert.match((await attempt(server, "2001:db8:1::1", "LOGIN u1 secret")).reply, /^OK/);
  assert.equal(failures(), 100);
  await Promise.all(clients.map((client) => client.close()));
});

Deno.test("limits.penalty: a server that ends does not wait for those that pause", async () => {
  const server = await limited('penalty = "1h", longest_penalty = "1h"');
  await using client = await from(server, "192.0.2.1");
  await client.response();
  client.line("a LOGIN u1 wrong");
  await server.logged(/authentication failed/);
  await server.close();
  assert.equal(await client.response(), "* BYE Server is shutting down");
  await Deno.remove(server.dir, { recursive: true });
});

Deno.test("limits.trusted: from there nobody waits, and none is too many", async () => {
  await using server = await limited(
    'penalty = "1h", longest_penalty = "1h", address_connections = 2, user_connections = 1, ' +
      'trusted = ["192.0.2.0/24"]',
  );
  for (let i = 0; i < 3; i++) {
    const { reply } = await attempt(server, "192.0.2.1", "LOGIN u1 wrong");
    assert.match(reply, /^NO \[AUTHENTICATIONFAILED\]/);
  }
  const clients = await Promise.all([1, 2, 3].map(() => from(server, "192.0.2.1")));
  for (const client of clients) {
    await client.response();
    assert.match((await client.command("LOGIN u1 secret")).reply, /^OK/);
  }
  await Promise.all(clients.map((client) => client.close()));
});

Deno.test("limits.failed_logins: the tenth failure ends the connection", async () => {
  await using server = await limited('penalty = "0s"');
  await using client = await from(server, "192.0.2.1");
  await client.response();
  for (let i = 1; i < 10; i++) {
    assert.match((await client.command("LOGIN u1 wrong")).reply, /^NO \[AUTHENTICATIONFAILED\]/);
  }
  client.line("z LOGIN u1 wrong");
  assert.match(await client.response() ?? "", /^z NO \[AUTHENTICATIONFAILED\]/);
  assert.equal(await client.response(), "* BYE Too many failed logins");
  assert.equal(await client.response(), undefined);
});

Deno.test("limits.address_connections: one more from an address is sent away", async () => {
  await using server = await limited("address_connections = 2");
  await using first = await from(server, "192.0.2.1");
  await first.response();
  const second = await from(server, "192.0.2.1", server.ports[1]);
  await second.response();
  const greeting = async (address: string) => {
    await using client = await from(server, address);
    return await client.response() ?? "";
  };
  const full = "* BYE [LIMIT] Too many connections from your address";
  assert.equal(await greeting("192.0.2.1"), full);
  assert.match(await greeting("192.0.2.2"), /^\* OK/);
  await second.close();
  await until(async () => (await greeting("192.0.2.1")).startsWith("* OK"), "room");
});

Deno.test("limits.address_connections: who comes by TLS hears why, too", async () => {
  await using server = await serving(['listen = ["tls://127.0.0.1:0"]'], {
    top: "limits = { address_connections = 1, trusted = [] }",
  });
  const address = { host: "127.0.0.1", port: server.ports[0] };
  await using first = await ImapClient.connect(address, "tls");
  assert.match(await first.response() ?? "", /^\* OK/);
  await using second = await ImapClient.connect(address, "tls");
  assert.match(await second.response() ?? "", /^\* BYE \[LIMIT\] /);
  assert.equal(await second.response(), undefined);
});

Deno.test("limits.connections: they are those of all endpoints", async () => {
  await using server = await limited("connections = 1");
  const first = await from(server, "192.0.2.1");
  await first.response();
  assert.match((await first.command("LOGIN u1 secret")).reply, /^OK/);
  const greeting = async () => {
    await using client = await from(server, "192.0.2.2", server.ports[1]);
    return await client.response() ?? "";
  };
  assert.equal(await greeting(), FULL);
  await first.close();
  await until(async () => (await greeting()).startsWith("* OK"), "room");
});

Deno.test("limits.connections: where most are without a login the oldest of them makes room", async () => {
  await using server = await limited("connections = 4");
  const greeted = async (address: string) => {
    const client = await from(server, address);
    assert.match(await client.response() ?? "", /^\* OK/);
    return client;
  };
  await using user = await greeted("192.0.2.1");
  assert.match((await user.command("LOGIN u1 secret")).reply, /^OK/);
  await using other = await greeted("192.0.2.2");
  await using oldest = await greeted("2001:db8::1");
  await using younger = await greeted("2001:db8::2");
  await using late = await greeted("192.0.2.3");
  assert.equal(await oldest.response(), FULL);
  assert.equal(await oldest.response(), undefined);
  for (const each of [user, other, younger, late]) {
    assert.match((await each.command("NOOP")).reply, /^OK/);
  }
});

Deno.test("limits.connections: those of one endpoint, in the midst of a handshake, make room, too", async () => {
  await using server = await serving([
    'listen = ["tls://127.0.0.1:0"]\nlimits = { connections = 1 }',
  ], {
    top: "limits = { trusted = [] }",
  });
  const address = { host: "127.0.0.1", port: server.ports[0] };
  await using silent = await ImapClient.connect(address, "plain");
  await using late = await ImapClient.connect(address, "tls");
  assert.match(await late.response() ?? "", /^\* OK/);
  assert.equal(await silent.response(), undefined);
  await using later = await ImapClient.connect(address, "tls");
  assert.match(await later.response() ?? "", /^\* OK/);
  assert.equal(await late.response(), FULL);
  assert.equal(await late.response(), undefined);
});

Deno.test("limits.connections: who makes room after STARTTLS is told nothing in the clear", async () => {
  await using server = await limited("connections = 1");
  await using first = await from(server, "192.0.2.1");
  await first.response();
  assert.match((await first.command("STARTTLS")).reply, /^OK/);
  await using late = await from(server, "192.0.2.2");
  assert.match(await late.response() ?? "", /^\* OK/);
  assert.equal(await first.response(), undefined);
});

Deno.test("limits.connections: who makes room and reads nothing is not waited for", async () => {
  await using server = await limited("connections = 1");
  const deaf = net.connect({ host: "127.0.0.1", port: server.ports[0] }).pause();
  deaf.on("error", () => {});
  await new Promise((resolve) => deaf.once("connect", resolve));
  // Their answers are more than the system takes.
  deaf.write(`PROXY TCP4 192.0.2.1 192.0.2.1 1234 143\r\n${"a CAPABILITY\r\n".repeat(20_000)}`);
  // Most likely they are stuck by then; the end is to come either way.
  let lines = 0;
  let still = 0;
  await until(() => {
    still = server.lines.length === lines ? still + 1 : 0;
    lines = server.lines.length;
    return still === 50;
  }, "answers that are not taken");
  await using late = await from(server, "192.0.2.2");
  assert.match(await late.response() ?? "", /^\* OK/);
  await until(() => {
    deaf.write("a CAPABILITY\r\n");
    return deaf.destroyed;
  }, "the end of the connection");
});

Deno.test("limits.login: a connection begins before its handshake", async () => {
  await using server = await serving(['listen = ["tls://127.0.0.1:0"]']);
  const plain = net.connect({ host: "127.0.0.1", port: server.ports[0] });
  const handshake = 300;
  await new Promise((resolve) => setTimeout(resolve, handshake));
  const client = tls.connect({ socket: plain, rejectUnauthorized: false });
  client.write("a LOGOUT\r\n");
  const line = await server.logged(/disconnected .*seconds=/);
  const [, seconds] = line.match(/seconds=([\d.]+)/) ?? [];
  assert.ok(Number(seconds) * 1000 >= handshake - 100, line);
  client.destroy();
});

Deno.test("limits.user_connections: one more of a user from an address is refused", async () => {
  await using server = await limited("user_connections = 1");
  const first = await from(server, "192.0.2.1");
  await first.response();
  assert.match((await first.command("LOGIN u1 secret")).reply, /^OK/);
  await using second = await from(server, "192.0.2.1");
  await second.response();
  const login = async () => (await second.command("LOGIN u1 secret")).reply;
  assert.equal(await login(), "NO [LIMIT] You have too many connections from this address");
  assert.match((await attempt(server, "192.0.2.2", "LOGIN u1 secret")).reply, /^OK/);
  assert.ok(!server.lines.some((line) => line.includes("authentication failed")));
  await first.command("UNAUTHENTICATE");
  assert.match(await login(), /^OK/);
  assert.match((await first.command("LOGIN u1 secret")).reply, /^NO \[LIMIT\]/);
  await first.close();
});

Deno.test("limits: connections count no more however they end", async () => {
  await using server = await limited("address_connections = 40, user_connections = 20");
  const ends = [
    (client: ImapClient) => client.close(),
    async (client: ImapClient) => {
      await client.response();
      client.line("a LOGIN u1 secret");
      await client.close();
    },
    async (client: ImapClient) => {
      await client.response();
      await client.command("LOGIN u1 secret");
      client.line("b LOGOUT");
      await client.close();
    },
    async (client: ImapClient) => {
      await client.response();
      await client.command("LOGIN u1 secret");
      client.line("b IDLE");
      await client.close();
    },
    async (client: ImapClient) => {
      await client.response();
      for (let i = 0; i < 3; i++) client.line("a LOGIN u1 secret");
      client.line("b UNAUTHENTICATE");
      client.line("c LOGIN u1 secret");
      await client.close();
    },
  ];
  for (let round = 0; round < 60; round++) {
    await Promise.all(ends.map(async (end) => await end(await from(server, "192.0.2.1"))));
  }
  const room = async (count: number, use: (client: ImapClient) => Promise<boolean>) => {
    const clients = await Promise.all(
      Array.from({ length: count }, () => from(server, "192.0.2.1")),
    );
    const used = await Promise.all(clients.map(use));
    await Promise.all(clients.map((client) => client.close()));
    return used.every(Boolean);
  };
  await until(
    () => room(40, async (client) => (await client.response() ?? "").startsWith("* OK")),
    "room for all that there may be from an address",
  );
  await until(
    () =>
      room(20, async (client) => {
        await client.response();
        return (await client.command("LOGIN u1 secret")).reply.startsWith("OK");
      }),
    "room for all that a user may have",
  );
});

// Who may see what, at the running program.

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { startServer } from "../harness.ts";
import { imapd } from "../cli/program.ts";
import { until } from "../until.ts";
import { portsOf, startWatched, TOKEN } from "./serving.ts";

const WITH_TOKEN = `{ listen = "tcp://127.0.0.1:0", token = "${TOKEN}" }`;

/** Sends octets to a port or path and returns all that comes back. */
function talk(place: { port: number } | { path: string }, text: string): Promise<string> {
  const socket = connect("port" in place ? { ...place, host: "127.0.0.1" } : place);
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => answer += part);
  socket.write(text);
  return new Promise((resolve) => socket.on("close", () => resolve(answer)).on("error", () => {}));
}

Deno.test("status page: is shown by a token in a header, in the address, or by the form", async () => {
  await using server = await startWatched({ openmetrics: WITH_TOKEN });
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, { headers, redirect: "manual" });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  // What somebody could work out who guesses the token.
  const unkeyed = createHmac("sha256", TOKEN).update("imapd_status").digest("hex");
  for (const path of ["metrics", "status.json", "", "nowhere"]) {
    for (
      const [query, headers] of [
        ["", {}],
        ["?token=another-token-of-16", {}],
        ["", { authorization: "Bearer another-token-of-16" }],
        ["", { authorization: `Basic ${TOKEN}` }],
        ["", { cookie: `imapd_status=${TOKEN}` }],
        ["", { cookie: `imapd_status=${unkeyed}` }],
      ] as const
    ) {
      const refused = await get(path + query, headers);
      strictEqual(refused.status, 401, path + query + JSON.stringify(headers));
      strictEqual(/imapd_|"points"/.test(refused.text), false, path);
    }
  }
  const bearer = { authorization: `Bearer ${TOKEN}` };
  for (const path of ["metrics", "status.json", ""]) {
    strictEqual((await get(path, bearer)).status, 200, path);
  }
  const led = await get(`?token=${TOKEN}`);
  deepStrictEqual([led.status, led.headers.get("location")], [303, "./"]);
  const set = led.headers.get("set-cookie") ?? "";
  match(set, /^imapd_status=[\da-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  strictEqual((await get("status.json", { cookie: set.split(";")[0] })).status, 200);
  const post = async (token: string) => {
    const body = new URLSearchParams({ token });
    const response = await fetch(`${server.url}login`, {
      method: "POST",
      body,
      redirect: "manual",
    });
    await response.body?.cancel();
    return [response.headers.get("location"), response.headers.get("set-cookie")];
  };
  deepStrictEqual(await post(TOKEN), ["./", set]);
  deepStrictEqual(await post("another-token-of-16"), ["./?refused", null]);
  match(
    server.log(),
    /^warning: mechanism=HTTP authentication failed\t\{"reason":"wrong token for the status page","src_ip":"127\.0\.0\.1:\d+","username":""\}$/m,
  );
  strictEqual(server.log().includes(TOKEN), false);
});

Deno.test("status page: without a token it is not read by way of a name of somebody else", async () => {
  await using server = await startWatched();
  const port = Number(new URL(server.url).port);
  const ask = (host: string) =>
    talk({ port }, `GET /status.json HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  match(await ask("rebound.example.org"), /^HTTP\/1\.1 421 /);
  for (const host of ["localhost:9749", "127.0.0.1", "[::1]:1"]) {
    match(await ask(host), /^HTTP\/1\.1 200 /);
  }
});

Deno.test("status page: refuses what is no request, and what is too long", async () => {
  await using server = await startWatched();
  const port = Number(new URL(server.url).port);
  const answers = await Promise.all([
    "a LOGIN u1 secret\r\n\r\n",
    "GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
    "GET /../etc/passwd HTTP/1.1\r\n\r\n",
    "DELETE / HTTP/1.1\r\n\r\n",
    `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`,
    "POST /login HTTP/1.1\r\nContent-Length: 20000\r\n\r\n",
    "POST /login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET / HTTP/1.1\r\nBad field\r\n\r\n",
    "HEAD /healthz HTTP/1.1\r\n\r\n",
  ].map((text) => talk({ port }, text)));
  deepStrictEqual(
    answers.map((text) => text.split(" ")[1]),
    ["400", "400", "404", "405", "413", "413", "400", "400", "200"],
  );
  match(answers[8], /\r\n\r\n$/);
});

Deno.test("/healthz: is 503 with the reason where mail cannot be kept, and tells none of it to strangers", async () => {
  await using server = await startWatched({ openmetrics: WITH_TOKEN });
  const health = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}healthz`, { headers });
    return [response.status, await response.text()];
  };
  deepStrictEqual(await health(), [200, "ok\n"]);
  await Deno.writeTextFile(`${server.dir}/mail`, "");
  // What was found a moment ago may still be told.
  await until(async () => (await health())[0] === 503, "a fault");
  deepStrictEqual(await health(), [503, "not healthy\n"]);
  deepStrictEqual(await health({ authorization: `Bearer ${TOKEN}` }), [
    503,
    `${server.dir}/mail is not a folder\n`,
  ]);
  await Deno.remove(`${server.dir}/mail`);
  await until(async () => (await health())[0] === 200, "no fault");
});

Deno.test("openmetrics: a reload follows the address and the token, also to a unix socket", async () => {
  await using server = await startWatched({ openmetrics: WITH_TOKEN });
  const config = `${server.dir}/config.toml`;
  const text = await Deno.readTextFile(config);
  const reload = async (openmetrics: string) => {
    const before = server.log().length;
    await Deno.writeTextFile(config, text.replace(/^openmetrics.*$/m, openmetrics));
    Deno.kill(server.pid, "SIGHUP");
    const loaded = () => /config (loaded anew|not loaded)/.test(server.log().slice(before));
    await until(loaded, "the config to be loaded");
    return server.log().slice(before);
  };
  const status = (url: string) =>
    fetch(`${url}metrics`).then(async (response) => {
      await response.body?.cancel();
      return response.status;
    }, () => "closed");
  strictEqual(await status(server.url), 401);
  match(await reload(""), /no longer listening on/);
  strictEqual(await status(server.url), "closed");
  const log = await reload('openmetrics = "tcp://127.0.0.1:0"');
  strictEqual(await status(`http://127.0.0.1:${portsOf(log)[0]}/`), 200);
  await reload('openmetrics = { listen = "unix://status.sock" }');
  const path = `${server.dir}/status.sock`;
  match(await talk({ path }, "GET /metrics HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 200 [^]*# EOF\n$/);
  // Faults leave everything as it was.
  const taken = await reload(`openmetrics = "tcp://127.0.0.1:${server.port}"`);
  match(taken, /the old one stays: openmetrics: cannot open tcp:\/\/127\.0\.0\.1:\d+: /);
  match(await talk({ path }, "GET /healthz HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

Deno.test("openmetrics: an address that others reach needs a token, else it is a config fault", async () => {
  await using server = await startServer();
  const config = `${server.dir}/faulty.toml`;
  const text = await Deno.readTextFile(`${server.dir}/config.toml`);
  await Deno.writeTextFile(`${server.dir}/short`, "short\n");
  await Deno.writeTextFile(`${server.dir}/token`, `${TOKEN}\n`);
  const check = async (value: string) => {
    await Deno.writeTextFile(config, `openmetrics = ${value}\n${text}`);
    const { code, err } = await imapd(["check", "--config", config]);
    return code === 0 ? "ok" : err.trim().replaceAll(server.dir, "");
  };
  const local = "a loopback address, or stand in a table with a token or token_file";
  const token = "a token of 16 to 256 visible characters of ASCII";
  for (
    const [value, fault] of [
      ['"tcp://127.0.0.1:9749"', "ok"],
      ['"tcp://127.9.9.9:9749"', "ok"],
      ['"tcp://[::1]:9749"', "ok"],
      ['"tcp://localhost:9749"', "ok"],
      ['"unix://status.sock"', "ok"],
      [`{ listen = "tcp://0.0.0.0:9749", token = "${TOKEN}" }`, "ok"],
      ['{ listen = "tcp://[::]:9749", token_file = "token" }', "ok"],
      [
        '"tcp://0.0.0.0:9749"',
        `/faulty.toml:1:15: openmetrics must be ${local}: got "tcp://0.0.0.0:9749"`,
      ],
      [
        '{ listen = "tcp://[::]:9749" }',
        `/faulty.toml:1:26: openmetrics.listen must be ${local}: got "tcp://[::]:9749"`,
      ],
      [
        '{ listen = "tcp://127.evil.org:9749" }',
        `/faulty.toml:1:26: openmetrics.listen must be ${local}: got "tcp://127.evil.org:9749"`,
      ],
      [
        '"tls://127.0.0.1:9749"',
        '/faulty.toml:1:15: openmetrics.listen must be "tcp://HOST:PORT" or "unix://PATH": ' +
        'got "tls://127.0.0.1:9749"',
      ],
      [
        '{ listen = "tcp://0.0.0.0:9749", token_file = "short" }',
        `/faulty.toml:1:61: openmetrics.token_file must be a file with ${token}: got something else in it`,
      ],
      [
        '{ listen = "tcp://0.0.0.0:9749", token_file = "none" }',
        `/faulty.toml:1:61: openmetrics.token_file must be a file with ${token}: got no such file`,
      ],
    ]
  ) strictEqual(await check(value), fault, value);
});

Deno.test("/healthz: is answered however many connections ask nothing", async () => {
  await using server = await startWatched();
  const { port } = new URL(server.url);
  const silent = Array.from({ length: 200 }, () => connect(Number(port), "127.0.0.1"));
  for (const socket of silent) socket.on("error", () => {});
  await Promise.all(silent.map((socket) => new Promise((done) => socket.once("connect", done))));
  const response = await fetch(`${server.url}healthz`);
  deepStrictEqual([response.status, await response.text()], [200, "ok\n"]);
  for (const socket of silent) socket.destroy();
});

Deno.test("status page: after a wrong token no token is looked at for a while", async () => {
  await using server = await startWatched({
    openmetrics: WITH_TOKEN,
    top: 'limits = { penalty = "1h", longest_penalty = "1h", trusted = [] }',
  });
  const ask = async (path: string, token?: string) => {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.url}${path}`, { headers });
    const retry = response.headers.get("retry-after");
    return [response.status, retry, (await response.text()).split("\n")[0]];
  };
  deepStrictEqual((await ask("metrics", "wrong"))[0], 401);
  deepStrictEqual(await ask("metrics", TOKEN), [
    429,
    "3600",
    "Too many wrong tokens from here, try later",
  ]);
  deepStrictEqual(await ask("healthz", TOKEN), [200, null, "ok"]);
  deepStrictEqual((await ask("metrics"))[0], 401);
  match(server.log(), /mechanism=HTTP authentication failed/);
});

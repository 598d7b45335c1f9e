import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { authLine, parseReply } from "../../src/auth/dovecot/auth_protocol.ts";
import { DovecotSasl, type DovecotSaslOptions } from "../../src/auth/dovecot/dovecot_sasl.ts";
import { memoryLog } from "../../src/log.ts";
import { authenticatorContract, CLIENT } from "../contracts/authenticator_contract.ts";
import { startServer } from "../harness.ts";
import { missingForDovecot, startDovecot } from "./dovecot.ts";
import { logged, loginReply } from "./login.ts";

const missing = missingForDovecot();
const reason = missing.length > 0 ? ` (skipped: no ${missing.join(", ")} here)` : "";
const test = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name: `${name}${reason}`, ignore: missing.length > 0, fn });

const USERS = `ann:{PLAIN}Ann's own
bob:{PLAIN}Bob's own
barred:{PLAIN}secret::::::nologin reason=Out=of=order
near:{PLAIN}secret::::::allow_nets=192.0.2.0/24
`;

function openDovecot(
  options: Partial<DovecotSaslOptions> & Pick<DovecotSaslOptions, "endpoint">,
): DovecotSasl {
  return new DovecotSasl({
    connectTimeout: 10_000,
    requestTimeout: 10_000,
    log: memoryLog([]),
    ...options,
  });
}

for (const kind of ["unix", "tcp"] as const) {
  authenticatorContract(`DovecotSasl over ${kind}`, missing, async () => {
    const dovecot = await startDovecot(USERS);
    const lines: string[] = [];
    const endpoint = kind === "unix"
      ? { path: dovecot.path }
      : { host: "127.0.0.1", port: dovecot.port };
    const auth = openDovecot({ endpoint, log: memoryLog(lines) });
    return {
      auth,
      lines,
      username: "ann",
      password: "Ann's own",
      stopPeer: () => dovecot.stop(),
      startPeer: () => dovecot.start(),
      async [Symbol.asyncDispose]() {
        await auth.close();
        await dovecot[Symbol.asyncDispose]();
      },
    };
  });
}

test("DovecotSasl tells Dovecot about the client, and takes the name that it answers with", async () => {
  await using dovecot = await startDovecot(USERS);
  const auth = openDovecot({ endpoint: { path: dovecot.path } });
  deepStrictEqual(await auth.checkPassword("near", "secret", CLIENT), {
    ok: true,
    username: "near",
  });
  const elsewhere = { ...CLIENT, remote: "198.51.100.9", secure: false };
  strictEqual((await auth.checkPassword("near", "secret", elsewhere)).ok, false);
  strictEqual(
    (await auth.checkPassword("ANN", "Ann's own", { ...CLIENT, remote: "unix" })).ok,
    true,
  );
  await auth.close();
  const asked = await dovecot.logged(/client in: (AUTH.*)\tresp=/g, 3);
  deepStrictEqual(asked, [
    "AUTH\t1\tPLAIN\tservice=imap\tnologin\tsecured\trip=192.0.2.7",
    "AUTH\t2\tPLAIN\tservice=imap\tnologin\trip=198.51.100.9",
    "AUTH\t3\tPLAIN\tservice=imap\tnologin\tsecured",
  ]);
});

test("DovecotSasl refuses whom Dovecot does not want to log in", async () => {
  await using dovecot = await startDovecot(USERS);
  const auth = openDovecot({ endpoint: { path: dovecot.path } });
  deepStrictEqual(await auth.checkPassword("barred", "secret", CLIENT), {
    ok: false,
    reason: "bad-credentials",
    detail: "Out=of=order",
  });
  await auth.close();
});

test("DovecotSasl is unavailable where Dovecot cannot tell", async () => {
  // A program that always has a temporary failure.
  const program = "passdb {\n  driver = checkpassword\n  args = /bin/sh -c 'exit 111'\n}\n";
  await using dovecot = await startDovecot(USERS, program);
  const auth = openDovecot({ endpoint: { path: dovecot.path } });
  deepStrictEqual(await auth.checkPassword("nobody", "secret", CLIENT), {
    ok: false,
    reason: "unavailable",
    detail: "Dovecot has a temporary failure",
  });
  await auth.close();
});

test("DovecotSasl serves many at once over one connection", async () => {
  await using dovecot = await startDovecot(USERS);
  const auth = openDovecot({ endpoint: { path: dovecot.path } });
  const names = Array.from({ length: 200 }, (_, i) => i % 2 === 0 ? "ann" : "bob");
  const results = await Promise.all(
    names.map((name) => auth.checkPassword(name, "Bob's own", CLIENT)),
  );
  deepStrictEqual(results.map((result) => result.ok), names.map((name) => name === "bob"));
  await auth.checkPassword("ann", "last", CLIENT);
  await auth.close();
  const connected = /auth client (connected)|passwd-file\(ann\S*: (Password mismatch)/g;
  const [first, ...others] = await dovecot.logged(connected, 102);
  strictEqual(first, "connected");
  strictEqual(others.includes("connected"), false);
});

test("imapd lets in whom Dovecot knows", async () => {
  await using dovecot = await startDovecot(USERS);
  await using server = await startServer({
    authReference: `["dovecot_sasl", "unix://${dovecot.path}"]`,
  });
  match(await loginReply(server, "ann", "Ann's own"), /^OK /);
  match(await loginReply(server, "ann", "Bob's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  match(await loginReply(server, "nobody", "Bob's own"), /^NO \[AUTHENTICATIONFAILED\]/);
  await dovecot.stop();
  match(await loginReply(server, "ann", "Ann's own"), /^NO \[UNAVAILABLE\]/);
  await logged(server, /^error: dovecot_sasl cannot be asked error="connect E/m);
  await dovecot.start();
  match(await loginReply(server, "bob", "Bob's own"), /^OK /);
});

/** Answers each connection with `text`, whatever it says, and then closes it if told to. */
async function withPeer(
  text: string,
  close: boolean,
  body: (auth: DovecotSasl) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode(text));
      if (close) connection.close();
      else held.push(connection);
    }
  })();
  const auth = openDovecot({
    endpoint: { host: "127.0.0.1", port: listener.addr.port },
    connectTimeout: 100,
    requestTimeout: 100,
  });
  try {
    await body(auth);
  } finally {
    await auth.close();
    for (const connection of held) connection.close();
    listener.close();
    await serving;
  }
}

for (
  const [what, text, detail] of [
    ["says nothing", "", /^No handshake in time$/],
    ["speaks version 2", "VERSION\t2\t0\nMECH\tPLAIN\nDONE\n", /^Expected version 1 .* got 2$/],
    ["has no PLAIN", "VERSION\t1\t2\nMECH\tLOGIN\nDONE\n", /PLAIN$/],
    ["ends no line", "x".repeat(100_000), /^Expected lines/],
    ["never answers", "VERSION\t1\t2\nMECH\tPLAIN\nDONE\n", /^No answer in time$/],
    ["answers others", "MECH\tPLAIN\nDONE\nOK\t7\tuser=ann\nOK\tx\n", /^No answer in time$/],
    ["names nobody", "MECH\tPLAIN\nDONE\nOK\t1\n", /^(Expected Dovecot to name|No answer)/],
    ["asks back", "MECH\tPLAIN\nDONE\nCONT\t1\t\n", /^(Expected an answer|No answer)/],
  ] as const
) {
  Deno.test(`DovecotSasl is unavailable where the other side ${what}`, () =>
    withPeer(text, false, async (auth) => {
      const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
      ok(!result.ok);
      strictEqual(result.reason, "unavailable");
      match(result.detail, detail);
    }));
}

Deno.test("DovecotSasl is unavailable where the other side hangs up each time", () =>
  withPeer("VERSION\t1\t2\nMECH\tPLAIN\nDONE\n", true, async (auth) => {
    for (let i = 0; i < 3; i++) {
      const result = await auth.checkPassword("ann", "Ann's own", CLIENT);
      strictEqual(!result.ok && result.reason, "unavailable");
    }
  }));

Deno.test("authLine() has nothing in it that ends a field or the line", () => {
  const line = authLine({
    id: 1,
    username: "a\tb\n=\x01",
    password: "\t\nü",
    secured: true,
    remoteIp: "::1",
  });
  const base64 = btoa("\0a\tb\n=\x01\0\t\n\xc3\xbc");
  strictEqual(
    line,
    `AUTH\t1\tPLAIN\tservice=imap\tnologin\tsecured\trip=::1\tresp=${base64}\n`,
  );
});

Deno.test("parseReply() takes Dovecot's escapes back", () => {
  deepStrictEqual(parseReply("FAIL\t3\treason=a\x01tb\x01nc\x011\x010\ttemp\tuser=x=y"), {
    type: "fail",
    id: 3,
    fields: new Map([["reason", "a\tb\nc\x01\0"], ["temp", ""], ["user", "x=y"]]),
  });
  deepStrictEqual(parseReply(""), { type: "other" });
});

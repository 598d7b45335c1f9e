// AUTHENTICATE with responses that are no base64, or hold no credentials.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const RESPONSES = [
  "!!!!",
  "====",
  "A",
  "AAA",
  "AAAA=",
  "AGE=AGE=",
  "",
  "*",
  btoa("no NUL at all"),
  btoa("\0"),
  btoa("\0\0"),
  btoa("\0u1"),
  btoa("\0\0secret"),
  btoa("other\0u1\0secret"),
  btoa("\0u1\0secret\0more"),
  btoa("\0u1\0\xff\xfe"),
  btoa(`\0${"u".repeat(2000)}\0secret`),
  "a LOGIN u1 secret",
];

Deno.test("AUTHENTICATE PLAIN: a wrong response is refused, and the next login works", async () => {
  await using server = await startServer();
  for (const response of RESPONSES) {
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    await client.send("a AUTHENTICATE PLAIN\r\n");
    assert.match(await client.line() ?? "", /^\+ ?$/);
    await client.send(`${response}\r\n`);
    const reply = (await client.until("a")).pop() ?? "";
    assert.match(reply, /^a (NO|BAD) /, response.slice(0, 40));
    if (response === "*") assert.match(reply, /^a BAD /);
    await client.ok(`LOGIN ${server.freshUser()} ${PASSWORD}`);
  }
});

Deno.test("AUTHENTICATE PLAIN: a wrong initial response is refused, and the next login works", async () => {
  await using server = await startServer();
  for (const response of [...RESPONSES.filter((text) => !/^\*?$|[ ]/.test(text)), "="]) {
    await using client = await RawConnection.tls(server.tlsPort);
    await client.line();
    const reply = (await client.command(`AUTHENTICATE PLAIN ${response}`)).pop() ?? "";
    assert.match(reply, /^t\d+ (NO|BAD) /, response.slice(0, 40));
    await client.ok(`LOGIN ${server.freshUser()} ${PASSWORD}`);
  }
});

Deno.test("AUTHENTICATE: an unknown mechanism is refused without a continuation", async () => {
  await using server = await startServer();
  await using client = await RawConnection.tls(server.tlsPort);
  await client.line();
  for (const mechanism of ["XYZZY", "ANONYMOUS", "GSSAPI", "EXTERNAL ="]) {
    assert.match(
      (await client.command(`AUTHENTICATE ${mechanism}`)).join("\n"),
      /^t\d+ (NO|BAD) [^\n]*$/,
    );
  }
});

Deno.test("AUTHENTICATE: who sends no base64, and then nothing, holds up nobody (CVE-2025-59028)", async () => {
  await using server = await startServer();
  const stalled: RawConnection[] = [];
  try {
    for (let i = 0; i < 60; i++) {
      const client = await RawConnection.plain(server.port);
      stalled.push(client);
      await client.line();
      await client.send("a AUTHENTICATE PLAIN\r\n");
      await client.line();
      await client.send(
        i % 3 === 0 ? "!!!!\r\n" : i % 3 === 1 ? "AHUx" : "=\r\nb AUTHENTICATE PLAIN !\r\n",
      );
    }
    for (let i = 0; i < 5; i++) {
      await using client = await RawConnection.plain(server.port);
      await client.line();
      const plain = btoa(`\0${server.freshUser()}\0${PASSWORD}`);
      await client.ok(`AUTHENTICATE PLAIN ${plain}`);
      await client.ok("SELECT INBOX");
    }
  } finally {
    for (const client of stalled) await client.close();
  }
});

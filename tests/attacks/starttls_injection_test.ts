// A man in the middle appends commands to the client's STARTTLS, hoping that they are carried out
// as if they had come through TLS (CVE-2011-0411 and its kin).

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("STARTTLS: never carries out what came with it in the same packet", async () => {
  await using server = await startServer();
  const injections = [
    "b NOOP\r\n",
    `b LOGIN ${server.freshUser()} ${PASSWORD}\r\n`,
    "b LOGOUT\r\n",
    "b NO", // the rest comes through TLS
    "b LOGIN {100+}\r\n",
  ];
  for (const injected of injections) {
    await using plain = await RawConnection.plain(server.port);
    await plain.line();
    await plain.send(`a STARTTLS\r\n${injected}`);
    const reply = await plain.line();
    assert.match(reply ?? "a BAD", /^a (OK|NO|BAD)|^\* BYE/, injected);
    if (!reply?.startsWith("a OK")) {
      assert.doesNotMatch(await plain.rest(), /^b /m, injected);
      continue;
    }
    let inner: RawConnection;
    try {
      inner = await plain.startTls();
    } catch {
      continue; // the server closed the connection: nothing can be carried out any more
    }
    await inner.send("c NOOP\r\n");
    await inner.send("d CAPABILITY\r\n");
    await inner.send("e LOGOUT\r\n");
    const answers = await inner.rest();
    assert.doesNotMatch(answers, /^b /m, injected);
    assert.doesNotMatch(answers, /^c BAD/m, injected);
    await inner.close();
  }
});

Deno.test("STARTTLS: works with nothing behind it, and only once", async () => {
  await using server = await startServer();
  await using plain = await RawConnection.plain(server.port);
  await plain.line();
  await plain.ok("STARTTLS");
  await using inner = await plain.startTls();
  assert.doesNotMatch((await inner.ok("CAPABILITY")).join(), /STARTTLS|LOGINDISABLED/);
  assert.match((await inner.command("STARTTLS")).pop() ?? "", /^t\d+ (BAD|NO)/);
  await inner.ok(`LOGIN ${server.freshUser()} ${PASSWORD}`);
});

Deno.test("STARTTLS: octets behind it in the same packet end the connection", async () => {
  // Mox took them for what the client says next (August 2026), as others had before (CVE-2011-0411).
  await using server = await startServer();
  for (const injected of ["b NOOP\r\n", "b", "\r\n", "\x16\x03\x01\x00\x05"]) {
    await using plain = await RawConnection.plain(server.port);
    await plain.line();
    await plain.send(`a STARTTLS\r\n${injected}`);
    assert.doesNotMatch(await plain.rest(), /^b /m);
  }
  await server.stop();
  assert.equal(server.log().match(/bytes after STARTTLS\b.*octets/g)?.length, 4);
});

Deno.test("COMPRESS: what comes with it in the same packet is compressed, or ends the connection", async () => {
  await using server = await startServer();
  await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
  await client.send("a COMPRESS DEFLATE\r\nb CREATE Injected\r\n");
  assert.match(await client.line() ?? "", /^a OK /);
  assert.doesNotMatch(await client.rest(), /^b /m);
  await using after = await RawConnection.login(server.tlsPort, "u1", PASSWORD);
  assert.deepEqual(await after.ok('LIST "" Injected'), []);
});

Deno.test("AUTHENTICATE: what comes with it is its response, and no command", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using client = await RawConnection.tls(server.tlsPort);
  await client.line();
  await client.send(`a AUTHENTICATE PLAIN\r\nb LOGIN ${user} ${PASSWORD}\r\nc NOOP\r\n`);
  const lines = await client.until("c");
  assert.ok(!lines.some((line) => line.startsWith("b ")), lines.join("\n"));
  assert.match((await client.command("SELECT INBOX")).pop() ?? "", /^t1 BAD Log in first/);
});

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

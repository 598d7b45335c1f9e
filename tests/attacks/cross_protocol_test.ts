// A browser is made to send a request to the IMAP port, whose body holds IMAP commands.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("HTTP request: ends the connection, and no line of it is carried out", async () => {
  await using server = await startServer();
  for (const first of ["GET / HTTP/1.1", "POST / HTTP/1.1", "OPTIONS * HTTP/1.0"]) {
    const commands = `a NOOP\r\nb LOGIN ${server.freshUser()} ${PASSWORD}\r\nc SELECT INBOX\r\n`;
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.send(
      `${first}\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: ${commands.length}\r\n` +
        `Content-Type: text/plain\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n${commands}`,
    );
    const answer = await client.rest();
    assert.doesNotMatch(answer, /^[abc] OK/m, first);
  }
  await using client = await RawConnection.plain(server.port);
  await client.line();
  await client.ok("NOOP");
});

Deno.test("noise before login: a row of lines that are no commands ends the connection", async () => {
  await using server = await startServer();
  await using client = await RawConnection.plain(server.port);
  await client.line();
  await client.send("EHLO example.org\r\n".repeat(100));
  const answer = await client.rest();
  assert.doesNotMatch(answer, / OK /);
  assert.ok((answer.match(/BAD/g)?.length ?? 0) < 100);
});

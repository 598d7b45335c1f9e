// A browser is made to send a request to the IMAP port, whose body holds IMAP commands.

import assert from "node:assert/strict";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

Deno.test("HTTP request: ends the connection, and no line of it is carried out", async () => {
  await using server = await startServer();
  for (const first of ["GET / HTTP/1.1", "POST / HTTP/1.1", "OPTIONS * HTTP/1.0"]) {
    await using curt = await RawConnection.plain(server.port);
    await curt.line();
    await curt.send(`${first}\r\na LOGOUT\r\n`);
    assert.equal(await curt.rest(), "* BYE Expected IMAP, got HTTP\r\n");
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

/** A ClientHello as OpenSSL begins one: a record, and in it what a server may read as lines. */
const CLIENT_HELLO = Uint8Array.of(
  ...[22, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3],
  ...new TextEncoder().encode("\r\na LOGOUT\r\nb NOOP\r\n"),
  ...new Uint8Array(30).fill(13),
);

const PROBES: Record<string, string | Uint8Array> = {
  "TLS": CLIENT_HELLO,
  "SSL 2": Uint8Array.of(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 13, 10, 13, 10),
  "SSH": "SSH-2.0-OpenSSH_9.7\r\n\0\0\x05\xdc\x06\x14",
  "SMTP": "EHLO example.org\r\nMAIL FROM:<a@b>\r\nRCPT TO:<u1>\r\nDATA\r\n",
  "POP": "USER u1\r\nPASS secret\r\nSTAT\r\nQUIT\r\n",
  "HTTP 2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "RDP": Uint8Array.of(3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0),
  "SIP": "OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n",
  "NULs": "\0".repeat(100) + "\r\n".repeat(100),
};

for (const kind of ["plain", "TLS"] as const) {
  Deno.test(`cross-protocol probe: what another protocol says on the ${kind} port is no login`, async () => {
    await using server = await startServer();
    for (const [what, probe] of Object.entries(PROBES)) {
      await using client = await RawConnection.plain(
        kind === "plain" ? server.port : server.tlsPort,
      );
      if (kind === "plain") await client.line();
      await client.send(probe);
      await client.send("\r\n".repeat(10));
      // Not all of them bring the server to close: who says nothing more may still be a client.
      await client.send("z LOGOUT\r\n");
      const answer = await client.rest();
      assert.doesNotMatch(answer, /^(?!z )[^*\s]+ OK/m, what);
    }
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.ok("NOOP");
    assert.doesNotMatch(server.log(), /bug|Internal error/);
  });
}

Deno.test("cross-protocol probe: IMAP without TLS on the TLS port gets no word of it", async () => {
  await using server = await startServer();
  await using client = await RawConnection.plain(server.tlsPort);
  await client.send(`a LOGIN ${server.freshUser()} ${PASSWORD}\r\nb SELECT INBOX\r\n`);
  assert.doesNotMatch(await client.rest(), /IMAP|OK|\* /);
});

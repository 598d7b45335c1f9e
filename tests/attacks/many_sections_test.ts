// FETCH of thousands of sections of messages with thousands of parts: a server that reads where the
// parts are for each of the sections anew takes minutes.

import { match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";

const COUNT = 33;
const MESSAGE = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
  `${"--b\r\n\r\nx\r\n".repeat(10_000)}--b--\r\n`;

function items(count: number, spelled: (part: number) => string): string {
  return Array.from({ length: count }, (_, i) => spelled(9998 - i)).join(" ");
}

Deno.test("FETCH: reads where the parts of a message are once for all sections of it", async () => {
  await using server = await startServer();
  const address = { host: "127.0.0.1", port: server.port };
  await using client = await ImapClient.login(address, server.freshUser(), PASSWORD);
  client.line(`a APPEND INBOX${` {${MESSAGE.length}+}\r\n${MESSAGE}`.repeat(COUNT)}`);
  match((await client.answer("a", 60_000)).reply, /^OK /);
  await client.command("SELECT INBOX");
  for (
    const [asked, last] of [
      [items(2500, (part) => `BODY.PEEK[${part}]<0.1>`), "BODY[7499]<0> {1}\r\nx)"],
      [items(2500, (part) => `BODY.PEEK[${part}.MIME]`), "BODY[7499.MIME] {2}\r\n\r\n)"],
      [items(2500, (part) => `BINARY.SIZE[${part}]`), "BINARY.SIZE[7499] 1)"],
    ]
  ) {
    const { untagged, reply } = await client.command(`FETCH 1:* (${asked})`, 60_000);
    match(reply, /^OK /);
    strictEqual(untagged.length, COUNT);
    for (const response of untagged) strictEqual(response.slice(-last.length), last);
  }
});

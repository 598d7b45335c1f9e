// FETCH of thousands of sections of a message with thousands of parts: a server that reads for each of
// the sections where all parts are takes seconds for each message.

import { match, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { imapServer } from "../imap_server.ts";

const SECTIONS = 300;
const MESSAGE = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
  `${"--b\r\n\r\nx\r\n".repeat(5000)}--b--\r\n`;

function items(spelled: (part: number) => string): string {
  return Array.from({ length: SECTIONS }, (_, i) => spelled(4998 - i)).join(" ");
}

Deno.test("FETCH: reads where the parts of a message are once for all sections of it", async () => {
  await using server = await imapServer({ known: { passwords: { ann: "secret" } } });
  const address = { host: "127.0.0.1", port: server.port };
  await using client = await ImapClient.login(address, "ann", "secret");
  match((await client.append("INBOX", MESSAGE)).reply, /^OK /);
  await client.command("SELECT INBOX");
  const { parse } = JSON;
  let parsed = 0;
  JSON.parse = (text, reviver) => {
    if (text.length > 100_000) parsed++;
    return parse(text, reviver);
  };
  try {
    for (
      const [asked, last] of [
        [items((part) => `BODY.PEEK[${part}]<0.1>`), "BODY[4699]<0> {1}\r\nx)"],
        [items((part) => `BODY.PEEK[${part}.MIME]`), "BODY[4699.MIME] {2}\r\n\r\n)"],
        [items((part) => `BINARY.SIZE[${part}]`), "BINARY.SIZE[4699] 1)"],
      ]
    ) {
      parsed = 0;
      const { untagged, reply } = await client.command(`FETCH 1 (${asked})`, 60_000);
      match(reply, /^OK /);
      const [response] = untagged.filter((each) => each.startsWith("* 1 FETCH "));
      strictEqual(response.slice(-last.length), last);
      ok(parsed > 0 && parsed < 10, `Expected it to be read once, got ${parsed}`);
    }
  } finally {
    JSON.parse = parse;
  }
});

// Many messages of which each has as much structure as there may be.

import { match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer } from "../harness.ts";

const COUNT = 33;
/** BODYSTRUCTURE of it has some 550 KB. */
const MESSAGE =
  "Subject: parts\r\nX-Own: yes\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
  `${"--b\r\n\r\nx\r\n".repeat(10_000)}--b--\r\n`;

Deno.test("FETCH and SEARCH of messages with 10,000 parts each read no more of them at once than fits", async () => {
  await using server = await startServer();
  const address = { host: "127.0.0.1", port: server.port };
  await using client = await ImapClient.login(address, server.freshUser(), PASSWORD);
  client.line(`a APPEND INBOX${` {${MESSAGE.length}+}\r\n${MESSAGE}`.repeat(COUNT)}`);
  match((await client.answer("a", 60_000)).reply, /^OK /);
  await client.command("SELECT INBOX");
  client.line("b FETCH 1:* (UID BODYSTRUCTURE)");
  const structures = await client.answer("b", 60_000);
  match(structures.reply, /^OK /);
  strictEqual(structures.untagged.length, COUNT);
  for (const [i, response] of structures.untagged.entries()) {
    // The last of so many parts takes all the rest.
    strictEqual(response.split('("text" "plain"').length - 1, 9999);
    match(response.slice(0, 60), new RegExp(`^\\* ${i + 1} FETCH \\(UID ${i + 1} BODYSTRUCTURE`));
  }
  const marked = await client.command("FETCH 1:* (BODY[9998] BODY[9999]<0.3>)", 60_000);
  match(marked.reply, /^OK /);
  strictEqual(marked.untagged.filter((each) => each.includes("\\Seen")).length, COUNT);
  strictEqual(marked.untagged.every((each) => each.includes("BODY[9998] {1}\r\nx")), true);
  for (const key of ["BODY x", "HEADER X-Own yes", "TEXT nothing-of-that"]) {
    const { untagged } = await client.command(`SEARCH RETURN (COUNT) ${key}`, 60_000);
    strictEqual(untagged[0]?.split("COUNT ")[1], key.startsWith("TEXT") ? "0" : String(COUNT), key);
  }
});

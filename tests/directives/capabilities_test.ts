// `capabilities` of an endpoint, as clients hear of them.

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";

function loggedIn(server: TestServer): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, server.freshUser(), PASSWORD);
}

async function offeredTo(client: ImapClient): Promise<readonly string[]> {
  const { untagged } = await client.command("CAPABILITY");
  strictEqual(untagged.length, 1);
  return untagged[0].split(" ").slice(2);
}

Deno.test("capabilities.disable: what is named and what needs it is not offered, the rest is", async () => {
  await using server = await startServer({
    imap: 'capabilities = { disable = ["condstore", "APPENDLIMIT"] }\n',
  });
  await using client = await loggedIn(server);
  const offered = await offeredTo(client);
  deepStrictEqual(offered.filter((name) => /^(CONDSTORE|QRESYNC|APPENDLIMIT)/.test(name)), []);
  ok(offered.includes("MOVE") && offered.includes("ENABLE"));
  const { untagged, reply } = await client.command("ENABLE CONDSTORE QRESYNC");
  deepStrictEqual(untagged, ["* ENABLED"]);
  strictEqual(reply, "OK ENABLE completed");
});

Deno.test("capabilities.disable: without a part of IMAP4rev2 there is no IMAP4rev2", async () => {
  await using server = await startServer({ imap: 'capabilities = { disable = ["MOVE"] }\n' });
  await using client = await loggedIn(server);
  const offered = await offeredTo(client);
  ok(!offered.includes("IMAP4rev2") && offered.includes("IMAP4rev1"));
  const { untagged } = await client.command("ENABLE IMAP4rev2");
  deepStrictEqual(untagged, ["* ENABLED"]);
});

Deno.test("capabilities.disable: a mechanism of SASL is refused", async () => {
  await using server = await startServer({ imap: 'capabilities = { disable = ["AUTH=PLAIN"] }\n' });
  await using client = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
  const greeting = await client.response() ?? "";
  ok(!greeting.includes("AUTH=PLAIN"), greeting);
  const { reply } = await client.command("AUTHENTICATE PLAIN AHUAcA==");
  strictEqual(reply, "NO [CANNOT] Unsupported mechanism");
});

Deno.test("capabilities.client_quirks = false: nothing depends on what a client calls itself", async () => {
  await using server = await startServer({ imap: "capabilities = { client_quirks = false }\n" });
  await using client = await loggedIn(server);
  const before = await offeredTo(client);
  const { untagged } = await client.command('ID ("name" "Microsoft Office 365")');
  strictEqual(untagged.length, 1);
  await client.command('ID ("name" "iPhone Mail")');
  deepStrictEqual(await offeredTo(client), before);
});

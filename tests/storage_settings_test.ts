// Settings of a storage, through running servers.

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ImapClient } from "./client.ts";
import { PASSWORD, startServer, type TestServer } from "./harness.ts";

const MESSAGE = "Subject: hello\r\n\r\nHello\r\n";

function connect(server: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD);
}

Deno.test("appendlimit: is announced and kept where it is less than that of the endpoint", async () => {
  await using server = await startServer({ storage: 'appendlimit = "1 KiB"\n' });
  await using client = await connect(server, server.freshUser());
  const { untagged } = await client.command("CAPABILITY");
  match(untagged.join("\n"), /(^| )APPENDLIMIT=1024( |$)/m);
  const status = await client.command("STATUS INBOX (APPENDLIMIT)");
  deepStrictEqual(status.untagged, ["* STATUS INBOX (APPENDLIMIT 1024)"]);
  match((await client.append("INBOX", MESSAGE)).reply, /^OK /);
  match((await client.command("APPEND INBOX {1025}")).reply, /^NO \[TOOBIG\] /);
});

Deno.test("appendlimit: does not raise the limit of the endpoint", async () => {
  await using server = await startServer({
    imap: 'limits.append = "1 KiB"\n',
    storage: 'appendlimit = "1 MiB"\n',
  });
  await using client = await connect(server, server.freshUser());
  const { untagged } = await client.command("CAPABILITY");
  match(untagged.join("\n"), /(^| )APPENDLIMIT=1024( |$)/m);
});

Deno.test("appendlimits: some mailboxes take less, and STATUS tells how much", async () => {
  await using server = await startServer({
    imap: 'limits.append = "2 KiB"\n',
    storage: 'appendlimits = { Drafts = "1 KiB", Sent = "0 B", INBOX = "1 MiB" }\n',
  });
  await using client = await connect(server, server.freshUser());
  const { untagged } = await client.command("CAPABILITY");
  match(untagged.join("\n"), /(^| )APPENDLIMIT( |$)/m);
  const { untagged: listed } = await client.command(
    'LIST "" (INBOX Drafts Sent Trash) RETURN (STATUS (APPENDLIMIT))',
  );
  deepStrictEqual(listed.filter((line) => line.startsWith("* STATUS")), [
    "* STATUS INBOX (APPENDLIMIT 2048)",
    "* STATUS Drafts (APPENDLIMIT 1024)",
    "* STATUS Sent (APPENDLIMIT 0)",
    "* STATUS Trash (APPENDLIMIT 2048)",
  ]);
  deepStrictEqual((await client.command("STATUS Drafts (APPENDLIMIT)")).untagged, [
    "* STATUS Drafts (APPENDLIMIT 1024)",
  ]);
  // Before the message is sent.
  match((await client.command("APPEND Drafts {1025}")).reply, /^NO \[TOOBIG\] /);
  match((await client.command("APPEND Sent {1}")).reply, /^NO \[TOOBIG\] /);
  match((await client.command("APPEND INBOX {2049}")).reply, /^NO \[TOOBIG\] /);
  const octets = (count: number) => MESSAGE + "x".repeat(count - MESSAGE.length);
  match((await client.append("Drafts", octets(1024))).reply, /^OK /);
  match((await client.append("INBOX", octets(2048))).reply, /^OK /);
  const half = octets(600);
  match(
    (await client.command(
      `APPEND Drafts CATENATE (TEXT {600+}\r\n${half} TEXT {600+}\r\n${half})`,
    )).reply,
    /^NO \[TOOBIG\] /,
  );
  await client.command("SELECT INBOX");
  match(
    (await client.command(`REPLACE 1 Drafts {1025+}\r\n${octets(1025)}`)).reply,
    /^NO \[TOOBIG\] /,
  );
  match((await client.command("COPY 1 Drafts")).reply, /^OK /);
});

Deno.test("quota: refuses what would pass it, and says so", async () => {
  await using server = await startServer({
    storage: 'quota = { storage = "1 KiB", messages = 2 }\n',
  });
  await using client = await connect(server, server.freshUser());
  const large = `Subject: large\r\n\r\n${"x".repeat(1020)}\r\n`;
  match((await client.append("INBOX", large)).reply, /^NO \[OVERQUOTA\] /);
  match((await client.append("INBOX", MESSAGE)).reply, /^OK /);
  await client.command("SELECT INBOX");
  match((await client.command("COPY 1 Sent")).reply, /^OK /);
  match((await client.command("COPY 1 Sent")).reply, /^NO \[OVERQUOTA\] /);
  // Before the message is sent.
  match((await client.command(`APPEND INBOX {${MESSAGE.length}}`)).reply, /^NO \[OVERQUOTA\] /);
  match((await client.command("MOVE 1 Sent")).reply, /^OK /);
  match((await client.command("NOOP")).reply, /^OK /);
  await using other = await connect(server, server.freshUser());
  match((await other.append("INBOX", MESSAGE)).reply, /^OK /);
});

Deno.test("disable_recent: nothing is recent, in any way that a client can ask", async () => {
  await using server = await startServer({ storage: "disable_recent = true\n" });
  const user = server.freshUser();
  await using client = await connect(server, user);
  await client.append("INBOX", MESSAGE);
  const status = await client.command("STATUS INBOX (MESSAGES RECENT)");
  deepStrictEqual(status.untagged, ["* STATUS INBOX (MESSAGES 1 RECENT 0)"]);
  for (const select of ["EXAMINE", "SELECT"]) {
    ok((await client.command(`${select} INBOX`)).untagged.includes("* 0 RECENT"));
  }
  await client.append("INBOX", MESSAGE);
  ok(!(await client.command("NOOP")).untagged.some((line) => /[1-9] RECENT/.test(line)));
  const { untagged } = await client.command("FETCH 1:* (FLAGS)");
  deepStrictEqual(untagged, ["* 1 FETCH (FLAGS ())", "* 2 FETCH (FLAGS ())"]);
  deepStrictEqual((await client.command("SEARCH RECENT")).untagged, ["* SEARCH"]);
  strictEqual((await client.command("SEARCH OLD")).untagged[0], "* SEARCH 1 2");
});

Deno.test("delivery_map: any form of a table is taken", async () => {
  const storage =
    'delivery_map = "email_localpart_optional"\ndelivery_normalize = "precis_email"\n';
  await using server = await startServer({ storage });
  await using client = await connect(server, server.freshUser());
  match((await client.command("NOOP")).reply, /^OK /);
});

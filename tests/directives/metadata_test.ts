// Annotations of the server as a whole: who may change them, and what outlives a restart.

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";

function login({ port }: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port }, user, PASSWORD);
}

async function replyTo(client: ImapClient, command: string): Promise<string> {
  return (await client.command(command)).reply;
}

Deno.test("admins: they change what all users of the server see, for good", async () => {
  await using server = await startServer({ imap: 'admins = ["u1"]\n' });
  await using admin = await login(server, "u1");
  await using user = await login(server, "u2");
  await user.command("ENABLE METADATA");
  match(await replyTo(user, 'SETMETADATA "" (/shared/comment "x")'), /^NO \[NOPERM\]/);
  match(
    await replyTo(
      admin,
      'SETMETADATA "" (/shared/Comment "Down at noon" /private/vendor/v/x "mine" /shared/vendor/v/y "2")',
    ),
    /^OK/,
  );
  deepStrictEqual((await user.command("NOOP")).untagged, [
    '* METADATA "" /shared/Comment /shared/vendor/v/y',
  ]);
  match(await replyTo(admin, 'SETMETADATA "" (/shared/vendor/v/y NIL)'), /^OK/);
  const long = "x".repeat(60_000);
  match(
    await replyTo(admin, `SETMETADATA "" (/shared/comment "y" /shared/z "${long}${long}")`),
    /^BAD/,
  );
  const all = 'GETMETADATA (DEPTH infinity) "" (/shared /private)';
  await server.restart();
  await using later = await login(server, "u2");
  deepStrictEqual((await later.command(all)).untagged, [
    '* METADATA "" (/shared/Comment "Down at noon" /private NIL)',
  ]);
  await using again = await login(server, "u1");
  deepStrictEqual((await again.command(all)).untagged, [
    '* METADATA "" (/shared/Comment "Down at noon" /private/vendor/v/x "mine")',
  ]);
});

Deno.test("admin_contact: clients read it, and nobody changes it", async () => {
  const contact = "mailto:postmaster@example.org";
  await using server = await startServer({
    imap: `admins = ["u1"]\nadmin_contact = "${contact}"\n`,
  });
  await using admin = await login(server, "u1");
  deepStrictEqual((await admin.command('GETMETADATA "" /shared/admin')).untagged, [
    `* METADATA "" (/shared/admin "${contact}")`,
  ]);
  const refused = 'SETMETADATA "" (/shared/comment "x" /shared/admin "tel:1")';
  match(await replyTo(admin, refused), /^NO \[CANNOT\]/);
  deepStrictEqual((await admin.command('GETMETADATA "" /shared/comment')).untagged, [
    '* METADATA "" (/shared/comment NIL)',
  ]);
});

Deno.test("SETMETADATA: keeps any octets, and tells how much is too much", async () => {
  await using server = await startServer({ imap: 'admins = ["u1"]\n' });
  await using client = await login(server, "u1");
  match(await replyTo(client, "SETMETADATA INBOX (/private/x ~{4+}\r\na\0\xffb)"), /^OK/);
  deepStrictEqual((await client.command("GETMETADATA INBOX /private/x")).untagged, [
    "* METADATA INBOX (/private/x ~{4}\r\na\0\xffb)",
  ]);
  for (const mailbox of ["INBOX", '""']) {
    const names = Array.from({ length: 250 }, (_, i) => `/shared/${i} "${i}"`);
    const all = `SETMETADATA ${mailbox} (${names.join(" ")})`;
    if (mailbox === "INBOX") {
      match(await replyTo(client, all), /^NO \[METADATA TOOMANY\]/);
      match(await replyTo(client, "SETMETADATA INBOX (/private/x NIL)"), /^OK/);
    }
    match(await replyTo(client, all), /^OK/);
    match(
      await replyTo(client, `SETMETADATA ${mailbox} (/shared/x "x")`),
      /^NO \[METADATA TOOMANY\]/,
    );
    match(
      await replyTo(client, `SETMETADATA ${mailbox} (/shared/0 {65537+}\r\n${"x".repeat(65537)})`),
      /^NO \[METADATA MAXSIZE 65536\]/,
    );
    const { untagged } = await client.command(`GETMETADATA (DEPTH 1) ${mailbox} /shared`);
    strictEqual(untagged.join(" ").match(/\/shared\/\d+ "\d+"/g)?.length, 250);
  }
});

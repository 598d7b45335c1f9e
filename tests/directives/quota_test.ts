// Quotas as IMAP clients see them: limits of all, of a table, and of admins; hard and soft ones.

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";

const MESSAGE = "Subject: test\r\n\r\nHello\r\n";

function login({ port }: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port }, user, PASSWORD);
}

async function replyTo(client: ImapClient, command: string): Promise<string> {
  return (await client.command(command)).reply;
}

function append(client: ImapClient, mailbox = "INBOX", octets = MESSAGE.length) {
  const text = MESSAGE + "x".repeat(octets - MESSAGE.length);
  return client.command(`APPEND ${mailbox} {${octets}+}\r\n${text}`);
}

const LIMITS = 'quota = { storage = "3 KiB", messages = 3, mailboxes = 7 }\n';

Deno.test("quota: GETQUOTA tells what there is and may be, and NO [OVERQUOTA] what is too much", async () => {
  await using server = await startServer({ storage: LIMITS });
  await using client = await login(server, "u1");
  deepStrictEqual((await client.command("GETQUOTAROOT Sent")).untagged, [
    "* QUOTAROOT Sent #user/u1",
    "* QUOTA #user/u1 (STORAGE 0 3 MESSAGE 0 3 MAILBOX 6 7)",
  ]);
  match((await append(client, "INBOX", 1025)).reply, /^OK/);
  match(await replyTo(client, "CREATE a"), /^OK/);
  match(await replyTo(client, "CREATE b"), /^NO \[OVERQUOTA\]/);
  await client.command("SELECT INBOX");
  match(await replyTo(client, "COPY 1 a"), /^OK/);
  deepStrictEqual((await client.command("GETQUOTA #user/u1")).untagged, [
    "* QUOTA #user/u1 (STORAGE 3 3 MESSAGE 2 3 MAILBOX 7 7)",
  ]);
  match((await append(client, "INBOX", 1025)).reply, /^NO \[OVERQUOTA\]/);
  match(await replyTo(client, "COPY 1 a"), /^NO \[OVERQUOTA\]/);
  match(await replyTo(client, "UID MOVE 1 a"), /^OK/);
  match((await append(client)).reply, /^OK/);
  match((await append(client)).reply, /^NO \[OVERQUOTA\]/);
  match(await replyTo(client, "DELETE a"), /^OK/);
  match((await append(client)).reply, /^OK/);
  deepStrictEqual((await client.command("GETQUOTA #user/u1")).untagged, [
    "* QUOTA #user/u1 (STORAGE 1 3 MESSAGE 2 3 MAILBOX 6 7)",
  ]);
});

Deno.test("quota: several messages are added together or not at all, and others take their place", async () => {
  await using server = await startServer({ storage: LIMITS });
  await using client = await login(server, "u1");
  const literal = `{${MESSAGE.length}+}\r\n${MESSAGE}`;
  const both = `APPEND INBOX ${literal} ${literal}`;
  match(await replyTo(client, both), /^OK \[APPENDUID \d+ 1:2\]/);
  match(await replyTo(client, both), /^NO \[OVERQUOTA\]/);
  deepStrictEqual((await client.command("STATUS INBOX (MESSAGES)")).untagged, [
    "* STATUS INBOX (MESSAGES 2)",
  ]);
  match(await replyTo(client, `APPEND INBOX ${literal}`), /^OK/);
  await client.command("SELECT INBOX");
  match(await replyTo(client, `REPLACE 1 INBOX ${literal}`), /^OK/);
  const large = `{3000+}\r\n${MESSAGE}${"x".repeat(3000 - MESSAGE.length)}`;
  match(await replyTo(client, `REPLACE 1 INBOX ${large}`), /^OK/);
  match(
    await replyTo(client, `REPLACE 1 INBOX {3060+}${large.slice(7)}${"x".repeat(60)}`),
    /^NO \[OVERQUOTA\]/,
  );
  match(
    await replyTo(client, `APPEND INBOX CATENATE (TEXT ${literal})`),
    /^NO \[OVERQUOTA\]/,
  );
});

Deno.test("quota.soft: nothing is refused, and clients are told", async () => {
  await using server = await startServer({
    storage: "quota = { messages = 1, mailboxes = 1, soft = true }\n",
  });
  await using client = await login(server, "u1");
  deepStrictEqual((await append(client)).untagged, []);
  const second = await append(client);
  match(second.reply, /^OK \[APPENDUID /);
  deepStrictEqual(second.untagged, [
    "* NO [OVERQUOTA] The account may hold 1 messages: it has 1",
  ]);
  match(await replyTo(client, "CREATE a"), /^OK/);
  await client.command("SELECT INBOX");
  const copied = await client.command("COPY 1:2 a");
  match(copied.reply, /^OK \[COPYUID /);
  strictEqual(copied.untagged[0], "* NO [OVERQUOTA] The account may hold 1 messages: it has 2");
  const moved = await client.command("MOVE 1:2 a");
  strictEqual(moved.untagged.some((line) => line.includes("OVERQUOTA")), false);
});

Deno.test("quota.map: an account has the limits of its row", async () => {
  await using server = await startServer({
    storage: 'quota = { messages = 5, map = ["file", "limits"] }\n',
    files: { limits: "u1: messages=1 storage=2KiB\nu2: ?\n" },
  });
  await using first = await login(server, "u1");
  strictEqual(
    (await first.command("GETQUOTAROOT INBOX")).untagged[1],
    "* QUOTA #user/u1 (STORAGE 0 2 MESSAGE 0 1)",
  );
  match((await append(first)).reply, /^OK/);
  match((await append(first)).reply, /^NO \[OVERQUOTA\]/);
  for (const user of ["u2", "u3"]) {
    await using other = await login(server, user);
    strictEqual(
      (await other.command("GETQUOTAROOT INBOX")).untagged[1],
      `* QUOTA #user/${user} (MESSAGE 0 5)`,
    );
  }
  match(server.log(), /limits of an account are not understood/);
});

Deno.test("quota.map: a table that cannot be read is found at the start", async () => {
  await rejects(
    startServer({ storage: 'quota = { map = ["file", "."] }\n' }),
    /Is a directory|not a file|EISDIR/i,
  );
});

Deno.test("admins: they see and set the quotas of all accounts", async () => {
  await using server = await startServer({ imap: 'admins = ["u1"]\n', storage: LIMITS });
  await using admin = await login(server, "u1");
  await using user = await login(server, "u2");
  deepStrictEqual((await admin.command("GETQUOTA #user/u2")).untagged, [
    "* QUOTA #user/u2 (STORAGE 0 3 MESSAGE 0 3 MAILBOX 6 7)",
  ]);
  match(await replyTo(admin, "GETQUOTA #user/nobody"), /^NO \[NONEXISTENT\]/);
  match(await replyTo(admin, "GETQUOTA #user/../u2"), /^NO \[NONEXISTENT\]/);
  match(await replyTo(admin, "GETQUOTA nothing"), /^NO \[NONEXISTENT\]/);
  match(await replyTo(user, "SETQUOTA #user/u2 ()"), /^NO \[NOPERM\]/);
  match(await replyTo(user, "GETQUOTA #user/u1"), /^NO \[NOPERM\]/);
  const set = await admin.command("SETQUOTA #user/u2 (storage 510 MESSAGE 1)");
  match(set.reply, /^OK/);
  deepStrictEqual(set.untagged, ["* QUOTA #user/u2 (STORAGE 0 510 MESSAGE 0 1)"]);
  match((await append(user)).reply, /^OK/);
  match((await append(user)).reply, /^NO \[OVERQUOTA\]/);
  match(await replyTo(admin, "SETQUOTA #user/u2 (MESSAGE 5 COLOUR 1)"), /^NO \[CANNOT\]/);
  deepStrictEqual((await admin.command("SETQUOTA #user/u2 (MAILBOX 0)")).untagged, [
    "* QUOTA #user/u2 (MAILBOX 6 0)",
  ]);
  match(await replyTo(user, "CREATE a"), /^NO \[OVERQUOTA\]/);
  deepStrictEqual((await admin.command("SETQUOTA #user/u2 ()")).untagged, [
    "* QUOTA #user/u2 ()",
  ]);
  await server.restart();
  await using later = await login(server, "u2");
  deepStrictEqual((await later.command("GETQUOTA #user/u2")).untagged, ["* QUOTA #user/u2 ()"]);
  for (let i = 0; i < 4; i++) match((await append(later)).reply, /^OK/);
});

Deno.test("quota: REPLACE needs room only for what the new message has more", async () => {
  await using server = await startServer({
    storage: 'quota = { storage = "1 KiB", messages = 1 }\n',
  });
  await using client = await login(server, "u1");
  match((await append(client, "INBOX", 1000)).reply, /^OK/);
  await client.command("SELECT INBOX");
  const replace = (octets: number) =>
    client.command(`UID REPLACE * INBOX {${octets}+}\r\n${"x".repeat(octets)}`);
  const replaced = await replace(1024);
  match(replaced.reply, /^OK/);
  match(replaced.untagged[0], /^\* OK \[APPENDUID \d+ 2\]/);
  const refused = await replace(1025);
  match(refused.reply, /^NO \[OVERQUOTA\]/);
  deepStrictEqual(refused.untagged, []);
  deepStrictEqual((await client.command("UID SEARCH ALL")).untagged, ["* SEARCH 2"]);
});

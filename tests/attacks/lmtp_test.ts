// Clients of the LMTP endpoint, and senders behind them, that try what they should not.

import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { LmtpClient } from "../lmtp/client.ts";
import { messagesOf, startLmtpServer } from "../lmtp/serving.ts";
import { assertBounded, FLOOD_MIB, residentMemory } from "./memory.ts";

Deno.test("smuggling: only CRLF . CRLF ends a message, whatever looks like it and however it is cut", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  const inner = `MAIL FROM:<evil@x.org>\r\nRCPT TO:<${user}@x.org>\r\nDATA\r\nSubject: smuggled`;
  const ends = [
    "\n.\n",
    "\r.\r",
    "\n.\r\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r.\n",
    "\r\n\0.\r\n",
    "\r\r\n.\n",
  ];
  const bodies = ends.map((end) => `first${end}${inner}\r\nlast\r\n`);
  await using client = await LmtpClient.greeted(server.lmtp);
  for (const body of bodies) {
    await client.says("MAIL FROM:<>", /^250/);
    await client.says(`RCPT TO:<${user}@x.org>`, /^250/);
    await client.says("DATA", /^354/);
    for (const octet of `Subject: one\r\n\r\n${body}.\r\n`) await client.send(octet);
    match(await client.reply(), /^250 2\.0\.0 Saved/);
    await client.says("NOOP", /^250 2\.0\.0 OK/);
  }
  const messages = await messagesOf(server, user);
  strictEqual(messages.length, ends.length);
  for (const message of messages) {
    match(message, /^Return-Path: <>\r\n/);
    ok(message.endsWith("Subject: smuggled\r\nlast\r\n"));
  }
});

Deno.test("smuggling: a command line that ends in a bare LF ends the connection", async () => {
  await using server = await startLmtpServer();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.send("MAIL FROM:<>\nRCPT TO:<a@b.c>\r\nNOOP\r\n");
  strictEqual(await client.rest(), "500 5.5.2 Expected a line that ends in CRLF\r\n");
});

Deno.test("header injection: addresses and names bring no line into the header or the log", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using client = await LmtpClient.connect(server.lmtp);
  await client.says("LHLO x", /^250/);
  for (
    const line of [
      "MAIL FROM:<a@b.c\r>",
      "MAIL FROM:<a\0@b.c>",
      "MAIL FROM:<a@b.c> SIZE=1\rX: y",
      'MAIL FROM:<"a\tb"@c.d>',
      "MAIL FROM:<\x80@b.c>",
      "LHLO a(b)\tc",
      "LHLO a b",
      "LHLO <x>",
    ]
  ) {
    await client.says(line, /^50[01] 5\.5\.[24] /);
  }
  const sender = '"a> b: c\\" d"@x.org';
  match((await client.deliver([`${user}@x.org`], "Subject: x\n\nx\n", sender))[0], /^250/);
  const [message] = await messagesOf(server, user);
  match(message, /^Return-Path: <"a> b: c\\" d"@x\.org>\r\nDelivered-To: [^\r\n]+\r\nReceived: /);
  doesNotMatch(server.log(), /^X: y/m);
});

Deno.test("odd octets: NUL, bytes above 127 and a line of a megabyte are kept as they are", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  const text = `Subject: \0\xff\r\n\r\n\0\x80\xff${"x".repeat(1_000_000)}\r\n`;
  match((await client.deliver([`${user}@x.org`], text))[0], /^250/);
  const folder = `${server.maildir(user)}/cur`;
  const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
  const bytes = await Deno.readFile(`${folder}/${name}`);
  const stored = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
  ok(stored.includes("\r\nSubject: \0\u00ff\r\n\r\n\0"));
  ok(bytes.length > text.length);
});

Deno.test("long lines: a command line that never ends ends the connection, at little memory", async () => {
  await using server = await startLmtpServer();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.send(`MAIL FROM:<${"a".repeat(100_000)}`);
  match(await client.rest(), /^500 5\.5\.2 Expected a line of at most 4096 octets\r\n$/);
});

Deno.test("10,000 recipients: those above the limit are told to come later, the others get it", async () => {
  await using server = await startLmtpServer({ lmtp: "limits = { recipients = 20 }" });
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.says("MAIL FROM:<>", /^250/);
  const sent = client.send(`RCPT TO:<${user}@x.org>\r\n`.repeat(10_000));
  const replies = await client.replies(10_000);
  await sent;
  deepStrictEqual(
    [...Map.groupBy(replies, (each) => each.slice(0, 9))].map((
      [text, { length }],
    ) => [text, length]),
    [["250 2.1.5", 20], ["452 4.5.3", 9980]],
  );
  await client.says("DATA", /^354/);
  await client.send("Subject: x\r\n\r\n.\r\n");
  for (const reply of await client.replies(20)) match(reply, /^250/);
  await client.says("NOOP", /^250 2\.0\.0 OK/);
  strictEqual((await messagesOf(server, user)).length, 1);
});

Deno.test("slowloris: a line that comes octet by octet ends the connection in time", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { command = "1s", idle = "1d" }' });
  await using client = await LmtpClient.greeted(server.lmtp);
  let sending = true;
  const trickle = (async () => {
    while (sending) {
      await client.send("N");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  // What the client still sends may reset the connection before it has read the reply.
  match(await client.rest(), /^(421 4\.4\.2 .*\r\n)?$/);
  sending = false;
  await trickle;
  await server.stop();
  match(server.log(), /^connection ended conn=1 reason=".*Nothing came for too long/m);
});

Deno.test("slowloris: a message that comes slowly is cut off in time, and nothing is left of it", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { data = "1s" }' });
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.says("MAIL FROM:<>", /^250/);
  await client.says(`RCPT TO:<${user}@x.org>`, /^250/);
  await client.says("DATA", /^354/);
  let sending = true;
  const trickle = (async () => {
    while (sending) {
      await client.send("x".repeat(8192));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  // What the client still sends may reset the connection before it has read the reply.
  match(await client.rest(), /^(421 4\.4\.2 .*\r\n)?$/);
  sending = false;
  await trickle;
  strictEqual((await messagesOf(server, user)).length, 0);
  deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.maildir(user)}/tmp`)), []);
});

Deno.test("idle: a connection that says nothing is closed, and so is one above the limit", async () => {
  await using server = await startLmtpServer({
    lmtp: 'limits = { idle = "1s", connections = 1 }',
  });
  await using client = await LmtpClient.connect(server.lmtp);
  await using other = await LmtpClient.connect(server.lmtp).catch((error) => {
    match(String(error), /421 4\.3\.2 Too many connections/);
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  });
  ok(!(other instanceof LmtpClient));
  match(await client.rest(), /^421 4\.4\.2 /);
});

Deno.test("cross-protocol: a browser's request, and a client that never says LHLO, are sent away", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  const body = `LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<${user}@x.org>\r\nDATA\r\nx\r\n.\r\n`;
  for (
    const first of [
      "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
      "EHLO x\r\n",
      "HELO x\r\n",
      "MAIL FROM:<>\r\n",
    ]
  ) {
    await using client = await LmtpClient.connect(server.lmtp);
    await client.send(first + body);
    match(await client.rest(), /^50[03] 5\.5\.1 [^\r\n]*\r\n$/);
  }
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.send("BDAT 10 LAST\r\nRSET\r\nNOOP\r\n");
  match(await client.rest(), /^502 5\.5\.1 [^\r\n]*\r\n$/);
  strictEqual((await messagesOf(server, user)).length, 0);
});

Deno.test("large messages: cost no memory, for one account or for several", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { message = "1 GiB" }' });
  const users = await Promise.all([1, 2].map(() => server.accountUser()));
  const before = await residentMemory(server.pid);
  const piece = new TextEncoder().encode(`${"x".repeat(1022)}\r\n`.repeat(1024));
  for (const some of [users.slice(0, 1), users]) {
    await using client = await LmtpClient.greeted(server.lmtp);
    await client.says("MAIL FROM:<>", /^250/);
    for (const user of some) await client.says(`RCPT TO:<${user}@x.org>`, /^250/);
    await client.says("DATA", /^354/);
    for (let mib = 0; mib < FLOOD_MIB; mib++) await client.send(piece);
    await client.send(".\r\n");
    for (const reply of await client.replies(some.length)) match(reply, /^250/);
    await assertBounded(server.pid, before);
  }
});

Deno.test("a client that goes away in its message leaves nothing", async () => {
  await using server = await startLmtpServer();
  const [ann, bob] = [await server.accountUser(), await server.accountUser()];
  for (const users of [[ann], [ann, bob]]) {
    const client = await LmtpClient.greeted(server.lmtp);
    await client.says("MAIL FROM:<>", /^250/);
    for (const user of users) await client.says(`RCPT TO:<${user}@x.org>`, /^250/);
    await client.says("DATA", /^354/);
    await client.send("Subject: half\r\n".repeat(50_000));
    await client.close();
  }
  await server.stop();
  for (const user of [ann, bob]) {
    for (const part of ["tmp", "cur", "new"]) {
      deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.maildir(user)}/${part}`)), []);
    }
  }
  deepStrictEqual(
    (await Array.fromAsync(Deno.readDir(server.dir), ({ name }) => name))
      .filter((name) => name.startsWith("message-")),
    [],
  );
});

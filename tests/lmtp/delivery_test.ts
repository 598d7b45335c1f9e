import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { PASSWORD } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { until } from "../until.ts";
import { LmtpClient } from "./client.ts";
import { messagesOf, startLmtpServer } from "./serving.ts";

const MESSAGE =
  "Return-Path: <old@example.net>\nSubject: Hello\nMessage-ID: <1@example.net>\n\nHi\n";

Deno.test("LMTP: a message is told to IDLE, is recent, and has its trace fields on top", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using idle = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await idle.ok("SELECT INBOX");
  await idle.send("i IDLE\r\n");
  match(await idle.line() ?? "", /^\+ /);

  await using client = await LmtpClient.greeted(server.lmtp);
  const [saved] = await client.deliver([`${user}@Example.ORG`], MESSAGE);
  match(saved, /^250 2\.0\.0 /);
  strictEqual(await idle.line(), "* 1 EXISTS");
  strictEqual(await idle.line(), "* 1 RECENT");

  const [text] = await messagesOf(server, user);
  match(
    text,
    new RegExp(
      `^Return-Path: <sender@example\\.net>\r\nDelivered-To: ${user}@Example\\.ORG\r\n` +
        "Received: from client\\.example\\.org\r\n\tby mail\\.example\\.org \\(imapd\\) with LMTP id " +
        `\\w+\\.1\r\n\tfor <${user}@Example\\.ORG>; \\w{3}, \\d\\d \\w{3} \\d{4} [0-9:]{8} \\+0000\r\n` +
        "Subject: Hello\r\nMessage-ID: <1@example\\.net>\r\n\r\nHi\r\n$",
    ),
  );
  const id = saved.split(" ").pop();
  ok(text.includes(`id ${id}`));
  match(
    server.log(),
    new RegExp(
      `^delivered conn=\\w+ account=${user} mailbox=INBOX to=${user}@Example\\.ORG octets=${text.length} ` +
        "from=sender@example\\.net message_id=1@example\\.net ms=\\d+ uid=1$",
      "m",
    ),
  );
});

Deno.test("LHLO: names what is offered, and CHUNKING is not", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { message = "2 KiB" }' });
  await using client = await LmtpClient.connect(server.lmtp);
  deepStrictEqual((await client.says("LHLO x", /^250/)).split("\n"), [
    "250-mail.example.org",
    "250-PIPELINING",
    "250-SIZE 2048",
    "250-8BITMIME",
    "250-SMTPUTF8",
    "250 ENHANCEDSTATUSCODES",
  ]);
});

Deno.test("RCPT: each accepted one has its reply after the message, also one that comes twice", async () => {
  await using server = await startLmtpServer();
  const ann = await server.accountUser();
  const bob = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.send([
    "MAIL FROM:<> SIZE=100 BODY=8BITMIME",
    `RCPT TO:<${ann}@example.org>`,
    "RCPT TO:<nobody@example.org>",
    `RCPT TO:<${bob}@example.org>`,
    `RCPT TO:<${ann}@example.org>`,
    `RCPT TO:<${ann}+x@example.org>`,
    "DATA",
    "",
  ].join("\r\n"));
  deepStrictEqual((await client.replies(7)).map((each) => each.slice(0, 9)), [
    "250 2.1.0",
    "250 2.1.5",
    "550 5.1.1",
    "250 2.1.5",
    "250 2.1.5",
    "250 2.1.5",
    "354 End t",
  ]);
  await client.send("Subject: x\r\n\r\n..\r\n.\r\nNOOP\r\n");
  for (const reply of await client.replies(4)) match(reply, /^250 2\.0\.0 Saved/);
  strictEqual(await client.reply(), "250 2.0.0 OK");
  for (const user of [ann, bob]) {
    const messages = await messagesOf(server, user);
    strictEqual(messages.length, 1);
    match(messages[0], /^Return-Path: <>\r\n[^]*\r\n\r\n\.\r\n$/);
    ok(messages[0].includes(`Delivered-To: ${user}@example.org\r\n`));
  }
});

Deno.test("RCPT: each mailbox of an account that is asked for gets its own copy, and one only", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  const recipients = ["junk", "Sent", "none", "JUNK", "inbox"]
    .map((detail) => `${user}+${detail}@example.org`);
  const replies = await client.deliver(recipients, MESSAGE);
  deepStrictEqual(replies.map((each) => each.slice(0, 9)), Array(5).fill("250 2.0.0"));
  for (
    const [mailbox, recipient] of [
      ["Junk", recipients[0]],
      ["Sent", recipients[1]],
      ["INBOX", recipients[2]],
    ]
  ) {
    const messages = await messagesOf(server, user, mailbox);
    strictEqual(messages.length, 1, mailbox);
    ok(messages[0].includes(`\r\nDelivered-To: ${recipient}\r\n`), messages[0]);
  }
});

Deno.test("RCPT: postmaster needs no domain: it is who the map says, else that of this host", async () => {
  {
    const entries = '{ postmaster = "u1", "postmaster@mail.example.org" = "u2" }';
    await using server = await startLmtpServer({
      deliveryMap: `{ module = "static", entries = ${entries} }`,
    });
    const [first, second] = [await server.accountUser(), await server.accountUser()];
    await using client = await LmtpClient.greeted(server.lmtp);
    match((await client.deliver(["PostMaster"], MESSAGE))[0], /^250/);
    strictEqual((await messagesOf(server, first)).length, 1);
    strictEqual((await messagesOf(server, second)).length, 0);
  }
  await using server = await startLmtpServer({
    deliveryMap: '{ module = "static", entries = { "postmaster@mail.example.org" = "u1" } }',
  });
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.says("MAIL FROM:<>", /^250/);
  await client.says("RCPT TO:<postmaster>", /^550 5\.1\.1 /);
  await client.says("RSET", /^250/);
  const user = await server.accountUser();
  match((await client.deliver(["postmaster"], MESSAGE))[0], /^250/);
  const [text] = await messagesOf(server, user);
  ok(text.includes("\r\nDelivered-To: postmaster\r\n"), text);
});

Deno.test("RCPT: an account is made only where create_accounts says so", async () => {
  await using server = await startLmtpServer({ lmtp: "create_accounts = true" });
  const user = server.freshUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  match((await client.deliver([`${user}+Sent@example.org`], MESSAGE))[0], /^250/);
  strictEqual((await messagesOf(server, user, "Sent")).length, 1);
  await client.says("MAIL FROM:<>", /^250/);
  for (const name of ["../x", "a/b", ".hidden", "x".repeat(300)]) {
    await client.says(`RCPT TO:<"${name}"@example.org>`, /^550 5\.1\.1 /);
  }
});

Deno.test("delivery_separator: leads to a mailbox that exists, else to INBOX", async () => {
  await using server = await startLmtpServer({ storage: 'delivery_separator = "-"' });
  const user = await server.accountUser();
  await using imap = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await imap.ok("CREATE Lists/Deno");
  await imap.ok("CREATE lists/deno");
  await imap.ok('CREATE "a.b"');
  await using client = await LmtpClient.greeted(server.lmtp);
  for (
    const [detail, mailbox] of [
      ["Lists/Deno", "Lists/Deno"],
      ["lists.deno", "lists/deno"],
      ["LISTS.DENO", "Lists/Deno"],
      ["a.b", "a.b"],
      ["none", "INBOX"],
      ["inbox", "INBOX"],
      ["", "INBOX"],
      ["..", "INBOX"],
    ]
  ) {
    const before = (await messagesOf(server, user, mailbox)).length;
    const address = detail === ".." ? `"${user}-.."@x.org` : `${user}-${detail}@x.org`;
    match((await client.deliver([address], MESSAGE))[0], /^250/);
    strictEqual((await messagesOf(server, user, mailbox)).length, before + 1, address);
  }
  const list = (await imap.ok('LIST "" "*"')).length;
  await client.says("MAIL FROM:<>", /^250/);
  await client.says(`RCPT TO:<${user}+x@example.org>`, /^550 5\.1\.1 /);
  strictEqual((await imap.ok('LIST "" "*"')).length, list);
});

Deno.test("delivery_map: the whole address is looked up before the one without its detail", async () => {
  const map = (one: string, two: string) =>
    `delivery_map = { module = "static", entries = { "ann+sales@example.org" = "${one}", ` +
    `"ann@example.org" = "${two}" } }\n`;
  await using server = await startLmtpServer();
  const [one, two] = [await server.accountUser(), await server.accountUser()];
  const config = `${server.dir}/config.toml`;
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace(/delivery_map = .*\n/, map(one, two)));
  Deno.kill(server.pid, "SIGHUP");
  await until(() => server.log().includes("config loaded anew"), "the reload");
  await using client = await LmtpClient.greeted(server.lmtp);
  for (const address of ["ann+sales@example.org", "ann+Sent@EXAMPLE.org", "Ann@example.org"]) {
    match((await client.deliver([address], MESSAGE))[0], /^250/);
  }
  strictEqual((await messagesOf(server, one)).length, 1);
  strictEqual((await messagesOf(server, two)).length, 1);
  strictEqual((await messagesOf(server, two, "Sent")).length, 1);
  await client.says("MAIL FROM:<>", /^250/);
  await client.says("RCPT TO:<bob@example.org>", /^550 5\.1\.1 /);
});

Deno.test("a message too big is refused at MAIL by its SIZE, and else at its end", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { message = "4 KiB" }' });
  const user = await server.accountUser();
  await using client = await LmtpClient.greeted(server.lmtp);
  await client.says("MAIL FROM:<> SIZE=4097", /^552 5\.3\.4 /);
  const big = `Subject: x\n\n${"0123456789abcde\n".repeat(300)}`;
  match((await client.deliver([`${user}@x.org`], big))[0], /^552 5\.3\.4 /);
  match((await client.deliver([`${user}@x.org`], MESSAGE))[0], /^250/);
  strictEqual((await messagesOf(server, user)).length, 1);
  deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.maildir(user)}/tmp`)), []);
});

Deno.test("a message of many accounts that is long arrives whole at each", async () => {
  await using server = await startLmtpServer();
  const users = await Promise.all([1, 2, 3].map(() => server.accountUser()));
  await using client = await LmtpClient.greeted(server.lmtp);
  const body = ".0123456789 abcdefghijklmnopqrstuvwxyz\r\n".repeat(20_000);
  const replies = await client.deliver(users.map((user) => `${user}@x.org`), `A: b\r\n\r\n${body}`);
  for (const reply of replies) match(reply, /^250/);
  for (const user of users) {
    const [text] = await messagesOf(server, user);
    ok(
      text.endsWith(
        `\tfor <${user}@x.org>; ${/for <.*>; (.*)\r\n/.exec(text)?.[1]}\r\nA: b\r\n\r\n${body}`,
      ),
    );
  }
});

Deno.test("a store that fails is told as 451 4.3.0 for its recipient alone", async () => {
  await using server = await startLmtpServer();
  const [good, bad] = [await server.accountUser(), await server.accountUser()];
  await Deno.remove(`${server.maildir(bad)}/tmp`, { recursive: true });
  await Deno.writeTextFile(`${server.maildir(bad)}/tmp`, "no folder");
  await using client = await LmtpClient.greeted(server.lmtp);
  const replies = await client.deliver([good, bad].map((user) => `${user}@x.org`), MESSAGE);
  match(replies[0], /^250 /);
  match(replies[1], /^451 4\.3\.0 /);
  match((await client.deliver([`${bad}@x.org`], MESSAGE))[0], /^451 4\.3\.0 /);
});

Deno.test("delivery_over_quota: mail above the quota waits, or is refused for good", async () => {
  await using server = await startLmtpServer({ storage: "quota = { messages = 1 }" });
  const [full, free] = [await server.accountUser(), await server.accountUser()];
  await using client = await LmtpClient.greeted(server.lmtp);
  const addresses = [`${full}@x.org`, `${free}@x.org`];
  match((await client.deliver(addresses.slice(0, 1), MESSAGE))[0], /^250/);
  const replies = await client.deliver(addresses, MESSAGE);
  match(replies[0], /^452 4\.2\.2 /);
  match(replies[1], /^250 /);

  const config = `${server.dir}/config.toml`;
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, `${text}\ndelivery_over_quota = "reject"\n`);
  Deno.kill(server.pid, "SIGHUP");
  await until(() => server.log().includes("config loaded anew"), "the reload");
  await using other = await LmtpClient.greeted(server.lmtp);
  match((await other.deliver(addresses.slice(0, 1), MESSAGE))[0], /^552 5\.2\.2 /);
  strictEqual((await messagesOf(server, full)).length, 1);
  deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.maildir(full)}/tmp`)), []);
});

Deno.test("SMTPUTF8: addresses in UTF-8 are taken", async () => {
  await using server = await startLmtpServer({ lmtp: "create_accounts = true" });
  await using client = await LmtpClient.greeted(server.lmtp);
  const address = latin1("J\u00fcrgen@b\u00fccher.example");
  await client.says(`MAIL FROM:<${address}> SMTPUTF8`, /^250/);
  await client.says(`RCPT TO:<${address}>`, /^250/);
  await client.says("DATA", /^354/);
  await client.send("Subject: x\r\n\r\n.\r\n");
  match(await client.reply(), /^250 /);
  const folder = `${server.maildir("j\u00fcrgen")}/cur`;
  const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
  const text = await Deno.readTextFile(`${folder}/${name}`);
  ok(text.startsWith("Return-Path: <J\u00fcrgen@b\u00fccher.example>\r\n"), text);
  ok(text.includes(" with UTF8LMTP id "), text);
});

/** UTF-8 as chars that are one octet each. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

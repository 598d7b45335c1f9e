import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { PASSWORD, type TestServer } from "../harness.ts";
import { messagesOf, startLmtpServer } from "../lmtp/serving.ts";
import { RawConnection } from "../raw_connection.ts";
import { imapd } from "./program.ts";

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

function deliver(server: TestServer, args: readonly string[], message: string | Uint8Array) {
  return imapd(["deliver", "--config", `${server.dir}/config.toml`, ...args], message);
}

Deno.test("imapd deliver: stores through the running server, which tells IDLE, and without one", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using idle = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await idle.ok("SELECT INBOX");
  await idle.send("i IDLE\r\n");
  await idle.line();
  const mail =
    "From ann@example.net Wed Nov 25 08:00:00 2026\nReturn-Path: <x@y.z>\nSubject: a\n\nb\n";
  deepStrictEqual(await deliver(server, ["-d", user, "-f", "ann@example.net"], mail), {
    code: 0,
    out: "",
    err: "",
  });
  strictEqual(await idle.line(), "* 1 EXISTS");
  await idle.close();
  match(
    server.log(),
    new RegExp(`^delivered account=${user} mailbox=INBOX to=${user} .* uid=1$`, "m"),
  );

  await server.stop();
  const alone = await deliver(server, ["-d", user, "-f", ""], "Subject: c\r\n\r\nd\r\n");
  deepStrictEqual([alone.code, alone.out], [0, ""]);
  await server.restart();
  const [first, second] = await messagesOf(server, user);
  match(
    first,
    new RegExp(
      `^Return-Path: <ann@example\\.net>\r\nDelivered-To: ${user}\r\n` +
        "Received: by mail\\.example\\.org \\(imapd\\) id [0-9a-f]{8}\r\n\tfor <[^>]*>; [^\r]*\r\n" +
        "Subject: a\r\n\r\nb\r\n$",
    ),
  );
  match(second, /^Return-Path: <>\r\n[^]*\r\nSubject: c\r\n\r\nd\r\n$/);
});

Deno.test("imapd deliver: takes addresses, mailboxes and the original recipient", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  const mail = "Return-Path: <kept@example.net>\nSubject: a\n\nb\n";
  const given = ["-d", `${user}+sent@example.org`, "-a", "team@example.org"];
  strictEqual((await deliver(server, given, mail)).code, 0);
  strictEqual((await deliver(server, ["-d", user, "-m", "Drafts"], mail)).code, 0);
  strictEqual((await deliver(server, ["-d", user, "-m", "Nowhere"], mail)).code, 0);
  const [sent] = await messagesOf(server, user, "Sent");
  match(
    sent,
    /^Delivered-To: team@example\.org\r\nReceived: [^]*\r\nReturn-Path: <kept@example\.net>\r\n/,
  );
  strictEqual((await messagesOf(server, user, "Drafts")).length, 1);
  strictEqual((await messagesOf(server, user)).length, 1);
});

Deno.test("imapd deliver: its exit statuses tell an MTA what to do", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  const unknown = await deliver(server, ["-d", "nobody@example.org"], "Subject: a\n\nb\n");
  deepStrictEqual(unknown, { code: 67, out: "", err: "imapd: No such recipient here\n" });
  const long = "Subject: a\n\n" + "0123456789abcde\n".repeat(100_000);
  deepStrictEqual(await deliver(server, ["-d", "nobody"], long), unknown);
  strictEqual((await deliver(server, [], "x")).code, 75);
  strictEqual((await deliver(server, ["-d", user, "--nonsense"], "x")).code, 75);
  const made = server.freshUser();
  strictEqual((await deliver(server, ["-d", `${made}@example.org`, "--create"], "x")).code, 0);
  strictEqual((await messagesOf(server, made)).length, 1);

  await Deno.remove(`${server.maildir(user)}/tmp`, { recursive: true });
  await Deno.writeTextFile(`${server.maildir(user)}/tmp`, "no folder");
  strictEqual((await deliver(server, ["-d", user], "x")).code, 75);

  await Deno.writeTextFile(`${server.dir}/config.toml`, "broken");
  const broken = await deliver(server, ["-d", user], "x");
  strictEqual(broken.code, 75);
  ok(broken.err.includes("config.toml:1:"), broken.err);
});

Deno.test("imapd deliver: stores nothing where nothing comes, and lets the MTA try again", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  const fresh = server.freshUser();
  const given = ["--create", "-d", `${user}@example.org`, `${fresh}@example.org`];
  const { code, err } = await deliver(server, given, "");
  strictEqual(code, 75);
  ok(err.includes(`imapd: ${user}@example.org: Expected a message, got no octets\n`), err);
  deepStrictEqual(await messagesOf(server, user), []);
  strictEqual(await exists(server.maildir(fresh)), false);
});

Deno.test("imapd deliver: refuses for good what is larger than the limit of [[lmtp]]", async () => {
  await using server = await startLmtpServer({ lmtp: 'limits = { message = "2 KiB" }' });
  const user = await server.accountUser();
  const header = "Subject: a\r\n\r\n";
  const fits = header + "x".repeat(2048 - header.length);
  strictEqual((await deliver(server, ["-d", user], fits)).code, 0);
  const big = { code: 65, out: "", err: "imapd: Message is too big: the limit is 2048 octets\n" };
  deepStrictEqual(await deliver(server, ["-d", user], `${fits}x`), big);
  deepStrictEqual(await deliver(server, ["-d", user], "x".repeat(3_000_000)), big);
  strictEqual((await messagesOf(server, user)).length, 1);
  deepStrictEqual(await Array.fromAsync(Deno.readDir(`${server.maildir(user)}/tmp`)), []);
});

Deno.test("imapd deliver: answers for several recipients, and lets those for now win", async () => {
  await using server = await startLmtpServer();
  const [ann, bob] = [await server.accountUser(), await server.accountUser()];
  const mail = "Subject: a\n\nb\n";
  const both = ["-a", "team@example.org", "-d", `${ann}@example.org`, `${bob}@example.org`];
  deepStrictEqual(await deliver(server, both, mail), { code: 0, out: "", err: "" });
  match((await messagesOf(server, ann))[0], /^Delivered-To: team@example\.org\r\n/);
  ok((await messagesOf(server, bob))[0].startsWith(`Delivered-To: ${bob}@example.org\r\n`));

  const unknown = "imapd: nobody@example.org: No such recipient here\n";
  const some = await deliver(server, ["-d", "nobody@example.org", bob], mail);
  deepStrictEqual(some, { code: 67, out: "", err: unknown });
  strictEqual((await messagesOf(server, bob)).length, 2);

  await Deno.remove(`${server.maildir(ann)}/tmp`, { recursive: true });
  await Deno.writeTextFile(`${server.maildir(ann)}/tmp`, "no folder");
  const worst = await deliver(server, ["-d", "nobody@example.org", bob, ann], mail);
  strictEqual(worst.code, 75);
  ok(worst.err.includes(unknown), worst.err);
  ok(worst.err.includes(`imapd: ${ann}: `), worst.err);
  strictEqual((await messagesOf(server, bob)).length, 3);
});

Deno.test("imapd deliver: a message of several MB comes whole, at once to two accounts", async () => {
  await using server = await startLmtpServer();
  const users = [await server.accountUser(), await server.accountUser()];
  const body = "0123456789abcdef\n".repeat(300_000);
  const results = await Promise.all(
    users.map((user) => deliver(server, ["-d", user], `Subject: big\n\n${body}`)),
  );
  deepStrictEqual(results.map(({ code }) => code), [0, 0]);
  for (const user of users) {
    const [text] = await messagesOf(server, user);
    ok(text.endsWith(`Subject: big\r\n\r\n${body.replaceAll("\n", "\r\n")}`));
  }
});

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { startServer } from "../harness.ts";
import { client, command, output } from "./administration.ts";

const FIRST = "From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\r\n" +
  "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nMIME-Version: 1.0\r\n" +
  'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' +
  "--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>two</b>\r\n--b--\r\n";
const SECOND = "From: ann@example.org\r\nSubject: two words\r\n\r\nhello\r\n";

Deno.test("imapd message: what it changes a connected client sees", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using reader = await client(server, user);
  await reader.command("SELECT INBOX");

  const add = ["message", "add", user, "INBOX", "-f", "seen", "--flag", "$Work"];
  const date = ["--date", "2024-01-31T09:30:00+01:00"];
  strictEqual(await output(server, [...add, ...date], FIRST), "1\n");
  strictEqual(await output(server, ["message", "add", user, "inbox"], SECOND), "2\n");
  const arrived = (await reader.command("NOOP")).untagged;
  deepStrictEqual(arrived.filter((line) => line.endsWith("EXISTS")).at(-1), "* 2 EXISTS");
  deepStrictEqual((await reader.command("FETCH 1 (UID FLAGS INTERNALDATE)")).untagged, [
    '* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent $Work) INTERNALDATE "31-Jan-2024 09:30:00 +0100")',
  ]);

  const flag = ["message", "flag", user, "INBOX", "--search", "ALL", "-Seen", "+flagged"];
  strictEqual(await output(server, flag), "Changed the flags of 2 messages\n");
  deepStrictEqual((await reader.command("NOOP")).untagged, [
    "* 1 FETCH (FLAGS (\\Flagged \\Recent $Work))",
    "* 2 FETCH (FLAGS (\\Flagged \\Recent))",
  ]);

  strictEqual(
    await output(server, ["message", "move", user, "INBOX", "2", "Archive"]),
    "Moved 1 message to Archive (UID 1 there)\n",
  );
  deepStrictEqual((await reader.command("NOOP")).untagged, ["* 2 EXPUNGE"]);
  const remove = ["message", "remove", user, "INBOX", "1:*"];
  const asked = await command(server, remove);
  deepStrictEqual([asked.code, asked.out], [2, ""]);
  match(asked.err, /Remove 1 message from INBOX of account u1, for good\? Expected -y/);
  strictEqual(await output(server, [...remove, "-y"]), "Removed 1 message\n");
  deepStrictEqual((await reader.command("NOOP")).untagged, ["* 1 EXPUNGE"]);
});

Deno.test("imapd message add: takes no more than a client may append", async () => {
  await using server = await startServer({ storage: 'appendlimit = "2 KiB"' });
  const add = ["message", "add", server.freshUser(), "INBOX"];
  await using _ = await client(server, add[2]);
  strictEqual(await output(server, add, "x".repeat(2048)), "1\n");
  deepStrictEqual(await command(server, add, "x".repeat(2049)), {
    code: 1,
    out: "",
    err: "imapd: Expected a message of at most 2048 octets, got 2049\n",
  });
});

Deno.test("imapd message: lists, searches and shows without a server too", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  {
    await using writer = await client(server, user);
    await writer.append("INBOX", FIRST, '(\\Seen) "31-Jan-2024 09:30:00 +0100"');
    await writer.append("INBOX", SECOND);
    await writer.command("CREATE Work");
  }
  await server.stop();
  const list = await output(server, ["message", "list", user, "INBOX"]);
  match(
    list,
    /^UID +DATE +SIZE +FLAGS +FROM +SUBJECT\n +1 +2024-01-31 09:30 +\d+ +Seen +Jörg <joerg@example\.org> +Grüße\n +2 .* two words\n$/,
  );
  deepStrictEqual(
    JSON.parse(await output(server, ["message", "list", user, "INBOX", "1", "--json"])),
    {
      uid: 1,
      flags: ["\\Seen"],
      date: "2024-01-31T09:30:00+01:00",
      size: FIRST.length,
      from: "Jörg <joerg@example.org>",
      subject: "Grüße",
    },
  );
  const search = (...query: string[]) =>
    output(server, ["message", "search", user, "INBOX", ...query, "--uids"]);
  strictEqual(await search("SUBJECT", "two words"), "2\n");
  strictEqual(await search("OR", "SUBJECT", "grüße", "TEXT", "hello"), "1:2\n");
  strictEqual(await search("SEEN SINCE 1-Jan-2024 BEFORE 1-Feb-2024"), "1\n");
  strictEqual(await search("ANSWERED"), "");

  const show = (...more: string[]) =>
    output(server, ["message", "show", user, "INBOX", "1", ...more]);
  strictEqual(await show(), FIRST);
  strictEqual(await show("--headers"), FIRST.slice(0, FIRST.indexOf("\r\n\r\n") + 4));
  strictEqual(await show("--part", "2"), "<b>two</b>");
  strictEqual(
    await output(server, ["message", "copy", user, "INBOX", "--search", "SEEN", "Work"]),
    "Copied 1 message to Work (UID 1 there)\n",
  );
});

Deno.test("imapd message: says what is wrong, and changes nothing", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  {
    await using writer = await client(server, user);
    await writer.append("INBOX", SECOND);
  }
  for (
    const [words, code, message] of [
      [["search", user, "INBOX", "SEEN FOO"], 2, /a search key at byte 6: got "FOO"/],
      [["list", user, "INBOX", "1:x"], 2, /at byte 3.* of the UIDs "1:x"/],
      [["list", user, "INBX"], 1, /no mailbox INBX in account u1, did you mean INBOX\?/],
      [["list", "nobody", "INBOX"], 1, /There is no account nobody/],
      [["show", user, "INBOX", "9"], 1, /no message with the UID 9 in INBOX/],
      [["show", user, "INBOX", "1", "--part", "2"], 1, /message 1 has no part 2/],
      [["flag", user, "INBOX", "1", "seen"], 2, /Expected \+FLAG, -FLAG or =FLAG, got seen/],
      [["flag", user, "INBOX", "1", "+\\Foo"], 2, /Expected seen, answered/],
      [["move", user, "INBOX", "1", "Archve"], 1, /no mailbox Archve .* did you mean Archive\?/],
      [["add", user, "INBOX"], 1, /Expected a message, got no octets/],
    ] as const
  ) {
    const result = await command(server, ["message", ...words]);
    deepStrictEqual([result.code, result.out], [code, ""], words.join(" "));
    match(result.err, message);
  }
  await using reader = await client(server, user);
  deepStrictEqual(
    (await reader.command("STATUS INBOX (MESSAGES UNSEEN)")).untagged,
    [
      '* STATUS "INBOX" (MESSAGES 1 UNSEEN 1)',
    ].map((line) => line.replaceAll('"', "")),
  );
});

// Names that lead out of an account, in every argument that names a mailbox: APPEND, COPY, annotations,
// quotas, URLs, recipients of LMTP. And names that only look the same.

import assert from "node:assert/strict";
import { LmtpClient } from "../lmtp/client.ts";
import { startLmtpServer } from "../lmtp/serving.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const SECRET = "Subject: private\r\n\r\nprivate\r\n";

const NAMES = [
  "..",
  ".",
  "../VICTIM",
  "../VICTIM/cur",
  "../../mail/VICTIM",
  "/VICTIM",
  "..&AC8-VICTIM",
  "&AC4ALgAv-VICTIM",
  "&AC4-&AC4-/VICTIM",
  "INBOX/../../VICTIM",
  "~VICTIM",
  "%2e%2e/VICTIM",
  "..%2fVICTIM",
  "VICTIM\\\\INBOX",
  "user/VICTIM",
  "user.VICTIM",
  "#user/VICTIM",
  "Other Users/VICTIM/INBOX",
  "cur",
  ".INBOX",
  "imapd.sqlite",
];

const COMMANDS = [
  'APPEND "NAME" {1+}\r\nx',
  'COPY 1 "NAME"',
  'UID COPY 1:* "NAME"',
  'STATUS "NAME" (MESSAGES)',
  'GETMETADATA (DEPTH infinity) "NAME" /private',
  'SETMETADATA "NAME" (/private/comment "x")',
  'GETQUOTAROOT "NAME"',
  'GETQUOTA "NAME"',
  'GETQUOTA "#user/NAME"',
  'SETQUOTA "NAME" (STORAGE 1)',
  'APPEND INBOX CATENATE (URL "/NAME/;UID=1")',
  'APPEND INBOX CATENATE (URL "imap://mail.example.org/NAME/;UID=1")',
  'APPEND INBOX CATENATE (URL "imap://VICTIM@mail.example.org/INBOX/;UID=1")',
  'APPEND INBOX CATENATE (URL "imap://u2;AUTH=*@mail.example.org/NAME/;UID=1")',
  'ESEARCH IN (mailboxes "NAME") RETURN (COUNT) SUBJECT private',
  'ESEARCH IN (subtree "NAME") RETURN (COUNT) SUBJECT private',
  'LIST "NAME" "*"',
  'LIST "" "NAME*"',
  'LSUB "NAME" "*"',
  'UID MOVE 1:* "NAME"',
  'EXAMINE "NAME"',
  'SELECT "NAME"',
];

Deno.test("mailbox name: as no argument does it lead to another account", async () => {
  await using server = await startServer({ imap: "limits = { bad_after_login = 1000000 }" });
  const [user, victim] = [server.freshUser(), server.freshUser()];
  await using other = await RawConnection.login(server.tlsPort, victim, PASSWORD);
  await other.append("INBOX", SECRET);
  await other.ok('SETMETADATA INBOX (/private/comment "private")');
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  for (const name of NAMES) {
    await client.append("INBOX", "Subject: own\r\n\r\nx\r\n");
    await client.ok("SELECT INBOX");
    for (const command of COMMANDS) {
      const text = command.replaceAll("NAME", name).replaceAll("VICTIM", victim);
      const lines = await client.command(text);
      const reply = lines.pop() ?? "";
      assert.match(reply, /^t\d+ (OK|NO|BAD) /, text);
      assert.doesNotMatch(reply, /SERVERBUG/, text);
      assert.ok(
        !lines.some((line) => /private/.test(line.replaceAll(/"?\/private\S*/g, ""))),
        text,
      );
      assert.ok(!lines.some((line) => /COUNT [1-9]|STORAGE \d/.test(line)), `${text}: ${lines}`);
    }
  }
  await client.ok("SELECT INBOX");
  assert.deepEqual(await client.ok("SEARCH TEXT private"), ["* SEARCH"]);
  await other.ok("SELECT INBOX");
  assert.deepEqual(await other.ok("SEARCH SUBJECT private"), ["* SEARCH 1"]);
  assert.deepEqual(await other.ok("SEARCH ALL"), ["* SEARCH 1"]);
  assert.equal((await other.ok("GETMETADATA INBOX /private/comment")).length, 1);
  assert.deepEqual(
    [...Deno.readDirSync(`${server.dir}/mail`)].map(({ name }) => name).sort(),
    [
      user,
      victim,
    ].sort(),
  );
});

Deno.test("mailbox name: a recipient of LMTP names no folder outside of the account", async () => {
  await using server = await startLmtpServer({ lmtp: "create_accounts = true" });
  const [user, victim] = [await server.accountUser(), await server.accountUser()];
  await using client = await LmtpClient.greeted(server.lmtp);
  const contents = () => [...Deno.readDirSync(server.dir)].map(({ name }) => name).sort();
  const before = contents();
  for (const name of NAMES.map((each) => each.replaceAll("VICTIM", victim))) {
    for (const local of [name, `${user}+${name}`, `${user}/../${victim}`, `../${user}`]) {
      for (const recipient of [`${local}@x.org`, `"${local}"@x.org`]) {
        await client.send(`MAIL FROM:<a@b.org>\r\nRCPT TO:<${recipient}>\r\nRSET\r\n`);
        const [, reply] = await client.replies(3);
        assert.match(reply, /^(250|5\d\d) /, recipient);
        if (reply.startsWith("250")) {
          const [saved] = await client.deliver([recipient], "Subject: detail\r\n\r\nx\r\n");
          assert.match(saved, /^(250|[45]\d\d) /, recipient);
        }
      }
    }
  }
  // Accounts may be made for odd names, but beside the others, and nowhere else.
  for (const { name } of Deno.readDirSync(`${server.dir}/mail`)) assert.ok(!name.startsWith("."));
  assert.deepEqual(contents(), before);
  await using other = await RawConnection.login(server.tlsPort, victim, PASSWORD);
  await other.ok("SELECT INBOX");
  assert.deepEqual(await other.ok("SEARCH SUBJECT detail"), ["* SEARCH"]);
});

Deno.test("mailbox name: spellings of one name are one mailbox, and no two share a folder", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await client.ok("ENABLE UTF8=ACCEPT");
  const bytes = (text: string) => {
    const octets = new TextEncoder().encode(text);
    return `{${octets.length}+}\r\n${String.fromCharCode(...octets)}`;
  };
  await client.ok(`CREATE ${bytes("Entw\u00fcrfe")}`);
  for (const same of ["Entwu\u0308rfe", "Entw\u00fcrfe/"]) {
    const reply = (await client.command(`CREATE ${bytes(same)}`)).pop() ?? "";
    assert.match(reply, /^t\d+ NO \[ALREADYEXISTS\] /, same);
  }
  const different = ["Entwurfe", "ENTW\u00dcRFE", "Entw\uff55\u0308rfe", "\u212bngstr\u00f6m"];
  for (const name of different) await client.ok(`CREATE ${bytes(name)}`);
  // U+212B is U+00C5 in NFC.
  const angstrom = (await client.command(`CREATE ${bytes("\u00c5ngstr\u00f6m")}`)).pop() ?? "";
  assert.match(angstrom, /^t\d+ NO \[ALREADYEXISTS\] /);
  for (const inbox of ["inbox", "InBoX", "INBOX/"]) {
    assert.match((await client.command(`CREATE ${inbox}`)).pop() ?? "", /^t\d+ NO /, inbox);
  }
  const folders = [...Deno.readDirSync(server.maildir(user))].map(({ name }) => name)
    .filter((name) => /^\.(?:E|&)/.test(name));
  assert.equal(new Set(folders.map((name) => name.toLowerCase())).size, folders.length);
});

// What others say of themselves comes back in responses: names of mailboxes and folders, annotations,
// flags, and headers of mail. None of it may end a line, or a string, before its time.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { startLmtpServer } from "../lmtp/serving.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const EVIL = "* OK [ALERT] evil";

/** Fails if a response of the attacker's making stands by itself. */
function assertHarmless(lines: readonly string[], what: string): void {
  for (const line of lines) {
    const outside = withoutStrings(line);
    assert.ok(outside !== undefined, `${what}: a string is not closed in ${JSON.stringify(line)}`);
    assert.ok(!/evil|[\0\r\n]/.test(outside), `${what}: ${JSON.stringify(line)}`);
  }
}

/** A response without its strings, as a client cuts it; undefined if one of them does not end. */
function withoutStrings(line: string): string | undefined {
  let outside = "";
  for (let at = 0; at < line.length;) {
    const rest = line.slice(at);
    const literal = rest.match(/^~?\{(\d+)\}\r\n/);
    const quoted = rest.match(/^"(?:[^"\\\r\n\0]|\\["\\])*"/);
    if (literal !== null) at += literal[0].length + Number(literal[1]);
    else if (quoted !== null) at += quoted[0].length;
    else if (rest.startsWith('"')) return undefined;
    else outside += line[at++];
  }
  return outside;
}

async function loggedIn(server: TestServer, user: string): Promise<RawConnection> {
  return await RawConnection.login(server.tlsPort, user, PASSWORD);
}

const HEADER_VALUES: Record<string, string> = {
  "NUL": "a\0b",
  "bare CR": `a\r${EVIL}`,
  "bare LF": `a\n ${EVIL}`,
  "8 bit": "\xff\xfe\xc3",
  "UTF-8": "\xc3\xa9\xe2\x80\xa8evil",
  "quotes": '"\\" evil',
  "a quote that is not closed": '"evil',
  "backslashes": "\\\\\\",
  "a literal": "{5}\r\n evil",
  "a folded response": `a\r\n ${EVIL}`,
  "encoded line ends": `=?utf-8?q?a=0D=0A${EVIL.replaceAll(" ", "_")}?=`,
  "encoded line ends in base64": `=?utf-8?b?${btoa(`a\r\n${EVIL}`)}?=`,
};

const FIELDS = [
  "Subject",
  "From",
  "Date",
  "Message-ID",
  "In-Reply-To",
  "References",
  "Content-Type",
  "Content-Disposition",
  "Content-ID",
  "Content-Description",
  "Content-Transfer-Encoding",
  "Content-Language",
  "Content-Location",
  "Content-MD5",
];

function hostileMessage(value: string): string {
  const lines = FIELDS.map((name) => {
    if (name === "Content-Type") return `${name}: text/plain; charset="${value}"; name=${value}`;
    if (name === "From") return `${name}: ${value} <${value}@${value}> (${value})`;
    return `${name}: ${value}`;
  });
  const part = lines.filter((line) => line.startsWith("Content-")).join("\r\n");
  return (
    `${lines.slice(0, 6).join("\r\n")}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
    `--b\r\n${part}\r\n\r\n${value}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n` +
    `${lines.join("\r\n")}\r\n\r\n${value}\r\n--b--\r\n`
  );
}

Deno.test("response injection: headers of mail stay within their strings", async () => {
  await using server = await startLmtpServer();
  const user = await server.accountUser();
  await using lmtp = await LmtpClient.greeted(server.lmtp);
  const messages = Object.entries(HEADER_VALUES);
  for (const [, value] of messages) {
    const [reply] = await lmtp.deliver([`${user}@x.org`], hostileMessage(value));
    assert.match(reply, /^250 /);
  }
  for (const enabled of ["", "IMAP4rev2", "UTF8=ACCEPT"]) {
    await using client = await loggedIn(server, user);
    if (enabled !== "") await client.ok(`ENABLE ${enabled}`);
    await client.ok("SELECT INBOX");
    for (const [i, [what]] of messages.entries()) {
      const fetched = await client.ok(
        `FETCH ${i + 1} (ENVELOPE BODY BODYSTRUCTURE PREVIEW INTERNALDATE ` +
          "BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[1.MIME] BINARY.PEEK[1])",
      ).catch(() => client.ok(`FETCH ${i + 1} (ENVELOPE BODY BODYSTRUCTURE PREVIEW)`));
      assertHarmless(fetched, what);
      assert.equal(fetched.filter((line) => /^\* \d+ FETCH /.test(line)).length, 1, what);
    }
    assertHarmless(await client.ok("SORT (SUBJECT FROM) UTF-8 ALL"), "SORT");
    assertHarmless(await client.ok("NOOP"), "NOOP");
  }
});

/** Names of folders that a shell may have made in a Maildir, as bytes. */
const FOLDERS = [
  `.a\r\n${EVIL}`,
  `.a\n${EVIL}`,
  ".a\rb",
  '.a"evil',
  ".a\\evil",
  ".&AA0ACg-evil", // CR LF in modified UTF-7
  ".{3}\r\nabc",
  ".a\x7fb\x1b[31mevil",
  ".\xe2\x80\xa8evil",
  ".(evil)",
  ".%evil*",
];

Deno.test("response injection: folders with odd names are listed within strings, or not at all", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await (await loggedIn(server, user)).close();
  for (const folder of FOLDERS) {
    const path = `${server.maildir(user)}/${Buffer.from(folder, "latin1").toString("utf8")}`;
    for (const part of ["cur", "new", "tmp"]) {
      await Deno.mkdir(`${path}/${part}`, { recursive: true });
    }
  }
  for (const enabled of ["", "IMAP4rev2", "UTF8=ACCEPT"]) {
    await using client = await loggedIn(server, user);
    if (enabled !== "") await client.ok(`ENABLE ${enabled}`);
    for (
      const command of [
        'LIST "" "*"',
        'LIST "" "*" RETURN (STATUS (MESSAGES) SUBSCRIBED CHILDREN)',
        'LIST (SUBSCRIBED) "" "*"',
        'LSUB "" "*"',
        "NOTIFY SET STATUS (personal (MessageNew MessageExpunge MailboxName))",
        "ESEARCH IN (personal) RETURN (COUNT) ALL",
        "NOOP",
      ]
    ) {
      const lines = await client.ok(command);
      for (const line of lines) {
        assert.match(line, /^\* (LIST|LSUB|STATUS|ESEARCH|ENABLED|\d+) ?/, JSON.stringify(line));
        assert.ok(withoutStrings(line) !== undefined, JSON.stringify(line));
        assert.ok(!/\p{Cc}/u.test(line), `${enabled} ${command}: ${JSON.stringify(line)}`);
      }
    }
  }
  await server.stop();
  assert.ok(!server.log().includes("\x1b"));
  assert.doesNotMatch(server.log(), /^\* OK/m);
});

Deno.test("response injection: annotations come back as they were set, and as nothing else", async () => {
  await using server = await startServer();
  await using client = await loggedIn(server, server.freshUser());
  const values = Object.values(HEADER_VALUES).concat(`\r\n${EVIL}\r\n`, `")\r\n${EVIL}`, "\0\r\n");
  for (const value of values) {
    await client.ok(`SETMETADATA INBOX (/private/comment ~{${value.length}+}\r\n${value})`);
    const lines = await client.ok("GETMETADATA INBOX /private/comment");
    assert.equal(lines.length, 1, JSON.stringify(lines));
    assert.equal(withoutStrings(lines[0]), "* METADATA INBOX (/private/comment )");
    const raw = value.replaceAll(/["\\]/g, "\\$&");
    assert.ok(lines[0].includes(value) || lines[0].includes(`"${raw}"`), JSON.stringify(lines[0]));
  }
  for (
    const entry of ["/private/a\r\nb", "/private/a\0b", "/private/\xc3\xa9", "/private/*", "/x"]
  ) {
    const reply = await client.command(
      `SETMETADATA INBOX ({${entry.length}+}\r\n${entry} "evil")`,
    );
    assert.match(reply.pop() ?? "", /^t\d+ (BAD|NO) /, JSON.stringify(entry));
    assertHarmless(reply, JSON.stringify(entry));
  }
});

Deno.test("tag reflection: a tag with anything that is no tag is not repeated", async () => {
  await using server = await startServer();
  for (
    const tag of [
      "a\rb",
      "a\0b",
      '"a"',
      "*",
      "+",
      "a+b",
      "{1+}\r\na",
      "\xff",
      "a".repeat(5000),
      "(a)",
    ]
  ) {
    await using client = await RawConnection.plain(server.port);
    await client.line();
    await client.send(`${tag} NOOP\r\nz LOGOUT\r\n`);
    const answer = await client.rest();
    for (const line of answer.split("\r\n").filter((each) => each !== "")) {
      assert.match(line, /^(?:\* (?:BAD|BYE)|z OK|a{5000} OK|a (?:BAD|OK)) /, JSON.stringify(tag));
    }
  }
});

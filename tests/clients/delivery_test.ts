import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";
import { letter } from "./mail.ts";
import { clientTest, run } from "./programs.ts";

/** Delivers what Python's Maildir module makes of `text`: into tmp/, then renamed to new/. */
const DELIVER = `
import mailbox, sys
mailbox.Maildir(sys.argv[1], create=False).add(sys.argv[2].encode())
`;

/** Removes the message with the subject given; renames the others to be seen and flagged. */
const TIDY = `
import mailbox, os, sys
maildir = mailbox.Maildir(sys.argv[1], create=False)
for key, message in maildir.items():
    if message["subject"] == sys.argv[2]:
        maildir.discard(key)
    else:
        path = os.path.join(sys.argv[1], maildir._lookup(key))
        os.rename(path, os.path.join(sys.argv[1], "cur", key + ":2,FS"))
`;

async function python(script: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await run(["python3", "-c", script, ...args]);
  assert.equal(code, 0, stderr);
}

/** A raw client that is in IDLE in INBOX. */
async function idling(server: TestServer, user: string): Promise<RawConnection> {
  const client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await client.ok("SELECT INBOX");
  await startIdle(client);
  return client;
}

async function startIdle(client: RawConnection): Promise<void> {
  await client.send("i IDLE\r\n");
  let line = await client.line();
  while (line?.startsWith("* ")) line = await client.line();
  assert.match(line ?? "", /^\+ /);
}

/** Reads untagged lines until one matches. */
async function hears(client: RawConnection, pattern: RegExp): Promise<void> {
  while (true) {
    const line = await client.line();
    assert.match(line ?? "", /^\* /, `Expected an untagged line that matches ${pattern}`);
    if (pattern.test(line ?? "")) return;
  }
}

clientTest(
  ["python3"],
  "IDLE: announces what another program delivers, flags and removes in the Maildir",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await idling(server, user);
    const maildir = server.maildir(user);

    for (let number = 1; number <= 3; number++) {
      await python(DELIVER, maildir, letter(number));
      await hears(client, new RegExp(`^\\* ${number} EXISTS$`));
    }
    await client.send("DONE\r\n");
    assert.match((await client.until("i")).pop() ?? "", /^i OK/);
    const texts = await client.ok("FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
    assert.deepEqual(
      texts.map((text) =>
        text.match(/^\* (\d) FETCH \(UID (\d) .*Subject: Letter (\d)/s)?.slice(1)
      ),
      [["1", "1", "1"], ["2", "2", "2"], ["3", "3", "3"]],
    );

    await startIdle(client);
    await python(TIDY, maildir, "Letter 2");
    await hears(client, /^\* 2 EXPUNGE$/);
    await client.send("DONE\r\n");
    await client.until("i");
    await client.ok("NOOP");
    const flags = await client.ok("UID FETCH 1:* (FLAGS)");
    assert.deepEqual(
      flags.map((
        line,
      ) => [line.match(/UID (\d)/)?.[1], /\\Seen/.test(line), /\\Flagged/.test(line)]),
      [["1", true, true], ["3", true, true]],
    );
  },
);

clientTest(["python3"], "IDLE: imapflow hears of a delivery and reads it", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: server.tlsPort,
    secure: true,
    auth: { user, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  await client.connect();
  try {
    await client.mailboxOpen("INBOX");
    const idle = client.idle();
    const arrived = new Promise<{ count: number }>((resolve) => client.once("exists", resolve));
    await python(DELIVER, server.maildir(user), letter(9));
    assert.equal((await arrived).count, 1);
    const message = await client.fetchOne("1", { envelope: true });
    assert.ok(message);
    assert.equal(message.envelope?.subject, "Letter 9");
    await idle;
  } finally {
    await client.logout();
  }
});

clientTest(["python3"], "SELECT: finds what was delivered while nobody looked", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  const first = await RawConnection.login(server.tlsPort, user, PASSWORD);
  await first.ok("SELECT INBOX");
  await first.close();
  for (let number = 1; number <= 5; number++) {
    await python(DELIVER, server.maildir(user), letter(number));
  }
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  assert.match((await client.ok("STATUS INBOX (MESSAGES)"))[0], /MESSAGES 5/);
  assert.ok((await client.ok("SELECT INBOX")).includes("* 5 EXISTS"));
  assert.deepEqual(await client.ok("SEARCH SUBJECT Letter"), ["* SEARCH 1 2 3 4 5"]);
});

// Two users one after the other on one connection (UNAUTHENTICATE): what was the first one's may
// neither be seen by the second nor change what the second does. And two at the same time, whose
// messages have the same numbers.

import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const SECRET = "Subject: hers\r\nFrom: ann@example.org\r\n\r\nhers alone\r\n";
const OWN = "Subject: his\r\nFrom: bob@example.org\r\n\r\nhis\r\n";

/** A user with three messages in INBOX and a mailbox; the subject says whose they are. */
async function user(server: TestServer, message: string): Promise<string> {
  const name = server.freshUser();
  await using client = await RawConnection.login(server.tlsPort, name, PASSWORD);
  for (let i = 0; i < 3; i++) await client.append("INBOX", message);
  await client.ok(`CREATE Mailbox-of-${name}`);
  await client.ok(`SETMETADATA INBOX (/private/comment "of ${name}")`);
  return name;
}

/** What each of them leaves behind in the session; the first one is logged in. */
const BEQUESTS: Record<string, readonly string[]> = {
  "a selected mailbox": ["SELECT INBOX"],
  "a mailbox selected for reading": ["EXAMINE INBOX"],
  "a saved search": ["SELECT INBOX", "SEARCH RETURN (SAVE) ALL"],
  "a followed search": ["SELECT INBOX", "SEARCH RETURN (ALL UPDATE) SUBJECT hers"],
  "a followed sort": ["SELECT INBOX", "SORT RETURN (ALL UPDATE) (SUBJECT) UTF-8 ALL"],
  "NOTIFY": ["NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))"],
  "NOTIFY of the selected": ["SELECT INBOX", "NOTIFY SET (selected (MessageNew MessageExpunge))"],
  "UIDONLY": ["ENABLE UIDONLY", "SELECT INBOX"],
  "rev2 and QRESYNC": ["ENABLE IMAP4rev2 QRESYNC", "SELECT INBOX"],
  "UTF-8": ["ENABLE UTF8=ACCEPT", "SELECT INBOX"],
  "METADATA": ["ENABLE METADATA", "GETMETADATA INBOX /private/comment"],
  "a filter": ['SETMETADATA "" (/private/filters/values/f "SUBJECT hers")', "SELECT INBOX"],
  "texts that are kept": ["SELECT INBOX", "FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)"],
  "sort keys that are kept": ["SELECT INBOX", "SORT (SUBJECT) UTF-8 ALL"],
};

Deno.test("next user: nothing is left of what the first one did", async (t) => {
  await using server = await startServer();
  for (const [what, commands] of Object.entries(BEQUESTS)) {
    await t.step(what, () => assertForgotten(server, commands));
  }
});

async function assertForgotten(server: TestServer, commands: readonly string[]): Promise<void> {
  const [ann, bob] = [await user(server, SECRET), await user(server, OWN)];
  await using client = await RawConnection.login(server.tlsPort, ann, PASSWORD);
  for (const command of commands) await client.ok(command);
  await client.ok("UNAUTHENTICATE");
  assert.match((await client.command("FETCH 1 (ENVELOPE)")).pop() ?? "", /^t\d+ BAD /);
  await client.ok(`LOGIN ${bob} ${PASSWORD}`);
  assert.match((await client.command("FETCH 1 (ENVELOPE)")).pop() ?? "", /^t\d+ BAD /);

  // What the first user gets now is not the second one's business.
  await using other = await RawConnection.login(server.tlsPort, ann, PASSWORD);
  await other.append("INBOX", SECRET);
  await other.ok("CREATE Another-hers");
  await other.ok('SETMETADATA INBOX (/private/comment "hers, changed")');

  const heard = [await client.ok("NOOP"), await client.ok('LIST "" "*"')].flat();
  assert.ok(!heard.some((line) => /hers|EXISTS|FETCH|ESEARCH/.test(line)), heard.join("\n"));
  assert.deepEqual(heard.filter((line) => /of-/.test(line)).length, 1);
  const selected = await client.ok("SELECT INBOX");
  assert.ok(selected.includes("* 3 EXISTS"), selected.join("\n"));
  assert.ok(!selected.some((line) => /VANISHED|\[CLOSED\]/.test(line)), selected.join("\n"));
  const seen = [
    await client.ok("FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[])"),
    await client.ok("SORT (SUBJECT) UTF-8 ALL"),
    await client.ok("THREAD REFERENCES UTF-8 ALL"),
    await client.ok("GETMETADATA INBOX /private/comment"),
    await client.ok("NOOP"),
  ].flat();
  assert.ok(!seen.some((line) => line.includes("hers")), seen.join("\n"));
  assert.equal(seen.filter((line) => /^\* \d FETCH /.test(line)).length, 3);
  assert.deepEqual(await client.ok("SEARCH SUBJECT hers"), ["* SEARCH"]);
  assert.deepEqual(await client.ok("SEARCH SUBJECT his"), ["* SEARCH 1 2 3"]);
  assert.match((await client.command("SEARCH $")).join("\n"), /^\* SEARCH\nt\d+ OK/);
  assert.match((await client.command("SEARCH FILTER f")).pop() ?? "", /^t\d+ NO \[UNDEFINED/);
  await client.append("INBOX", OWN);
  const [status] = await client.ok("STATUS INBOX (MESSAGES)");
  assert.match(status, /MESSAGES 4/);
  await other.ok("SELECT INBOX");
  assert.deepEqual(await other.ok("SEARCH SUBJECT his"), ["* SEARCH"]);
}

Deno.test("next user: a wrong password leaves nobody logged in", async () => {
  await using server = await startServer();
  const [ann, bob] = [await user(server, SECRET), await user(server, OWN)];
  await using client = await RawConnection.login(server.tlsPort, ann, PASSWORD);
  await client.ok("UNAUTHENTICATE");
  await client.ok(`LOGIN ${bob} ${PASSWORD}`);
  await client.ok("UNAUTHENTICATE");
  // A wrong password leaves nobody logged in.
  assert.match((await client.command(`LOGIN ${ann} wrong`)).pop() ?? "", /^t\d+ NO /);
  assert.match((await client.command("SELECT INBOX")).pop() ?? "", /^t\d+ BAD /);
});

Deno.test("two users: the same UIDs in mailboxes of one name are different messages", async () => {
  await using server = await startServer();
  const [ann, bob] = [await user(server, SECRET), await user(server, OWN)];
  await using hers = await RawConnection.login(server.tlsPort, ann, PASSWORD);
  await using his = await RawConnection.login(server.tlsPort, bob, PASSWORD);
  await hers.ok("SELECT INBOX");
  await his.ok("SELECT INBOX");
  for (let round = 0; round < 3; round++) {
    const fetch = "FETCH 1:* (ENVELOPE PREVIEW BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT])";
    const [a, b] = await Promise.all([hers.ok(fetch), his.ok(fetch)]);
    assert.ok(a.every((line) => line.includes("hers") && !line.includes("his")), a.join("\n"));
    assert.ok(b.every((line) => line.includes("his") && !line.includes("hers")), b.join("\n"));
    for (const key of ["SUBJECT", "TEXT", "BODY", "FUZZY TEXT"]) {
      assert.deepEqual(await hers.ok(`SEARCH ${key} his`), ["* SEARCH"], key);
      assert.deepEqual(await his.ok(`SEARCH ${key} hers`), ["* SEARCH"], key);
    }
  }
});

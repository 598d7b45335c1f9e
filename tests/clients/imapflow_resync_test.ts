import assert from "node:assert/strict";
import { ImapFlow, type MailboxObject } from "imapflow";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { letter } from "./mail.ts";

/** A client that resynchronizes, and what it said and heard. */
interface Client {
  readonly imap: ImapFlow;
  readonly lines: string[];
  /** UIDs that it learned are gone, and messages that changed. */
  readonly gone: (number | undefined)[];
  readonly flagged: (number | undefined)[];
}

async function connect(server: TestServer, user: string): Promise<Client> {
  const imap = new ImapFlow({
    host: "127.0.0.1",
    port: server.tlsPort,
    secure: true,
    auth: { user, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
    qresync: true,
    logger: false,
    emitLogs: true,
  });
  const client: Client = { imap, lines: [], gone: [], flagged: [] };
  imap.on("log", ({ msg }: { msg?: unknown }) => client.lines.push(String(msg)));
  imap.on("expunge", ({ uid }: { uid?: number }) => client.gone.push(uid));
  imap.on("flags", ({ uid }: { uid?: number }) => client.flagged.push(uid));
  await imap.connect();
  return client;
}

function said({ lines }: Client, pattern: RegExp): boolean {
  return lines.some((line) => pattern.test(line));
}

async function opened({ imap }: Client, known?: MailboxObject): Promise<MailboxObject> {
  const options = known && {
    uidValidity: known.uidValidity,
    changedSince: known.highestModseq,
  };
  const mailbox = await imap.mailboxOpen("INBOX", options);
  assert.ok(mailbox);
  return mailbox;
}

Deno.test("imapflow: comes back by QRESYNC, and hears VANISHED", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  const first = await connect(server, user);
  for (let number = 1; number <= 6; number++) await first.imap.append("INBOX", letter(number));
  const before = { ...await opened(first) };
  assert.ok(said(first, /ENABLE .*QRESYNC/));
  await first.imap.logout();

  const other = await connect(server, user);
  await opened(other);
  await other.imap.messageFlagsAdd("4", ["\\Flagged"], { uid: true });
  await other.imap.messageDelete("2,5", { uid: true });
  assert.ok(said(other, /VANISHED 2,5/));

  const again = await connect(server, user);
  try {
    const mailbox = await opened(again, before);
    assert.equal(mailbox.exists, 4);
    assert.ok(said(again, /SELECT INBOX \(QRESYNC \(\d+ \d+\)\)/));
    assert.deepEqual(again.gone, [2, 5]);
    assert.deepEqual(again.flagged, [4]);

    await other.imap.messageMove("1", "Trash", { uid: true });
    await again.imap.noop();
    assert.deepEqual(again.gone, [2, 5, 1]);

    const changed = await again.imap.fetchAll("1:*", { flags: true }, {
      uid: true,
      changedSince: before.highestModseq,
    });
    assert.deepEqual(changed.map(({ uid }) => uid), [4]);
    assert.ok(said(again, /UID FETCH 1:\* .*CHANGEDSINCE \d+ VANISHED/));
  } finally {
    await again.imap.logout();
    await other.imap.logout();
  }
});

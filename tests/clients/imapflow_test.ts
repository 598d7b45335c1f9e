import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ImapFlow } from "imapflow";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { ATTACHMENT, letter, withAttachment } from "./mail.ts";

/** A connected client; `secure` is TLS from the first byte, else STARTTLS. */
async function connect(server: TestServer, user: string, secure = true): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: secure ? server.tlsPort : server.port,
    secure,
    doSTARTTLS: secure ? undefined : true,
    auth: { user, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
    logger: false,
  });
  await client.connect();
  return client;
}

/** The value that a request gave; `false` is how imapflow reports a refusal. */
function granted<T>(value: T | false | undefined): T {
  assert.ok(value !== false && value !== undefined, "Expected the server to grant it");
  return value;
}

Deno.test("imapflow: reads envelopes, structures, sources and an attachment", async () => {
  await using server = await startServer();
  const client = await connect(server, server.freshUser());
  try {
    assert.ok("_deflate" in client && client._deflate, "Expected it to compress by itself");
    for (const mail of [letter(1), withAttachment(), letter(3)]) {
      granted(await client.append("INBOX", mail, ["\\Seen"], new Date("2026-02-03T10:30:00Z")));
    }
    const mailbox = granted(await client.mailboxOpen("INBOX"));
    assert.equal(mailbox.exists, 3);
    assert.equal(mailbox.readOnly, false);

    const messages = await client.fetchAll("1:*", {
      uid: true,
      flags: true,
      envelope: true,
      bodyStructure: true,
      internalDate: true,
      size: true,
      source: true,
      headers: ["message-id"],
    });
    assert.deepEqual(messages.map(({ seq }) => seq), [1, 2, 3]);
    const [first, second] = messages;
    assert.equal(first.envelope?.subject, "Letter 1");
    assert.deepEqual(first.envelope?.from?.map(({ name, address }) => [name, address]), [
      ["Ada Example", "ada@example.org"],
    ]);
    assert.ok(first.flags?.has("\\Seen"));
    assert.equal(first.source?.toString(), letter(1));
    assert.equal(first.size, Buffer.byteLength(letter(1)));
    assert.equal(new Date(first.internalDate ?? 0).toISOString(), "2026-02-03T10:30:00.000Z");
    assert.match(first.headers?.toString() ?? "", /^Message-ID: <letter-1@example.org>/i);
    assert.equal(second.envelope?.subject, "Ein Anhang");
    assert.equal(second.envelope?.from?.[0].name, "Jürgen");
    assert.equal(second.bodyStructure?.type, "multipart/mixed");
    const part = second.bodyStructure?.childNodes?.[1];
    assert.equal(part?.part, "2");
    assert.equal(part?.dispositionParameters?.filename, "bytes.bin");

    const { meta, content } = await client.download("2", "2");
    assert.ok(meta && content);
    assert.equal(meta.filename, "bytes.bin");
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    assert.deepEqual(new Uint8Array(Buffer.concat(chunks)), ATTACHMENT);
  } finally {
    await client.logout();
  }
});

Deno.test("imapflow: searches, flags, moves, copies and deletes", async () => {
  await using server = await startServer();
  const client = await connect(server, server.freshUser());
  try {
    for (let number = 1; number <= 6; number++) await client.append("INBOX", letter(number));
    granted(await client.mailboxCreate("Archive 2026"));
    granted(await client.mailboxOpen("INBOX"));

    assert.deepEqual(granted(await client.search({ subject: "letter 4" })), [4]);
    assert.deepEqual(granted(await client.search({ body: "Grüße", seen: false }, { uid: true })), [
      ...[1, 2, 3, 4, 5, 6],
    ]);
    assert.deepEqual(granted(await client.search({ or: [{ uid: "2" }, { subject: "5" }] })), [
      2,
      5,
    ]);

    granted(await client.messageFlagsAdd("2:3", ["\\Flagged", "$Forwarded"]));
    assert.deepEqual(granted(await client.search({ keyword: "$Forwarded" })), [2, 3]);
    granted(await client.messageFlagsRemove("2", ["\\Flagged"]));
    assert.deepEqual(granted(await client.search({ flagged: true })), [3]);
    granted(await client.messageFlagsSet("3", ["\\Answered"]));
    assert.deepEqual(granted(await client.search({ flagged: true })), []);

    const moved = granted(await client.messageMove("1:2", "Archive 2026"));
    assert.deepEqual([...moved.uidMap ?? []], [[1, 1], [2, 2]]);
    const copied = granted(await client.messageCopy("5", "Archive 2026", { uid: true }));
    assert.deepEqual([...copied.uidMap ?? []], [[5, 3]]);
    granted(await client.messageDelete("4", { uid: true }));
    assert.deepEqual(granted(await client.search({ all: true }, { uid: true })), [3, 5, 6]);

    const status = granted(
      await client.status("Archive 2026", { messages: true, uidNext: true, unseen: true }),
    );
    assert.deepEqual([status.messages, status.uidNext, status.unseen], [3, 4, 3]);
    const archived = granted(await client.mailboxOpen("Archive 2026", { readOnly: true }));
    assert.equal(archived.exists, 3);
    const subjects = await client.fetchAll("1:*", { envelope: true });
    assert.deepEqual(subjects.map(({ envelope }) => envelope?.subject), [
      ...["Letter 1", "Letter 2", "Letter 5"],
    ]);
  } finally {
    await client.logout();
  }
});

Deno.test("imapflow: creates, renames, lists and deletes mailboxes over STARTTLS", async () => {
  await using server = await startServer();
  const client = await connect(server, server.freshUser(), false);
  try {
    assert.equal(client.secureConnection, true);
    assert.equal(granted(await client.mailboxCreate(["Entwürfe", "日本語"])).created, true);
    granted(await client.mailboxRename("Entwürfe/日本語", "Entwürfe/中文"));
    granted(await client.mailboxSubscribe("Entwürfe/中文"));
    const paths = (await client.list()).map(({ path }) => path);
    assert.ok(paths.includes("INBOX"));
    assert.ok(paths.includes("Entwürfe/中文"));
    assert.ok(!paths.includes("Entwürfe/日本語"));
    granted(await client.mailboxDelete("Entwürfe/中文"));
    assert.ok(!(await client.list()).some(({ path }) => path.endsWith("中文")));
  } finally {
    await client.logout();
  }
});

Deno.test("imapflow: hears in IDLE of arrivals, flags and expunges by another client", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  const watcher = await connect(server, user);
  const other = await connect(server, user);
  try {
    await other.append("INBOX", letter(1));
    granted(await watcher.mailboxOpen("INBOX"));
    granted(await other.mailboxOpen("INBOX"));
    const idle = watcher.idle();

    const arrived = next(watcher, "exists");
    await other.append("INBOX", letter(2));
    assert.equal((await arrived).count, 2);

    const flagged = next(watcher, "flags");
    await other.messageFlagsAdd("1", ["\\Flagged"]);
    const update = await flagged;
    assert.equal(update.seq, 1);
    assert.ok(update.flags.has("\\Flagged"));

    const gone = next(watcher, "expunge");
    await other.messageDelete("1");
    assert.equal((await gone).seq, 1);

    assert.deepEqual(granted(await watcher.search({ all: true }, { uid: true })), [2]);
    await idle;
  } finally {
    await watcher.logout();
    await other.logout();
  }
});

interface Events {
  exists: { count: number };
  flags: { seq: number; flags: Set<string> };
  expunge: { seq: number };
}

/** The next event of a kind. */
function next<E extends keyof Events>(client: ImapFlow, event: E): Promise<Events[E]> {
  return new Promise((resolve) => client.once(event, resolve));
}

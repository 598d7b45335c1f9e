/** fsync that fails: what was acknowledged must be on the disk, and what was refused must not be lost. */

import assert from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { until } from "../until.ts";
import { refusing, tracedTest } from "./tracing.ts";

const MESSAGE = "Subject: one\r\n\r\nHello\r\n";

function login(server: TestServer, user: string): Promise<ImapClient> {
  return ImapClient.login({ host: "127.0.0.1", port: server.port }, user, PASSWORD);
}

async function ok(client: ImapClient, command: string): Promise<string> {
  const { reply, untagged } = await client.command(command);
  assert.match(reply, /^OK/, command);
  return untagged.join("\n");
}

/** Which subjects a mailbox has, once the server was killed and started again. */
async function subjectsAfterKill(
  server: TestServer,
  user: string,
  mailbox: string,
): Promise<string[]> {
  await using client = await login(server, user);
  const selected = await ok(client, `SELECT ${mailbox}`);
  if (/^\* 0 EXISTS/m.test(selected)) return [];
  const fetched = await ok(client, "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
  return [...fetched.matchAll(/^Subject: (.*?)\r?$/gm)].map(([, subject]) => subject).sort();
}

tracedTest(
  "Writer: after a sync of the log failed, all is written again before the next OK",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    await client.append("INBOX", MESSAGE);
    const paths = [`${server.maildir(user)}/imapd.sqlite-wal`];
    {
      await using _ = await refusing(server.pid, { calls: "fdatasync", error: "EIO", paths });
      assert.match((await client.append("INBOX", MESSAGE)).reply, /^NO \[UNAVAILABLE\]/);
    }
    await using working = await refusing(server.pid, { calls: "fdatasync,pwrite64", paths });
    await until(async () => (await client.append("INBOX", MESSAGE)).reply.startsWith("OK"), "OK");
    // From its beginning on, and before anything is synced.
    assert.match(
      working.record(),
      /^[^\n]*pwrite64\([^\n]*, 0\) = \d{5,}\n[^\n]*fdatasync\([^\n]*= 0/,
    );
    assert.match(server.log(), /wrote the log of the index again/);
  },
);

tracedTest(
  "Writer: while the log cannot be synced changes are refused, and reading goes on",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    await ok(client, "CREATE Box");
    for (const subject of ["one", "two", "three"]) {
      await client.append("INBOX", MESSAGE.replace("one", subject));
    }
    await ok(client, "SELECT INBOX");
    const refused = await refusing(server.pid, {
      calls: "fdatasync,fsync",
      error: "EIO",
      paths: [`${server.maildir(user)}/imapd.sqlite-wal`],
    });
    try {
      for (
        const command of [
          "MOVE 1 Box",
          "STORE 1 +FLAGS (\\Deleted)",
          "COPY 1 Box",
          "EXPUNGE",
          "CREATE More",
          "RENAME Box Bin",
          "DELETE Box",
          "SUBSCRIBE Box",
          'SETMETADATA INBOX (/private/comment "x")',
        ]
      ) {
        const { reply } = await client.command(command);
        // What changes nothing needs no disk.
        if (command === "EXPUNGE" && reply.startsWith("OK")) continue;
        assert.match(reply, /^NO \[UNAVAILABLE\]/, command);
      }
      const { reply } = await client.append("INBOX", MESSAGE.replace("one", "four"));
      assert.match(reply, /^NO \[UNAVAILABLE\]/);
      await ok(client, "NOOP");
      assert.match(await ok(client, "FETCH 1:* BODY.PEEK[]"), /Subject: three/);
      assert.match(await ok(client, "SEARCH ALL"), /SEARCH \d/);
      await ok(client, 'LIST "" "*"');
      await ok(client, "STATUS Box (MESSAGES)");
      await using second = await login(server, user);
      await ok(second, "SELECT INBOX");
    } finally {
      await refused[Symbol.asyncDispose]();
    }
    assert.match(server.log(), /cannot be made durable/);
    await server.stop("SIGKILL");
    await server.restart();
    // The move was refused, and may have happened; nothing is lost by it.
    const all = [
      ...await subjectsAfterKill(server, user, "INBOX"),
      ...await subjectsAfterKill(server, user, "Box"),
    ];
    for (const subject of ["one", "two", "three"]) assert.ok(all.includes(subject), all.join());
    await using client2 = await login(server, user);
    assert.match((await client2.append("INBOX", MESSAGE)).reply, /^OK/);
  },
);

tracedTest(
  "append: a message whose file cannot be synced is refused and leaves nothing",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    await ok(client, "SELECT INBOX");
    const root = server.maildir(user);
    const refused = await refusing(server.pid, {
      calls: "fsync",
      error: "EIO",
    });
    try {
      assert.match((await client.append("INBOX", MESSAGE)).reply, /^NO \[UNAVAILABLE\]/);
      await ok(client, "NOOP");
    } finally {
      await refused[Symbol.asyncDispose]();
    }
    assert.deepEqual([...Deno.readDirSync(`${root}/tmp`), ...Deno.readDirSync(`${root}/cur`)], []);
    assert.match(server.log(), /store failed/);
    assert.match((await client.append("INBOX", MESSAGE)).reply, /^OK/);
  },
);

/** Each as the first that fails: it may have happened, and nothing else may. */
const CHANGES: readonly { readonly command: string; readonly mailboxes: readonly string[] }[] = [
  { command: "MOVE 1 Box", mailboxes: ["INBOX", "Box"] },
  { command: "COPY 1 Box", mailboxes: ["INBOX", "Box"] },
  { command: "EXPUNGE", mailboxes: ["INBOX", "Box"] },
  { command: "REPLACE 1 INBOX {24+}\r\nSubject: one\r\n\r\nHello\r\n\r\n", mailboxes: ["INBOX"] },
  { command: "CREATE More", mailboxes: ["INBOX", "Box"] },
  { command: "RENAME Box More", mailboxes: ["INBOX", "Box", "More"] },
  { command: "DELETE Other", mailboxes: ["INBOX", "Box"] },
];

tracedTest("Writer: a change in doubt loses no message, whatever it was", async () => {
  await using server = await startServer();
  const users: { user: string; client: ImapClient }[] = [];
  for (const _ of CHANGES) {
    const user = server.freshUser();
    const client = await login(server, user);
    for (const box of ["Box", "Other"]) await ok(client, `CREATE ${box}`);
    await client.append("INBOX", MESSAGE);
    await client.append("INBOX", MESSAGE.replace("one", "deleted"), "(\\Deleted)");
    await client.append("Box", MESSAGE.replace("one", "boxed"));
    await ok(client, "SELECT INBOX");
    users.push({ user, client });
  }
  {
    const paths = users.map(({ user }) => `${server.maildir(user)}/imapd.sqlite-wal`);
    await using _ = await refusing(server.pid, { calls: "fdatasync,fsync", error: "EIO", paths });
    for (const [i, { command }] of CHANGES.entries()) {
      const { reply } = await users[i].client.command(command);
      assert.match(reply, /^NO \[UNAVAILABLE\]/, command);
    }
  }
  // What the disk takes again goes on in the same session.
  for (const [i, { command }] of CHANGES.entries()) {
    const { client } = users[i];
    await until(async () => {
      await client.command("NOOP");
      return (await client.append("INBOX", MESSAGE.replace("one", "after"))).reply.startsWith("OK");
    }, `APPEND after ${command}`);
    await client.close();
  }
  await server.stop("SIGKILL");
  await server.restart();
  for (const [i, { command, mailboxes }] of CHANGES.entries()) {
    const all: string[] = [];
    for (const mailbox of mailboxes) {
      await using client = await login(server, users[i].user);
      if ((await client.command(`STATUS ${mailbox} (MESSAGES)`)).reply.startsWith("NO")) continue;
      all.push(...await subjectsAfterKill(server, users[i].user, mailbox));
    }
    for (const subject of ["one", "boxed", "after"]) {
      if (subject === "boxed" && !mailboxes.includes("Box")) continue;
      assert.ok(all.includes(subject), `${subject} after ${command}: ${all.join(", ")}`);
    }
  }
});

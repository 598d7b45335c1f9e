/** A full disk: refused with a reason, nothing lost, and what makes room works. */

import assert from "node:assert/strict";
import { startServer } from "../harness.ts";
import { login, ok } from "./commands.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { startLmtpServer } from "../lmtp/serving.ts";
import { until } from "../until.ts";
import { FLAG } from "../../src/store/store.ts";
import { deliver, refused, uidsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "../store/maildir_fixture.ts";
import { mountingTest, smallDisk } from "./small_disk.ts";
import { refusing, tracedTest } from "./tracing.ts";

const BODY = "0123456789\r\n".repeat(700);

function message(subject: string): string {
  return `Subject: ${subject}\r\n\r\n${BODY}`;
}

mountingTest(
  "Reserve: on a full disk mail can be read and expunged, and all else is refused",
  async () => {
    await using server = await startLmtpServer();
    await using disk = await smallDisk(`${server.dir}/mail`, 16 * 1024);
    const user = server.freshUser();
    await using client = await login(server, user);
    for (let i = 1; i <= 60; i++) {
      assert.match((await client.append("INBOX", message(`m${i}`))).reply, /^OK/);
    }
    await ok(client, "CREATE Box");
    await ok(client, "SELECT INBOX");
    disk.fill();
    // Whatever room the log still had is used up, too.
    for (let i = 0; i < 200; i++) {
      const { reply } = await client.command(`STORE ${1 + i % 60} +FLAGS (keyword${i})`);
      if (reply.startsWith("OK")) continue;
      assert.match(reply, /^NO \[OVERQUOTA\]/);
      break;
    }
    for (
      const command of [
        "COPY 1:60 Box",
        "CREATE More",
        "RENAME Box Bin",
        'SETMETADATA INBOX (/private/comment "0123456789")',
      ]
    ) {
      const { reply } = await client.command(command);
      assert.match(reply, /^(NO \[OVERQUOTA\]|OK)/, command);
    }
    assert.match((await client.append("INBOX", message("no"))).reply, /^NO \[OVERQUOTA\]/);
    assert.match(
      (await client.append("INBOX", message("no").repeat(50))).reply,
      /^NO \[OVERQUOTA\]/,
    );
    {
      await using lmtp = await LmtpClient.greeted(server.lmtp);
      await lmtp.says("MAIL FROM:<bob@example.org>", /^250/);
      await lmtp.says(`RCPT TO:<${user}@example.org>`, /^250/);
      await lmtp.says("DATA", /^354/);
      await lmtp.says(`${message("lmtp")}.`, /^452/);
    }
    await ok(client, "NOOP");
    assert.match(await ok(client, "FETCH 60 BODY.PEEK[HEADER]"), /Subject: m60/);
    await using second = await login(server, user);
    assert.match(await ok(second, "SELECT INBOX"), /^\* 60 EXISTS/m);
    await ok(second, "SEARCH SUBJECT m1");
    await ok(client, "STORE 1:20 +FLAGS (\\Deleted)");
    await ok(client, "EXPUNGE");
    await until(
      () => [...Deno.readDirSync(`${server.maildir(user)}/cur`)].length === 40,
      "the files to go",
    );
    assert.match((await client.append("INBOX", message("again"))).reply, /^OK/);
    assert.match(server.log(), /store failed .*command=APPEND .*No room is left/);
    assert.match(server.log(), /the disk is full/);
    await until(
      () => Deno.statSync(`${server.maildir(user)}/imapd.reserve`).size === 256 * 1024,
      "the reserve to be filled again",
    );
    await client.close();
    await second.close();
    await server.stop("SIGKILL");
    await server.restart();
    await using third = await login(server, user);
    assert.match(await ok(third, "SELECT INBOX"), /^\* 41 EXISTS/m);
  },
);

mountingTest("expunge: on a full disk very many messages go in several runs", async () => {
  await using fixture = await MaildirFixture.make();
  await using disk = await smallDisk(fixture.root, 32 * 1024);
  fixture.makeFolder("");
  for (let i = 0; i < 600; i++) {
    fixture.put(`cur/${i}.m:2,${i % 2 ? "T" : ""}`, message(`m${i}`));
  }
  const first = await (await (await fixture.open()).account("ann")).open("INBOX");
  await first.prepare(uidsOf(first));
  first.close();
  // With a log that is short, and less room than is kept for it otherwise.
  const inbox = await (await (await fixture.open()).account("ann")).open("INBOX");
  Deno.truncateSync(`${fixture.root}/imapd.reserve`, 48 * 1024);
  disk.fill();
  const { uids } = await inbox.expunge();
  assert.equal(uids.length, 300);
  assert.equal(inbox.messages.count, 300);
  inbox.close();
  await until(() => fixture.names("cur").length === 300, "the files to go");
});

mountingTest(
  "Reserve: on a disk without inodes an account can be opened and expunged",
  async () => {
    await using fixture = await MaildirFixture.make();
    await using disk = await smallDisk(fixture.root, 4 * 1024, 60);
    let account = await (await fixture.open()).account("ann");
    for (const name of ["a", "b", "c"]) await deliver(account, "INBOX", name);
    await fixture.close();
    disk.useUpInodes();
    account = await (await fixture.open()).account("ann");
    const inbox = await account.open("INBOX");
    await refused("over-quota", deliver(account, "INBOX", "d"));
    await inbox.store([1, 2], { mode: "add", system: FLAG.deleted, keywords: [] });
    assert.deepEqual((await inbox.expunge()).uids, [1, 2]);
    await until(() => fixture.names("cur").length === 1, "the files to go");
    await deliver(account, "INBOX", "d");
    inbox.close();
  },
);

mountingTest("MaildirStore.examine(): says that a disk is read-only", async () => {
  await using fixture = await MaildirFixture.make();
  await using disk = await smallDisk(fixture.root, 4 * 1024);
  Deno.chmodSync(fixture.root, 0o700);
  await (await fixture.open()).account("ann");
  const store = await fixture.open();
  await disk.remount("ro");
  assert.deepEqual((await store.examine("ann")).map(({ code }) => code), ["disk-read-only"]);
  await disk.remount("rw");
  assert.deepEqual((await store.examine("ann")).map(({ code }) => code), [undefined]);
});

tracedTest(
  "Reserve: where the user's quota is used up, too, messages can be expunged",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    await client.append("INBOX", message("one"));
    await ok(client, "SELECT INBOX");
    const root = server.maildir(user);
    await using _ = await refusing(server.pid, {
      calls: "pwrite64,write",
      error: "EDQUOT",
      once: true,
      paths: [`${root}/imapd.sqlite-wal`, `${root}/imapd.reserve.tmp`],
    });
    await ok(client, "STORE 1 +FLAGS (\\Deleted)");
    assert.match(await ok(client, "EXPUNGE"), /^\* 1 EXPUNGE/m);
  },
);

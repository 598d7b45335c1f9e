/** System calls that fail while sessions work: nothing crashes, nothing is lost, clients hear why. */

import assert from "node:assert/strict";
import { ImapClient } from "../client.ts";
import { clientTest } from "../clients/programs.ts";
import { PASSWORD } from "../harness.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { type LmtpTestServer, startLmtpServer } from "../lmtp/serving.ts";
import { until } from "../until.ts";
import {
  answers,
  assertFitting,
  assertNothingLost,
  login,
  message,
  ok,
  prepared,
} from "./commands.ts";
import { withoutFiles } from "./file_limit.ts";
import { refusing, tracedTest } from "./tracing.ts";

const WRITING = "pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat," +
  "fsync,fdatasync";

/** Runs all commands while `fault` is on, and looks for the mail after it and after a kill. */
async function survives(
  fault: (server: LmtpTestServer) => Promise<AsyncDisposable>,
  { codes, lmtp, lines }: { readonly codes: string; readonly lmtp: RegExp; readonly lines: RegExp },
): Promise<ReadonlyMap<string, string>> {
  await using server = await startLmtpServer();
  const user = server.freshUser();
  await using client = await prepared(server, user);
  await using delivering = await LmtpClient.greeted(server.lmtp);
  let replies: ReadonlyMap<string, string>;
  {
    await using _ = await fault(server);
    replies = await answers(client);
    assertFitting(replies, codes);
    const [reply] = await delivering.deliver([`${user}@example.org`], message("lmtp"));
    assert.match(reply, lmtp);
  }
  assert.match(server.log(), lines);
  assert.doesNotMatch(server.log(), /bug/);
  await until(
    async () => (await client.append("INBOX", message("after"))).reply.startsWith("OK"),
    "all to work again",
  );
  await ok(client, "SELECT INBOX");
  await ok(client, "FETCH 1:* BODY.PEEK[]");
  await assertNothingLost(server, user);
  await server.stop("SIGKILL");
  await server.restart();
  await assertNothingLost(server, user);
  return replies;
}

for (const error of ["EIO", "EROFS"]) {
  tracedTest(`${error}: what writes is refused as unavailable, and reading goes on`, async () => {
    const replies = await survives(
      ({ pid }) => refusing(pid, { calls: WRITING, error }),
      { codes: "UNAVAILABLE", lmtp: /^451 /, lines: /store failed .*command=APPEND/ },
    );
    for (const command of ["FETCH 3 BODY.PEEK[]", "SEARCH TEXT 0123456789", "SELECT Box"]) {
      assert.match(replies.get(command) ?? "", /^OK/);
    }
    for (const command of ["APPEND", "COPY 1:3 Box", "MOVE 4 Box", "CREATE New", "EXPUNGE"]) {
      assert.match(replies.get(command) ?? "", /^NO/);
    }
  });
}

tracedTest("EIO: a message that cannot be read is told as corrupt", async () => {
  const replies = await survives(
    ({ pid }) => refusing(pid, { calls: "pread64", error: "EIO" }),
    {
      codes: "CORRUPTION|UNAVAILABLE",
      lmtp: /^(250|451) /,
      lines: /message not sent .*EIO|os error 5/,
    },
  );
  assert.match(replies.get("FETCH 3 BODY.PEEK[]") ?? "", /^NO \[CORRUPTION\]/);
});

const NO_FILES = "EMFILE: what opens a file is refused as unavailable; no worker is started";
clientTest(["prlimit"], NO_FILES, async () => {
  const replies = await survives(
    ({ pid }) => withoutFiles(pid),
    { codes: "UNAVAILABLE", lmtp: /^451 /, lines: /EMFILE/ },
  );
  for (const command of ["FETCH 3 BODY.PEEK[]", "SEARCH TEXT 0123456789", "APPEND"]) {
    assert.match(replies.get(command) ?? "", /^NO \[UNAVAILABLE\]/, command);
  }
});

const NO_WORKER = "EMFILE: a login whose check needs a worker is refused, and the server goes on";
clientTest(["prlimit"], NO_WORKER, async () => {
  await using server = await startLmtpServer();
  const { port, pid } = server;
  await using client = await ImapClient.connect({ host: "127.0.0.1", port });
  await client.response();
  {
    await using _ = await withoutFiles(pid);
    const { reply } = await client.command(`LOGIN ${server.freshUser()} ${PASSWORD}`);
    assert.match(reply, /^NO \[UNAVAILABLE\]/);
  }
  await using other = await login(server, server.freshUser());
  await ok(other, "NOOP");
});

tracedTest("EIO: an account whose imapd.commits cannot be read is opened", async () => {
  await using server = await startLmtpServer();
  const user = server.freshUser();
  const path = `${server.maildir(user)}/imapd.commits`;
  await Deno.mkdir(server.maildir(user), { recursive: true });
  await Deno.writeTextFile(path, "unreadable");
  await using _ = await refusing(server.pid, {
    calls: "read,pread64",
    error: "EIO",
    paths: [path],
  });
  await using client = await login(server, user);
  await ok(client, "SELECT INBOX");
  assert.match(server.log(), /an older index would not have been noticed .*(os error 5|EIO)/);
});

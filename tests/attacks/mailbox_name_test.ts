// Mailbox names that, taken as paths, lead out of the account.

import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

/** As they stand in a command. A server may keep such a name escaped, but only inside. */
const ESCAPES = [
  "..",
  ".",
  "../..",
  "../../etc",
  "a/../b",
  "a/./b",
  "a/../../b",
  "/etc/passwd",
  "//etc",
  "~",
  "~root",
  "~/x",
  "..\\\\..\\\\etc",
  "cur",
  "../VICTIM",
  "../VICTIM/INBOX",
  "../VICTIM/cur",
  ".../...//",
  "&AC4ALg-/x", // ".." in modified UTF-7
  "..&AC8-..", // "/" in modified UTF-7
].map((name) => `"${name}"`);

/** No server may take these. */
const REFUSED = [
  "{3+}\r\na\0b",
  "{1+}\r\n\0",
  "{4+}\r\na\r\nb",
  "{2+}\r\n\r\n",
  '"&AAA-"', // NUL in modified UTF-7
  '""',
];

/** Every path in the server's folder that does not belong to the account. */
async function outside(server: TestServer, user: string): Promise<string[]> {
  const paths: string[] = [];
  async function walk(dir: string) {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = `${dir}/${name}`;
      if (path.startsWith(server.maildir(user))) continue;
      // SQLite makes and removes these two as it likes
      if (!/-(wal|shm)$/.test(path)) paths.push(path);
      if (isDirectory) await walk(path);
    }
  }
  await walk(server.dir);
  return paths.sort();
}

Deno.test("mailbox name: none leads out of the account", async () => {
  await using server = await startServer();
  const [user, victim] = [server.freshUser(), server.freshUser()];
  await using other = await RawConnection.login(server.tlsPort, victim, PASSWORD);
  await other.append("INBOX", "Subject: private\r\n\r\nprivate\r\n");
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  const before = await outside(server, user);
  assert.ok(before.length > 0);

  for (const escape of ESCAPES) {
    const name = escape.replace("VICTIM", victim);
    assert.match((await client.command(`SELECT ${name}`)).pop() ?? "", /^t\d+ (NO|BAD) /, name);
    assert.match(
      (await client.command(`STATUS ${name} (MESSAGES)`)).pop() ?? "",
      /^t\d+ (NO|BAD) /,
      name,
    );
    await client.command(`SUBSCRIBE ${name}`);
    await client.command(`RENAME INBOX ${name}`);
    await client.command(`CREATE ${name}`);
    await client.command(`RENAME ${name} "renamed"`);
    await client.command(`RENAME "renamed" ${name}`);
    const selected = await client.command(`SELECT ${name}`);
    if (/^t\d+ OK/.test(selected.at(-1) ?? "")) {
      assert.deepEqual(await client.ok("SEARCH SUBJECT private"), ["* SEARCH"], name);
      await client.ok("CLOSE");
    }
    await client.command(`DELETE ${name}`);
    await client.command(`UNSUBSCRIBE ${name}`);
  }
  assert.deepEqual(await outside(server, user), before);
  await other.ok("SELECT INBOX");
  assert.deepEqual(await other.ok("SEARCH SUBJECT private"), ["* SEARCH 1"]);
});

Deno.test("mailbox name: NUL, line ends and nothing at all are refused", async () => {
  await using server = await startServer();
  for (const name of REFUSED) {
    for (const command of ["CREATE X", "SELECT X", "SUBSCRIBE X", "RENAME INBOX X"]) {
      await using client = await RawConnection.login(server.tlsPort, server.freshUser(), PASSWORD);
      const reply = (await client.command(command.replace("X", name))).pop();
      assert.match(reply ?? "", /^t\d+ (NO|BAD) /, JSON.stringify(`${command} ${name}`));
      await client.ok("NOOP");
    }
  }
});

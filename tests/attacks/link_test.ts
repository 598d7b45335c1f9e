// Whoever can write to a Maildir puts links into it that lead to what only the server may read:
// other users' mail, or files of the system.

import assert from "node:assert/strict";
import { PASSWORD, startServer, type TestServer } from "../harness.ts";
import { RawConnection } from "../raw_connection.ts";

const SECRET = "Subject: private\r\n\r\nprivate\r\n";

async function places(server: TestServer) {
  const [owner, attacker] = [server.freshUser(), server.freshUser()];
  await using hers = await RawConnection.login(server.tlsPort, owner, PASSWORD);
  await hers.append("INBOX", SECRET, "(\\Seen)");
  await hers.ok("CREATE Private");
  await hers.append("Private", SECRET);
  await (await RawConnection.login(server.tlsPort, attacker, PASSWORD)).close();
  const own = server.maildir(attacker);
  const other = server.maildir(owner);
  return { owner, attacker, own, other };
}

async function fileIn(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) return `${folder}/${name}`;
  throw new Error(`Expected a file in ${folder}`);
}

/** All that a client can read of all mailboxes. */
async function readable(server: TestServer, user: string): Promise<string> {
  await using client = await RawConnection.login(server.tlsPort, user, PASSWORD);
  let text = "";
  for (const line of await client.ok('LIST "" "*"')) {
    const name = line.match(/ "?([^" ]+)"?$/)?.[1] ?? "";
    const selected = await client.command(`SELECT "${name}"`);
    if (!/OK/.test(selected.at(-1) ?? "")) continue;
    for (const items of ["ENVELOPE PREVIEW BODYSTRUCTURE", "BODY.PEEK[]", "BODY.PEEK[HEADER]"]) {
      text += (await client.command(`FETCH 1:* (${items})`)).join("\n");
    }
    text += (await client.command("SEARCH TEXT private")).join("\n");
  }
  return text;
}

Deno.test("links: a message that is one is not read, wherever it leads", async () => {
  await using server = await startServer();
  const { attacker, own, other, owner } = await places(server);
  await Deno.writeTextFile(`${server.dir}/outside`, SECRET);
  const targets = [
    await fileIn(`${other}/cur`),
    `${server.dir}/outside`,
    `${server.dir}/config.toml`,
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "/dev/stdin",
    `${other}/cur`,
  ];
  for (const [i, target] of targets.entries()) {
    await Deno.symlink(target, `${own}/new/1700000000.${i}.host`);
    await Deno.symlink(target, `${own}/cur/1700000000.${i}.other:2,S`);
  }
  const text = await readable(server, attacker);
  assert.doesNotMatch(text, /private|root:|state_dir|PATH=/);
  assert.match(await readable(server, owner), /private/);
});

Deno.test("links: a folder that is one leads nowhere", async () => {
  await using server = await startServer();
  const { attacker, own, other, owner } = await places(server);
  await Deno.symlink(other, `${own}/.Theirs`);
  await Deno.symlink(`${other}/.Private`, `${own}/.Private`);
  await Deno.mkdir(`${own}/.Half`);
  for (const part of ["cur", "new", "tmp"]) {
    await Deno.symlink(`${other}/${part}`, `${own}/.Half/${part}`);
  }
  await Deno.symlink("/", `${own}/.Root`);
  assert.doesNotMatch(await readable(server, attacker), /private/);
  // Nothing is written through them either.
  await using client = await RawConnection.login(server.tlsPort, attacker, PASSWORD);
  for (const name of ["Theirs", "Private", "Half", "Root"]) {
    const literal = "{7+}\r\nX: y\r\n\r";
    await client.command(`APPEND ${name} ${literal}`);
    await client.command(`CREATE ${name}`);
    await client.command(`DELETE ${name}`);
    await client.command(`RENAME ${name} Mine`);
  }
  await using hers = await RawConnection.login(server.tlsPort, owner, PASSWORD);
  for (const name of ["INBOX", "Private"]) {
    const [status] = await hers.ok(`STATUS ${name} (MESSAGES)`);
    assert.match(status, /MESSAGES 1\)/);
  }
});

Deno.test("links: a message that is a hard link of another user's loses and changes nothing there", async () => {
  await using server = await startServer();
  const { attacker, own, other, owner } = await places(server);
  const file = await fileIn(`${other}/cur`);
  await Deno.link(file, `${own}/cur/1700000000.1.host:2,`);
  await using client = await RawConnection.login(server.tlsPort, attacker, PASSWORD);
  await client.ok("SELECT INBOX");
  await client.ok("STORE 1:* FLAGS (\\Deleted)");
  await client.ok("EXPUNGE");
  await using hers = await RawConnection.login(server.tlsPort, owner, PASSWORD);
  await hers.ok("SELECT INBOX");
  assert.deepEqual(await hers.ok("SEARCH SEEN UNDELETED SUBJECT private"), ["* SEARCH 1"]);
  assert.equal(await Deno.readTextFile(file), SECRET);
});

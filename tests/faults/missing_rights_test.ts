/** Modes by which not even the owner may: the doctor says so, and takes nothing for damaged. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { MAIN } from "../cli/program.ts";
import { startServer, type TestServer } from "../harness.ts";
import { login, message, ok } from "./commands.ts";
import { mountingTest, smallDisk } from "./small_disk.ts";

/** Root may do all but for these, without which it may what an owner may. */
const OVERRIDES = "-dac_override,-dac_read_search";
const AS_OWNER = ["setpriv", "--bounding-set", OVERRIDES, "--inh-caps", OVERRIDES];

function canDropRights(): boolean {
  try {
    return Deno.uid() === 0 &&
      new Deno.Command("setpriv", { args: [...AS_OWNER.slice(1), "true"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** What `imapd doctor` by itself prints of the account; it has the rights of an owner only. */
async function doctor(
  { dir }: TestServer,
  words: readonly string[],
  { command = AS_OWNER, env = {} }: {
    readonly command?: readonly string[];
    readonly env?: Record<string, string>;
  } = {},
): Promise<string> {
  const [program, ...args] = [
    ...command,
    ...[Deno.execPath(), "run", "-A", MAIN, "doctor", ...words, "--config", `${dir}/config.toml`],
  ];
  const { stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.filter((line) => line.includes("account")).join("\n") +
    new TextDecoder().decode(stderr);
}

/** A test in which programs have the rights of an owner only. */
function ownerTest(name: string, fn: () => Promise<void>): void {
  const isAble = canDropRights();
  const missing = isAble ? "" : " (skipped: not root, or no setpriv)";
  Deno.test({ name: `${name}${missing}`, ignore: !isAble, fn });
}

ownerTest("a closed message or Maildir is refused, and keeps nobody from the others", async () => {
  await using server = await startServer({
    command: [...AS_OWNER, Deno.execPath(), "run", "-A", MAIN],
  });
  const [user, other] = [server.freshUser(), server.freshUser()];
  await using client = await login(server, user);
  for (const subject of ["one", "two", "three"]) {
    assert.match((await client.append("INBOX", message(subject))).reply, /^OK/);
  }
  await ok(client, "SELECT INBOX");
  const cur = `${server.maildir(user)}/cur`;
  for (const { name } of Deno.readDirSync(cur)) {
    const path = `${cur}/${name}`;
    if (Deno.readTextFileSync(path).includes("Subject: one")) Deno.chmodSync(path, 0);
  }
  const { reply, untagged } = await client.command("FETCH 1:* BODY.PEEK[]");
  assert.match(reply, /^NO \[CORRUPTION\]/);
  assert.deepEqual(untagged.join("\n").match(/(?<=Subject: )\w+/g), ["two", "three"]);
  await server.stop();
  Deno.chmodSync(server.maildir(user), 0);
  await server.restart();
  await assert.rejects(login(server, user), /UNAVAILABLE/);
  await using another = await login(server, other);
  await ok(another, "SELECT INBOX");
  Deno.chmodSync(server.maildir(user), 0o700);
  await using again = await login(server, user);
  assert.match(await ok(again, "SELECT INBOX"), /^\* 3 EXISTS/m);
});

ownerTest(
  "imapd doctor: gives the owner back the rights to what is closed, and takes no index for damaged",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    assert.match((await client.append("INBOX", message("one"))).reply, /^OK/);
    await ok(client, "CREATE Box");
    await server.stop();
    const root = server.maildir(user);
    const index = Deno.statSync(`${root}/imapd.sqlite`).ino;
    Deno.mkdirSync(`${root}/.Unknown`, { mode: 0 });
    Deno.chmodSync(`${root}/.Box`, 0);
    Deno.chmodSync(`${root}/imapd.sqlite`, 0o400);
    Deno.chmodSync(root, 0o500);
    const found = await doctor(server, [user]);
    for (
      const text of [
        /FAILED .* is closed to its owner/,
        /FAILED .* may not read and write files of the server: imapd\.sqlite/,
        /FAILED .* Box: .*\.Box cannot be read: Permission denied/,
        /FAILED .* folders are closed to their owner: \.Unknown/,
      ]
    ) assert.match(found, text);
    assert.doesNotMatch(found, /damaged/);

    Deno.chmodSync(root, 0);
    const repaired = await doctor(server, ["--repair", user]);
    assert.equal(repaired.match(/^mended /gm)?.length, 4, repaired);
    assert.doesNotMatch(repaired, /FAILED|damaged|bug/);
    assert.match(await doctor(server, [user]), /ok .* index and files agree$/m);
    assert.equal(Deno.statSync(`${root}/imapd.sqlite`).ino, index);
  },
);

ownerTest(
  "imapd doctor: takes a closed Maildir for an account, and lost+found for none",
  async () => {
    await using server = await startServer();
    const user = server.freshUser();
    await using client = await login(server, user);
    assert.match((await client.append("INBOX", message("one"))).reply, /^OK/);
    await server.stop();
    const root = server.maildir(user);
    // Some file systems give each folder as many links as one has that is empty.
    const [lost, empty] = ["lost+found", "empty"].map((name) => `${dirname(root)}/${name}`);
    for (const path of [lost, empty]) Deno.mkdirSync(path);
    for (const path of [root, lost, empty]) Deno.chmodSync(path, 0);
    const found = await doctor(server, []);
    assert.ok(found.includes(`account ${user}: ${root} is closed to its owner`), found);
    assert.ok(found.includes(`account empty: ${empty} is closed to its owner`), found);
    assert.doesNotMatch(found, /lost\+found/);
    // Only root's is that of a volume.
    Deno.chownSync(lost, 1000, 1000);
    assert.match(await doctor(server, []), /account lost\+found: /);
  },
);

mountingTest("imapd doctor: takes no index for damaged that there is no room to copy", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using client = await login(server, user);
  assert.match((await client.append("INBOX", message("one"))).reply, /^OK/);
  // Leaves a log, with which the copy is to grow.
  await server.stop("SIGKILL");
  const path = `${server.maildir(user)}/imapd.sqlite`;
  const [{ ino, size }, log] = [Deno.statSync(path), Deno.statSync(`${path}-wal`)];
  const blocks = Math.ceil(size / 4096) + Math.ceil(log.size / 4096);
  await using disk = await smallDisk(`${server.dir}/small`, blocks * 4 + 4);
  const told = await doctor(server, ["--repair", user], {
    command: ["env"],
    env: { TMPDIR: disk.path },
  });
  assert.match(
    told,
    /FAILED .* the index cannot be read: .* where a copy of it was made, in .*small/,
  );
  assert.doesNotMatch(told, /damaged|mended/);
  assert.equal(Deno.statSync(path).ino, ino);
});

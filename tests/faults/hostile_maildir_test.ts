/** A Maildir whose owner means harm: links, FIFOs, devices, sockets, and names that nobody expects. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as net from "node:net";
import { ImapClient } from "../client.ts";
import { startServer, type TestServer } from "../harness.ts";
import { answers, assertFitting, login, message, ok, prepared } from "./commands.ts";
import { refusing, tracedTest } from "./tracing.ts";

const SECRET = "SECRET-OF-SOMEBODY-ELSE";

/** Each makes something at a path; what this user may not make is left out. */
function oddities(dir: string): ReadonlyMap<string, (path: string) => void> {
  const secret = `${dir}/secret`;
  fs.writeFileSync(secret, `Subject: ${SECRET}\n\n${SECRET}\n`);
  const command = (...args: string[]) => {
    new Deno.Command(args[0], { args: args.slice(1), stderr: "null" }).outputSync();
  };
  return new Map<string, (path: string) => void>([
    ["a link to a file", (path) => fs.symlinkSync(secret, path)],
    ["a link to nothing", (path) => fs.symlinkSync(`${dir}/nothing`, path)],
    ["a link to itself", (path) => fs.symlinkSync(path, path)],
    ["a link to a device", (path) => fs.symlinkSync("/dev/zero", path)],
    ["a directory", (path) => fs.mkdirSync(path)],
    ["a FIFO", (path) => command("mkfifo", path)],
    ["a device without end", (path) => command("mknod", path, "c", "1", "5")],
    ["a socket", (path) => listen(path)],
    ["nothing", () => {}],
    ["an empty file", (path) => fs.writeFileSync(path, "")],
    ["a shorter file", (path) => fs.writeFileSync(path, "Subject: m\n\n")],
    ["a longer file", (path) => fs.writeFileSync(path, message("longer", 60_000))],
  ]);
}

/** A socket in the file system, whose path may be longer than sockets take. */
function listen(path: string): void {
  const short = `/tmp/imapd-${crypto.randomUUID().slice(0, 8)}`;
  const server = net.createServer().listen(short, () => {
    // It is renamed away before: closing unlinks what has the name.
    server.close();
  });
  fs.renameSync(short, path);
}

/** For names that are no text. */
function shell(script: string, argument: string): void {
  new Deno.Command("sh", { args: ["-c", script, argument] }).outputSync();
}

async function assertAlive(server: TestServer, user: string, client: ImapClient): Promise<void> {
  await ok(client, "NOOP");
  await using other = await login(server, user);
  await ok(other, "SELECT INBOX");
  assert.doesNotMatch(server.log(), /event=bug| bug /);
}

Deno.test("Maildir: what is put in the place of messages is neither followed nor waited for", async () => {
  await using server = await startServer();
  for (const [what, put] of oddities(server.dir)) {
    const user = server.freshUser();
    await using client = await prepared(server, user);
    const cur = `${server.maildir(user)}/cur`;
    const files = filesOf(cur);
    // Small ones and a large one, which are read in different ways.
    for (const path of [files[2], files[4], files[9]]) {
      fs.unlinkSync(path);
      put(path);
    }
    const replies = await answers(client);
    assertFitting(replies, "CORRUPTION|EXPUNGEISSUED|UNAVAILABLE|NONEXISTENT");
    for (const command of ["SELECT INBOX", "FETCH 1:* BODY.PEEK[]", "FETCH 1:* ENVELOPE"]) {
      const { reply, untagged } = await client.command(command);
      assert.match(reply, /^(OK|NO \[CORRUPTION\])/, `${what}: ${command}: ${reply}`);
      assert.doesNotMatch(untagged.join("\n"), new RegExp(SECRET), what);
    }
    await ok(client, "STORE 1:* +FLAGS (\\Deleted)");
    await ok(client, "EXPUNGE");
    await assertAlive(server, user, client);
  }
  assert.equal(Deno.readTextFileSync(`${server.dir}/secret`).includes(SECRET), true);
});

Deno.test("Maildir: odd things beside messages, and odd names, hide no message", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await (await prepared(server, user)).close();
  const root = server.maildir(user);
  const long = "x".repeat(255);
  let number = 0;
  for (const folder of ["cur", "new", "tmp", ".Box/cur", ".Box/new"]) {
    for (const [, put] of oddities(server.dir)) put(`${root}/${folder}/17${number++}.odd:2,S`);
    for (
      const name of [
        long,
        `${"y".repeat(251)}:2,S`,
        "a\r\n* BYE injected",
        '"quoted\\',
        ":2,S",
        "1:2,S:2,T",
        "sp ace:2,ZZZZ",
        "{5}",
        "ü:2,S",
        "\ufffd",
      ]
    ) {
      fs.writeFileSync(`${root}/${folder}/${name}`, `Subject: odd\n\n${folder}\n`);
    }
    shell('printf "Subject: bytes\\n\\n" >"$0/$(printf "\\377\\376"):2,S"', `${root}/${folder}`);
  }
  for (
    const name of [".", `.${"z".repeat(254)}`, "..", ".a..b", ".INBOX", ".inbox", ". ", ".a\nb"]
  ) {
    fs.mkdirSync(`${root}/${name}/cur`, { recursive: true });
  }
  shell('mkdir -p "$0/.$(printf "\\377\\376")/cur"', root);
  fs.writeFileSync(`${root}/.File`, "no folder");
  fs.mkdirSync(`${root}/.CurIsFile`);
  fs.writeFileSync(`${root}/.CurIsFile/cur`, "no folder");
  fs.mkdirSync(`${root}/.NewIsFile/cur`, { recursive: true });
  fs.writeFileSync(`${root}/.NewIsFile/new`, "no folder");
  fs.symlinkSync(server.dir, `${root}/.Link`);
  for (const restarted of [false, true]) {
    if (restarted) await server.restart();
    await using again = await login(server, user);
    for (const line of (await ok(again, 'LIST "" "*"')).split("\n")) {
      assert.match(line, /^\* LIST \([^)]*\) "\/" /);
      const [, name] = /"\/" (.*)$/.exec(line) ?? [];
      const { reply } = await again.command(`SELECT ${name}`);
      assert.match(reply, /^(OK|NO \[(UNAVAILABLE|NONEXISTENT|CANNOT)\])/, `${name}: ${reply}`);
      if (!reply.startsWith("OK")) continue;
      const { untagged } = await again.command("FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[])");
      assert.doesNotMatch(untagged.join("\n"), new RegExp(SECRET));
    }
    await ok(again, "SELECT INBOX");
    const { untagged } = await again.command("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    const found = untagged.join("\n");
    for (let i = 1; i <= 8; i++) assert.match(found, new RegExp(`Subject: m${i}\\r`));
    // All of those that have a name which a path can say.
    assert.ok((found.match(/Subject: odd/g) ?? []).length >= 14, found);
    await assertAlive(server, user, again);
  }
});

/** Files of messages in the order of arrival, which the times in their names lack zeros for. */
function filesOf(cur: string): string[] {
  const arrival = (name: string) => Number(/Q(\d+)/.exec(name)?.[1]);
  return [...Deno.readDirSync(cur)].map(({ name }) => name)
    .sort((a, b) => arrival(a) - arrival(b)).map((name) => `${cur}/${name}`);
}

tracedTest("COPY between file systems follows no link, and waits for no FIFO", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await using client = await prepared(server, user);
  const cur = `${server.maildir(user)}/cur`;
  const files = filesOf(cur);
  const all = oddities(server.dir);
  for (const [i, what] of ["a link to a file", "a FIFO", "a device without end"].entries()) {
    fs.unlinkSync(files[i]);
    all.get(what)?.(files[i]);
  }
  await using _ = await refusing(server.pid, { calls: "link,linkat", error: "EXDEV" });
  for (const number of [1, 2, 3]) {
    const { reply } = await client.command(`UID COPY ${number} Box`);
    // Taken for expunged already, or refused.
    assert.match(reply, /^(NO \[(CORRUPTION|UNAVAILABLE)\]|OK (?!\[COPYUID))/, reply);
  }
  await ok(client, "UID COPY 5:8 Box");
  await ok(client, "SELECT Box");
  const copied = await ok(client, "FETCH 1:* BODY.PEEK[]");
  assert.doesNotMatch(copied, new RegExp(SECRET));
  assert.match(copied, /Subject: m8/);
});

Deno.test("Maildir: very many files are taken over while others are served", async () => {
  const count = Number(Deno.env.get("HOSTILE_FILES") ?? 3000);
  await using server = await startServer();
  const [user, other] = [server.freshUser(), server.freshUser()];
  await using client = await prepared(server, user);
  await using second = await login(server, other);
  const fresh = `${server.maildir(user)}/new`;
  for (let i = 0; i < count; i++) {
    fs.writeFileSync(`${fresh}/17${i}.M${i}.many`, "Subject: one\n\n");
  }
  const selecting = client.command("SELECT INBOX", 600_000);
  await ok(second, "NOOP");
  assert.match((await selecting).untagged.join("\n"), new RegExp(`\\* ${count + 10} EXISTS`));
});

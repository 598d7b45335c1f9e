/** Octets of the index that are not as they were written: no mail is lost, and all goes on. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { startServer, type TestServer } from "../harness.ts";
import { Random } from "../model/random.ts";
import { assertFitting, login, message, ok, prepared, subjects } from "./commands.ts";

const SEED = Number(Deno.env.get("FAULT_SEED") ?? 1);
const ROUNDS = Number(Deno.env.get("FAULT_ROUNDS") ?? 8);
const FILES = ["imapd.sqlite", "imapd.sqlite", "imapd.sqlite-wal", "imapd-search.sqlite"];
const SUBJECTS = ["boxed", ...Array.from({ length: 10 }, (_, i) => `m${i + 1}`)];

/** Overwrites pages or single octets of one of the files in `root`; says what it did. */
function damage(root: string, random: Random): string {
  const path = `${root}/${random.pick(FILES)}`;
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return `nothing of ${path}`;
  const file = fs.openSync(path, "r+");
  const pages = random.below(2) === 0;
  const count = 1 + random.below(pages ? 3 : 40);
  for (let i = 0; i < count; i++) {
    const octets = Uint8Array.from({ length: pages ? 4096 : 1 }, () => random.below(256));
    const at = random.below(size);
    fs.writeSync(file, octets, 0, octets.length, pages ? at - at % 4096 : at);
  }
  fs.closeSync(file);
  return `${count} ${pages ? "pages" : "octets"} of ${path}`;
}

/** Uses the account, whatever it answers; nothing that removes a message. */
async function use(server: TestServer, user: string): Promise<void> {
  await using client = await login(server, user);
  const replies = new Map<string, string>();
  for (
    const command of [
      "SELECT INBOX",
      "FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)",
      "FETCH 1:* BODY.PEEK[]",
      "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
      "SEARCH TEXT 0123456789",
      "UID SORT (SUBJECT) UTF-8 ALL",
      "STORE 1:3 +FLAGS (keyword)",
      "COPY 1:3 Box",
      "MOVE 2 Box",
      'LIST "" "*" RETURN (STATUS (MESSAGES))',
      "CREATE New",
      "SELECT Box",
      "FETCH 1:* (BODY.PEEK[])",
      "CLOSE",
    ]
  ) replies.set(command, (await client.command(command)).reply);
  replies.set("APPEND", (await client.append("INBOX", message("appended"))).reply);
  assertFitting(replies, "UNAVAILABLE|NONEXISTENT|EXPUNGEISSUED|CORRUPTION|ALREADYEXISTS");
}

Deno.test(`damaged index: no mail is lost, and all works again (seed ${SEED})`, async () => {
  const random = new Random(SEED);
  await using server = await startServer();
  const first = server.freshUser();
  await (await prepared(server, first)).close();
  await server.stop();
  const users = Array.from({ length: ROUNDS }, () => server.freshUser());
  for (const user of users) {
    new Deno.Command("cp", { args: ["-a", server.maildir(first), server.maildir(user)] })
      .outputSync();
  }
  const done = new Map<string, string>();
  // Some while the server does not run, some under its hands.
  const before = users.filter((_, i) => i % 2 === 0);
  for (const user of before) done.set(user, damage(server.maildir(user), random));
  await server.restart();
  for (const user of users) {
    if (!before.includes(user)) {
      await (await login(server, user)).close();
      done.set(user, damage(server.maildir(user), random));
    }
    await use(server, user);
    await use(server, user);
  }
  assert.doesNotMatch(server.log(), /panicked/);
  await server.restart();
  for (const user of users) {
    let found = await subjects(server, user);
    // Damage may be met only here: then the next look finds all.
    for (let looks = 1; looks < 3 && SUBJECTS.some((each) => !found.includes(each)); looks++) {
      found = await subjects(server, user);
    }
    const lost = SUBJECTS.filter((subject) => !found.includes(subject));
    assert.deepEqual(lost, [], `${done.get(user)}: ${found.join()}`);
    await using client = await login(server, user);
    let { reply } = await client.append("INBOX", message("last"));
    // Damage may be met only here: then the next one finds the index made anew.
    if (reply.startsWith("NO [UNAVAILABLE]")) {
      ({ reply } = await client.append("INBOX", message("last")));
    }
    assert.match(reply, /^OK/, `${done.get(user)}: ${reply}`);
  }
});

Deno.test("damaged index: one whose tables are not ours is made anew at once", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await (await prepared(server, user)).close();
  await server.stop();
  const database = new DatabaseSync(`${server.maildir(user)}/imapd.sqlite`);
  database.exec("ALTER TABLE contents RENAME COLUMN envelope TO anvelope");
  database.close();
  await server.restart();
  await using client = await login(server, user);
  await ok(client, "SELECT INBOX");
  await client.command("FETCH 1:* ENVELOPE");
  await ok(client, "SELECT INBOX");
  assert.match(await ok(client, "FETCH 1:* ENVELOPE"), /"m3"/);
  assert.match(server.log(), /the index was damaged; it is made anew/);
});

/** A user of a server that is stopped, and has nothing left to compare or to make. */
async function resting(server: TestServer): Promise<{ user: string; path: string }> {
  const user = server.freshUser();
  await (await prepared(server, user)).close();
  // What just came is compared once more, and not after that.
  await server.restart();
  const client = await login(server, user);
  await ok(client, "SELECT INBOX");
  await client.close();
  await server.stop();
  return { user, path: `${server.maildir(user)}/imapd.sqlite` };
}

Deno.test("damaged index: a message whose file it no longer names comes as a new one", async () => {
  await using server = await startServer();
  const { user, path } = await resting(server);
  const database = new DatabaseSync(path);
  database.exec("DELETE FROM files WHERE id = (SELECT min(id) FROM files)");
  database.close();
  await server.restart();
  await using client = await login(server, user);
  await ok(client, "SELECT INBOX");
  await ok(client, "UID FETCH 1 BODY.PEEK[]");
  await ok(client, "NOOP");
  assert.match(await ok(client, "UID FETCH 1:* BODY.PEEK[]"), /Subject: m1\r/);
});

Deno.test("damaged index: one in which a table differs from its index is made anew", async () => {
  await using server = await startServer();
  const { user, path } = await resting(server);
  const octets = fs.readFileSync(path);
  // In the table, not in the index on it, another name for the file of a message.
  const [name] = fs.readdirSync(`${server.maildir(user)}/cur`);
  const at = octets.indexOf(name);
  assert.ok(at > 0);
  octets[at + name.indexOf(".M") + 1] = 0x4e;
  fs.writeFileSync(path, octets);
  await server.restart();
  await using client = await login(server, user);
  await ok(client, "SELECT INBOX");
  await client.command("UID FETCH 1:* BODY.PEEK[]");
  // Refused, if it is the first to meet the damage.
  await client.command("SELECT INBOX");
  await ok(client, "SELECT INBOX");
  const found = await subjects(server, user);
  assert.deepEqual(SUBJECTS.filter((subject) => !found.includes(subject)), []);
});

Deno.test("damaged index: parts of a message that cannot be read hide no other message", async () => {
  await using server = await startServer();
  const user = server.freshUser();
  await (await prepared(server, user)).close();
  await server.stop();
  const database = new DatabaseSync(`${server.maildir(user)}/imapd.sqlite`);
  const ids = database.prepare("SELECT id FROM contents ORDER BY id LIMIT 4").all();
  const damage = database.prepare("UPDATE contents SET parts = ? WHERE id = ?");
  const parts = ['{"bt":[0,1,2]}', '{"at":[0,9', '{"at":[3,2,1]}', '{"at":[0,1,9000],"text":""}'];
  ids.forEach(({ id }, i) => damage.run(parts[i], id));
  database.close();
  await server.restart();
  await using client = await login(server, user);
  await ok(client, "SELECT INBOX");
  assert.match(await ok(client, "SEARCH TEXT 0123456789"), /SEARCH 4 5 6 7 8 9 10$/m);
  for (const number of [1, 2, 3, 4]) {
    const { reply } = await client.command(`FETCH ${number} BODY.PEEK[1]`);
    assert.match(reply, /^NO \[CORRUPTION\]/);
    assert.match(await ok(client, `FETCH ${number} BODY.PEEK[]`), /0123456789/);
  }
});

/** A disk that became read-only: accounts can be opened and read, and nothing is changed. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ImapClient } from "../client.ts";
import { deliver, refused, uidsOf, wholeText } from "../contracts/store_actions.ts";
import { run } from "../clients/programs.ts";
import { PASSWORD, startServer } from "../harness.ts";
import { LmtpClient } from "../lmtp/client.ts";
import { startLmtpServer } from "../lmtp/serving.ts";
import { MaildirFixture } from "../store/maildir_fixture.ts";
import { makeOlderIndex } from "../store/older_index.ts";
import { PrivateIndexes } from "../../src/store/maildir/private_index.ts";
import { FLAG, type Mailbox } from "../../src/store/store.ts";
import { withoutFiles } from "./file_limit.ts";
import { login, message, ok, prepared } from "./commands.ts";
import { mountingTest, type SmallDisk, smallDisk } from "./small_disk.ts";

/** Commands that change nothing. */
const READING = [
  "NOOP",
  "CHECK",
  "FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)",
  "FETCH 3 BODY.PEEK[]",
  "FETCH 10 BODY.PEEK[]",
  "FETCH 3 BODY[]",
  "SEARCH SUBJECT m3",
  "SEARCH TEXT 0123456789",
  "UID SORT (SUBJECT) UTF-8 ALL",
  "THREAD REFERENCES UTF-8 ALL",
  "STATUS Third (MESSAGES UIDNEXT SIZE)",
  'LIST "" "*" RETURN (STATUS (MESSAGES))',
  'LSUB "" "*"',
  "GETQUOTAROOT INBOX",
  "SELECT Box",
  "FETCH 1 BODY.PEEK[]",
  "EXAMINE INBOX",
];

const LITERAL = `{${message("no").length}+}\r\n${message("no")}`;

/** Commands that change something, by the codes of their refusals. */
const CHANGING = {
  "READ-ONLY": [
    "STORE 2 +FLAGS (\\Seen keyword)",
    "MOVE 4 Box",
    "EXPUNGE",
    `REPLACE 5 INBOX ${LITERAL}`,
  ],
  UNAVAILABLE: [
    `APPEND INBOX ${LITERAL}`,
    "COPY 1:3 Box",
    "CREATE New",
    "RENAME Other Another",
    "RENAME INBOX Another",
    "DELETE Third",
    "SUBSCRIBE Other",
    "UNSUBSCRIBE Other",
    'SETMETADATA INBOX (/private/comment "x")',
  ],
};

/** Names and octets of all that lies under a folder. */
function contents(path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    const below = `${path}/${name}`;
    if (!isDirectory) found.set(below, Deno.readFileSync(below).toString());
    else for (const [each, octets] of contents(below)) found.set(each, octets);
  }
  return found;
}

/** What the client hears until the server has closed the connection. */
async function rest(client: ImapClient): Promise<string> {
  const heard: string[] = [];
  for (;;) {
    const response = await client.response();
    if (response === undefined) return heard.join("\n");
    heard.push(response);
  }
}

/** The server with another folder for temporary files. */
function withTemporary(path: string): readonly string[] {
  const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
  return ["env", `TMPDIR=${path}`, Deno.execPath(), "run", "-A", main];
}

function uidValidityIn(selected: string): string | undefined {
  return /UIDVALIDITY (\d+)/.exec(selected)?.[1];
}

mountingTest(
  "openAccount: on a read-only disk mail is read after a kill, and nothing changed",
  async () => {
    await using server = await startLmtpServer();
    await using disk = await smallDisk(`${server.dir}/mail`, 16 * 1024);
    const user = server.freshUser();
    const root = server.maildir(user);
    const before = await prepared(server, user);
    const uidValidity = uidValidityIn(await ok(before, "SELECT INBOX"));
    await server.stop("SIGKILL");
    await before.close();
    // By another program, and not in the index yet.
    Deno.writeTextFileSync(`${root}/cur/1700000000.M1.other:2,`, message("other"));
    await disk.remount("ro");
    const lying = contents(root);
    await server.restart();

    const client = await login(server, user);
    const selected = await client.command("SELECT INBOX");
    assert.match(selected.reply, /^OK \[READ-ONLY\]/);
    assert.match(selected.untagged.join("\n"), /^\* 10 EXISTS$/m);
    assert.equal(uidValidityIn(selected.untagged.join("\n")), uidValidity);
    for (const command of READING) await ok(client, command);
    assert.match(await ok(client, "FETCH 9 FLAGS"), /\\Deleted/);
    for (const [code, commands] of Object.entries(CHANGING)) {
      for (const command of commands) {
        const { reply } = await client.command(command);
        assert.ok(reply.startsWith(`NO [${code}] `), `${command}: ${reply}`);
      }
    }
    await using delivering = await LmtpClient.greeted(server.lmtp);
    assert.match((await delivering.deliver([`${user}@example.org`], message("no")))[0], /^451 /);
    assert.equal(server.log().match(/the disk is read-only: mail can be read/g)?.length, 1);
    assert.deepEqual(contents(root), lying);

    await using idling = await login(server, user);
    await ok(idling, "EXAMINE INBOX");
    idling.line("a IDLE");
    assert.match(await idling.response() ?? "", /^\+/);
    await using notified = await login(server, user);
    await ok(notified, "NOTIFY SET (SELECTED (MessageNew MessageExpunge))");
    await ok(notified, "EXAMINE INBOX");
    await using silent = await login(server, user);
    await ok(silent, "EXAMINE INBOX");
    await disk.remount("rw");
    await ok(client, "NOOP");
    assert.match(await rest(client), /^\* BYE .*$/);
    assert.match(await rest(idling), /^\* BYE .*$/);
    assert.match(await rest(notified), /^\* BYE .*$/);
    silent.line("a FETCH 1:* (FLAGS ENVELOPE)");
    assert.match(await rest(silent), /^\* BYE .*$/);

    await using after = await login(server, user);
    const again = await after.command("SELECT INBOX");
    assert.match(again.reply, /^OK \[READ-WRITE\]/);
    assert.equal(uidValidityIn(again.untagged.join("\n")), uidValidity);
    assert.match(again.untagged.join("\n"), /^\* 11 EXISTS$/m);
    assert.match(await ok(after, "FETCH 11 (UID BODY.PEEK[HEADER])"), /UID 11 [^]*Subject: other/);
    assert.match((await after.append("INBOX", message("more"))).reply, /^OK \[APPENDUID \d+ 12\]/);
    await ok(after, "STORE 2 +FLAGS (\\Seen)");
    assert.match((await delivering.deliver([`${user}@example.org`], message("yes")))[0], /^250 /);
    assert.doesNotMatch(server.log(), /bug/);
  },
);

mountingTest(
  "PrivateIndexes: leave the room that others may need, and no name",
  async () => {
    await using place = await MaildirFixture.make();
    await using copies = await smallDisk(`${place.dir}/copies`, 16 * 1024);
    await using server = await startServer({ command: withTemporary(copies.path) });
    await using disk = await smallDisk(`${server.dir}/mail`, 16 * 1024);
    const [first, second] = [server.freshUser(), server.freshUser()];
    for (const user of [first, second]) await (await prepared(server, user)).close();
    await server.stop();
    await disk.remount("ro");
    await server.restart();
    await using client = await login(server, first);
    await ok(client, "SELECT INBOX");
    assert.deepEqual([...Deno.readDirSync(copies.path)], []);
    copies.fill();
    await using other = await ImapClient.connect({ host: "127.0.0.1", port: server.port });
    await other.response();
    const { reply } = await other.command(`LOGIN ${second} ${PASSWORD}`);
    assert.match(reply, /^NO \[UNAVAILABLE\] There is no room for a copy/);
    assert.deepEqual([...Deno.readDirSync(copies.path)].map(({ name }) => name), ["ballast"]);
    await ok(client, "FETCH 1:* (ENVELOPE BODY.PEEK[])");
  },
);

mountingTest(
  "PrivateIndexes: lie in runtime_dir where the folder for temporary files is read-only, too",
  async () => {
    await using place = await MaildirFixture.make();
    await using copies = await smallDisk(`${place.dir}/copies`, 16 * 1024);
    await using server = await startServer({ command: withTemporary(copies.path) });
    await using disk = await smallDisk(`${server.dir}/mail`, 16 * 1024);
    const user = server.freshUser();
    await (await prepared(server, user)).close();
    await server.stop();
    for (const each of [disk, copies]) await each.remount("ro");
    await server.restart();
    await using client = await login(server, user);
    await ok(client, "SELECT INBOX");
    await ok(client, "FETCH 1:* (ENVELOPE BODY.PEEK[])");
    const left = [...Deno.readDirSync(server.dir)].map(({ name }) => name);
    assert.deepEqual(left.filter((name) => name.startsWith("imapd-")), []);
  },
);

mountingTest(
  "takesWrites: an account on a read-only disk stays open while no file can be opened",
  async () => {
    await using server = await startServer();
    await using disk = await smallDisk(`${server.dir}/mail`, 16 * 1024);
    const user = server.freshUser();
    await (await prepared(server, user)).close();
    await server.stop();
    await disk.remount("ro");
    await server.restart();
    await using client = await login(server, user);
    await ok(client, "SELECT INBOX");
    {
      await using _ = await withoutFiles(server.pid);
      await ok(client, "NOOP");
      await ok(client, "FETCH 1:* (FLAGS)");
    }
    await ok(client, "FETCH 1:* (ENVELOPE BODY.PEEK[])");
    assert.doesNotMatch(server.log(), /takes writes again/);
  },
  ["prlimit"],
);

/** A test of the account "ann", on a disk of its own. */
function diskTest(
  name: string,
  work: (fixture: MaildirFixture, disk: SmallDisk) => Promise<void>,
): void {
  mountingTest(name, async () => {
    await using fixture = await MaildirFixture.make();
    await using disk = await smallDisk(fixture.root, 4 * 1024);
    Deno.chmodSync(fixture.root, 0o700);
    await work(fixture, disk);
    await fixture.close();
  });
}

/** One with a message, of an account that was opened after its disk took no more writes. */
async function readOnlyInbox(fixture: MaildirFixture, disk: SmallDisk) {
  await deliver(await (await fixture.open()).account("ann"), "INBOX", "a");
  await fixture.close();
  await disk.remount("ro");
  const store = await fixture.open();
  const account = await store.account("ann");
  return { store, account, inbox: await account.open("INBOX") };
}

diskTest("ReadOnlyWriter: refuses all that would have to last", async (fixture, disk) => {
  const writing = await (await fixture.open()).account("ann");
  await deliver(writing, "INBOX", "a", { system: FLAG.deleted, keywords: [] });
  await writing.create("Box");
  await fixture.close();
  await disk.remount("ro");
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  // Nothing but the refusal keeps the Maildir as it is from here on.
  await disk.remount("rw");
  const flagged = { mode: "add", system: FLAG.flagged, keywords: ["word"] } as const;
  await refused("unavailable", inbox.store([1], flagged));
  await refused("unavailable", inbox.copy([1], "Box"));
  await refused("unavailable", inbox.move([1], "Box"));
  await refused("unavailable", inbox.expunge());
  assert.deepEqual(uidsOf(inbox), [1]);
  assert.equal(inbox.messages.flags[0], FLAG.deleted);
  assert.deepEqual(inbox.keywords(), []);
  inbox.close();
});

diskTest(
  "MaildirStore.closeUnused(): notices that a disk takes writes again",
  async (fixture, disk) => {
    const { store, account, inbox } = await readOnlyInbox(fixture, disk);
    assert.equal(inbox.readOnly, true);
    const found = await store.examine("ann");
    assert.deepEqual(found.map(({ code }) => code), ["disk-read-only"]);
    await store.closeUnused();
    assert.equal(inbox.outdated, false);
    await disk.remount("rw");
    const told = Promise.withResolvers<void>();
    inbox.watch(told.resolve);
    await store.closeUnused();
    assert.equal(inbox.outdated, true);
    await told.promise;
    assert.equal(await deliver(account, "INBOX", "b"), 2);
    // What a command has begun goes on.
    await store.closeUnused();
    assert.deepEqual(uidsOf(inbox), [1]);
    assert.equal((await inbox.cached(["envelope"], 1, 2)).length, 1);
    assert.match(await wholeText(inbox, 1), /Subject: a/);
    inbox.close();
    await store.closeUnused();
    await refused("unavailable", inbox.cached(["envelope"], 1, 2));
    const again = await account.open("INBOX");
    assert.deepEqual([again.readOnly, again.outdated], [false, false]);
    assert.deepEqual(uidsOf(again), [1, 2]);
    again.close();
  },
);

diskTest(
  "PrivateIndexes.open: refuses what may have changed while it was copied",
  async (fixture, disk) => {
    const { inbox } = await readOnlyInbox(fixture, disk);
    const indexes = new PrivateIndexes();
    (await indexes.open(fixture.root, false)).database.close();
    await disk.remount("rw");
    await assert.rejects(indexes.open(fixture.root, false), /takes writes again/);
    inbox.close();
  },
);

diskTest("PrivateIndexes: leave room however many there are", async (fixture, disk) => {
  await (await (await fixture.open()).account("ann")).refresh();
  await fixture.close();
  const { size } = Deno.statSync(`${fixture.root}/imapd.sqlite`);
  await using copies = await smallDisk(`${fixture.dir}/copies`, Math.ceil(6 * size / 1024));
  const indexes = new PrivateIndexes({ dir: copies.path });
  await assert.rejects(indexes.open(fixture.root, false), /takes writes again/);
  await disk.remount("ro");
  const first = await indexes.open(fixture.root, false);
  await assert.rejects(indexes.open(fixture.root, false), /There is no room .* TMPDIR/);
  first.close();
  (await indexes.open(fixture.root, false)).close();
});

diskTest("MaildirStore.closeUnused(): closes copies soon", async (fixture, disk) => {
  let now = 1_700_000_000_000;
  await (await (await fixture.open()).account("ann")).refresh();
  await fixture.close();
  await disk.remount("ro");
  const store = await fixture.open({ clock: () => now });
  await (await store.account("ann")).refresh();
  await (await store.account("bob")).refresh();
  await store.closeUnused();
  assert.equal(store.measures().accounts, 2);
  now += 60_000;
  await store.closeUnused();
  assert.equal(store.measures().accounts, 1);
});

diskTest(
  "AccountContext.isInPlace: waits for a read-only disk that is not mounted",
  async (fixture, disk) => {
    const { store, account, inbox } = await readOnlyInbox(fixture, disk);
    assert.equal((await run(["umount", disk.path])).code, 0);
    await store.closeUnused();
    await inbox.refresh();
    assert.equal((await account.status("INBOX")).messages, 1);
    assert.deepEqual([inbox.outdated, inbox.gone], [false, false]);
    await refused("message-gone", inbox.read(1));
    await refused("unavailable", deliver(account, "INBOX", "b"));
    assert.deepEqual([...Deno.readDirSync(fixture.root)], []);
    inbox.close();
  },
);

for (
  const [where, log] of Object.entries({ "the log": "-wal", "a log that was kept": "-wal.kept" })
) {
  diskTest(
    `openAccount: on a read-only disk nothing is told that only ${where} has, perhaps`,
    async (fixture, disk) => {
      const index = `${fixture.root}/imapd.sqlite`;
      const commits = `${fixture.root}/imapd.commits`;
      const writing = await (await fixture.open()).account("ann");
      await deliver(writing, "INBOX", "a");
      const before = [index, commits].map((path) => Deno.readFileSync(path));
      await deliver(writing, "INBOX", "b");
      const unsynced = Deno.readFileSync(`${index}-wal`);
      await fixture.close();
      // As where the sync of the last commit failed.
      Deno.writeFileSync(index, before[0]);
      Deno.writeFileSync(commits, before[1]);
      Deno.writeFileSync(index + log, unsynced);
      await disk.remount("ro");
      const store = await fixture.open();
      await assert.rejects(store.account("ann"), /the last changes may not be on it/);
      await disk.remount("rw");
      const inbox = await (await store.account("ann")).open("INBOX");
      assert.deepEqual(uidsOf(inbox), [1, 2]);
      inbox.close();
    },
  );
}

diskTest(
  "openAccount: on a read-only disk an older index is settled as it will be",
  async (fixture, disk) => {
    const index = `${fixture.root}/imapd.sqlite`;
    await deliver(await (await fixture.open()).account("ann"), "INBOX", "a");
    await fixture.close();
    const older = Deno.readFileSync(index);
    await deliver(await (await fixture.open()).account("ann"), "INBOX", "b");
    await fixture.close();
    Deno.writeFileSync(index, older);
    await disk.remount("ro");
    const numbers = ({ uidNext, highestModseq }: Mailbox) => [uidNext, highestModseq];
    const account = await (await fixture.open()).account("ann");
    const inbox = await account.open("INBOX");
    const told = numbers(inbox);
    assert.ok(told[0] > 100_000);
    assert.deepEqual(uidsOf(inbox), [1]);
    inbox.close();
    await disk.remount("rw");
    const again = await account.open("INBOX");
    assert.deepEqual(uidsOf(again), [1, told[0]]);
    assert.match(await wholeText(again, told[0]), /Subject: b/);
    assert.ok(again.highestModseq > told[1]);
    again.close();
  },
);

diskTest(
  "openAccount: on a read-only disk the index of an older version is read, without imapd.commits",
  async (fixture, disk) => {
    const subjects = ["b", "a"];
    makeOlderIndex(fixture, [{
      name: "INBOX",
      folder: "",
      messages: subjects.map((subject) => `Subject: ${subject}\r\n\r\nText\r\n`),
    }]);
    await disk.remount("ro");
    const store = await fixture.open();
    const codes = (await store.examine("ann")).map(({ code }) => code);
    assert.ok(codes.includes("disk-read-only"), codes.join());
    const account = await store.account("ann");
    const inbox = await account.open("INBOX");
    const keys = await inbox.sortKeys(["subject"], 1, 2);
    assert.deepEqual(keys.map(({ subject }) => subject.toLowerCase()), subjects);
    await inbox.prepare([1, 2], ["emailId"]);
    assert.equal((await inbox.cached(["emailId"], 1, 2)).length, 2);
    inbox.close();
    await disk.remount("rw");
    assert.equal(await deliver(account, "INBOX", "c"), 3);
  },
);

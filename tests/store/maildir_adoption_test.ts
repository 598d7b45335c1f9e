import * as assert from "node:assert/strict";
import { FLAG, type Mailbox } from "../../src/store/store.ts";
import {
  deliver,
  flagsOf,
  refused,
  text,
  uidsOf,
  until,
  wholeText,
} from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** An account that is open, with INBOX open and its files renamed at once. */
async function withInbox(
  body: (inbox: Mailbox, fixture: MaildirFixture) => Promise<void>,
): Promise<void> {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  const inbox = await account.open("INBOX");
  await body(inbox, fixture);
  inbox.close();
}

Deno.test("Mailbox.refresh() takes over deliveries in their order", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("new/1700000002.M5P1.host", text("third"));
    fixture.put("new/1700000001.M9P1.host", text("second"));
    fixture.put("cur/1700000001.M2P1.host:2,FS", text("first"));
    await inbox.refresh();
    assert.deepEqual(flagsOf(inbox), [[1, FLAG.flagged | FLAG.seen, []], [2, 0, []], [3, 0, []]]);
    await inbox.prepare([1, 2, 3]);
    assert.equal(inbox.messages.sizes[0], text("first").length);
    const rows = await inbox.cached(["envelope"], 1, 3);
    assert.deepEqual(rows.map(({ envelope }) => /"(first|second|third)"/.exec(envelope)?.[1]), [
      "first",
      "second",
      "third",
    ]);
    const changed = Deno.statSync(`${fixture.root}/new/1700000002.M5P1.host`).mtime;
    assert.equal(inbox.messages.dates[2], Math.floor((changed?.getTime() ?? 0) / 1000));
  });
});

Deno.test("Mailbox.watch() tells of a delivery by another program", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("new/1700000001.M1P1.host", text("one"));
    await until(inbox, () => inbox.messages.count === 1);
    fixture.put("new/1700000002.M1P1.host", text("two"));
    await until(inbox, () => inbox.messages.count === 2);
    assert.match(await wholeText(inbox, 2), /Subject: two/);
  });
});

Deno.test("Mailbox.watch() tells of flags and removals by another program", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("cur/1700000001.M1P1.host:2,", text("one"));
    fixture.put("cur/1700000002.M1P1.host:2,", text("two"));
    await until(inbox, () => inbox.messages.count === 2);
    const { highestModseq } = inbox;
    const at = (name: string) => `${fixture.root}/cur/${name}`;
    Deno.renameSync(at("1700000001.M1P1.host:2,"), at("1700000001.M1P1.host:2,RS"));
    await until(inbox, () => inbox.messages.flags[0] !== 0);
    assert.deepEqual(flagsOf(inbox)[0], [1, FLAG.answered | FLAG.seen, []]);
    assert.ok(inbox.messages.modseqs[0] > highestModseq);
    Deno.removeSync(at("1700000002.M1P1.host:2,"));
    await until(inbox, () => inbox.messages.count === 1);
    assert.deepEqual(uidsOf(inbox), [1]);
  });
});

Deno.test("Mailbox.refresh() takes over what happened while nobody looked", async () => {
  await using fixture = await MaildirFixture.make();
  let account = await (await fixture.open()).account("ann");
  for (const subject of ["one", "two", "three", "four"]) await deliver(account, "INBOX", subject);
  await fixture.close();
  const [one, two, three] = fixture.names("cur");
  const cur = `${fixture.root}/cur`;
  Deno.renameSync(`${cur}/${one}`, `${cur}/${one}FS`);
  Deno.removeSync(`${cur}/${two}`);
  Deno.renameSync(`${cur}/${three}`, `${fixture.root}/new/${three.replace(/:2,$/, "")}`);
  fixture.put("new/1700000001.M1P1.host", text("five"));
  account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  assert.deepEqual(flagsOf(inbox), [
    [1, FLAG.flagged | FLAG.seen, []],
    [3, 0, []],
    [4, 0, []],
    [5, 0, []],
  ]);
  assert.match(await wholeText(inbox, 3), /Subject: three/);
  inbox.close();
});

Deno.test("Mailbox.refresh() merges its own flags with another program's", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open({ writeBackDelay: 3_600_000 });
  const account = await store.account("ann");
  const flags = { system: FLAG.flagged | FLAG.draft, keywords: ["$kept"] };
  await deliver(account, "INBOX", "one", flags);
  const inbox = await account.open("INBOX");
  // Here: + Seen, - Draft. There: + Answered, - Flagged, and a letter nobody here knows.
  await inbox.store([1], { mode: "add", system: FLAG.seen, keywords: [] });
  await inbox.store([1], { mode: "remove", system: FLAG.draft, keywords: [] });
  const [name] = fixture.names("cur");
  assert.match(name, /:2,DF$/);
  const cur = `${fixture.root}/cur`;
  Deno.renameSync(`${cur}/${name}`, `${cur}/${name.replace(/DF$/, "DRb")}`);
  await until(inbox, () => (inbox.messages.flags[0] & FLAG.answered) !== 0);
  assert.deepEqual(flagsOf(inbox), [[1, FLAG.seen | FLAG.answered, ["$kept"]]]);
  inbox.close();
  await fixture.close();
  assert.match(fixture.names("cur")[0], /:2,RSb$/);
});

Deno.test("Mailbox.store() writes flags into file names", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("new/1700000001.M1P1.host", text("one"));
    fixture.put("cur/1700000002.M1P1.host:2,Pa", text("two"));
    fixture.put("new/1700000003.M1P1.host", text("three"));
    await inbox.refresh();
    await inbox.store([1, 2], { mode: "add", system: FLAG.seen | FLAG.deleted, keywords: ["$x"] });
    const { highestModseq } = inbox;
    await fixture.close();
    assert.deepEqual(fixture.names("cur"), [
      "1700000001.M1P1.host:2,ST",
      "1700000002.M1P1.host:2,PSTa",
    ]);
    assert.deepEqual(fixture.names("new"), ["1700000003.M1P1.host"]);
    const again = await (await (await fixture.open()).account("ann")).open("INBOX");
    assert.equal(again.highestModseq, highestModseq);
    assert.deepEqual(uidsOf(again), [1, 2, 3]);
    assert.equal(again.claimRecent(), 1);
    again.close();
    await fixture.close();
    assert.deepEqual(fixture.names("new"), []);
  });
});

Deno.test("Mailbox.refresh() leaves links, FIFOs and folders alone", async () => {
  await withInbox(async (inbox, fixture) => {
    const { root } = fixture;
    Deno.writeFileSync(`${fixture.dir}/secret`, text("secret"));
    Deno.symlinkSync(`${fixture.dir}/secret`, `${root}/new/1.link`);
    Deno.mkdirSync(`${root}/cur/2.folder:2,`);
    assert.ok(
      (await new Deno.Command("mkfifo", { args: [`${root}/cur/3.fifo:2,`] }).output()).success,
    );
    fixture.put("cur/4.message:2,", text("message"));
    await inbox.refresh();
    await inbox.refresh();
    assert.equal(inbox.messages.count, 1);
    assert.equal(fixture.names("new").length + fixture.names("cur").length, 4);
    const told = fixture.log.lines.filter(({ event }) =>
      event === "not a message file; left alone"
    );
    assert.equal(told.length, 3);
  });
});

Deno.test("Mailbox.refresh() leaves names that are not UTF-8 alone", async () => {
  await withInbox(async (inbox, fixture) => {
    const script = `printf 'Subject: x\\n\\nx\\n' > "$(printf '${fixture.root}/new/1.\\377.x')"`;
    assert.ok((await new Deno.Command("sh", { args: ["-c", script] }).output()).success);
    fixture.put("new/2.message", text("message"));
    await inbox.refresh();
    assert.deepEqual(uidsOf(inbox), [1]);
    const listing = await new Deno.Command("ls", { args: [`${fixture.root}/new`] }).output();
    assert.equal(new TextDecoder("latin1").decode(listing.stdout).trim().split("\n").length, 2);
  });
});

Deno.test("Mailbox.refresh() makes two messages of two files with one name", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("cur/1700000001.M1P1.host:2,S", text("one"));
    fixture.put("new/1700000001.M1P1.host", text("two"));
    await inbox.refresh();
    assert.equal(inbox.messages.count, 2);
    const subjects = [await wholeText(inbox, 1), await wholeText(inbox, 2)]
      .map((message) => /Subject: (.*)\r/.exec(message)?.[1]);
    assert.deepEqual(subjects.sort(), ["one", "two"]);
  });
});

Deno.test("Mailbox.refresh() keeps the flags of two files with one name, and gives one its own", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("cur/1700000001.M1P1.host,U=5:2,F", text("one"));
    fixture.put("cur/1700000001.M1P1.host,U=6:2,S", text("two"));
    await inbox.refresh();
    const flags = flagsOf(inbox).map(([, system]) => system);
    assert.deepEqual(flags.sort(), [FLAG.flagged, FLAG.seen].sort());
    // The number is what mbsync knows the other one by.
    assert.equal(fixture.names("cur").filter((name) => name.includes(",U=")).length, 1);
  });
});

Deno.test("Account.open() takes a file that is moved while it looks", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  const { root } = fixture;
  fixture.put("new/1700000001.M1P1.host", text("one"));
  const { readDir } = Deno;
  Deno.readDir = (path) => {
    if (path === `${root}/cur` && fixture.names("new").length > 0) {
      Deno.renameSync(`${root}/new/1700000001.M1P1.host`, `${path}/1700000001.M1P1.host:2,S`);
    }
    return readDir(path);
  };
  try {
    const inbox = await account.open("INBOX");
    assert.deepEqual(flagsOf(inbox), [[1, FLAG.seen, []]]);
    inbox.close();
  } finally {
    Deno.readDir = readDir;
  }
});

Deno.test("Mailbox.prepare() reads files with bare LFs in wire form", async () => {
  await withInbox(async (inbox, fixture) => {
    const wire = new TextDecoder().decode(text("lf", "a\r\nb\r\n"));
    fixture.put("new/1.message", wire.replaceAll("\r\n", "\n"));
    await inbox.refresh();
    await inbox.prepare([1]);
    assert.equal(inbox.messages.sizes[0], wire.length);
    assert.equal(await wholeText(inbox, 1), wire);
    await inbox.copy([1], "INBOX");
    assert.equal(await wholeText(inbox, 2), wire);
  });
});

Deno.test("Mailbox.read() refuses an unreadable file, which stays in the list", async () => {
  await withInbox(async (inbox, fixture) => {
    // Root may read anything, so make one that fits no more instead of one without permission.
    fixture.put("cur/1.message:2,", text("one"));
    await inbox.refresh();
    await inbox.prepare([1]);
    Deno.writeTextFileSync(`${fixture.root}/cur/1.message:2,`, "cut short");
    await refused("unreadable", inbox.read(1));
    await inbox.refresh();
    assert.deepEqual(uidsOf(inbox), [1]);
    assert.equal(fixture.names("cur").length, 1);
  });
});

Deno.test("Mailbox.read() finds a file that was just renamed", async () => {
  await withInbox(async (inbox, fixture) => {
    fixture.put("cur/1.message:2,", text("one"));
    await inbox.refresh();
    await inbox.prepare([1]);
    Deno.renameSync(`${fixture.root}/cur/1.message:2,`, `${fixture.root}/cur/1.message:2,F`);
    assert.match(await wholeText(inbox, 1), /Subject: one/);
    Deno.removeSync(`${fixture.root}/cur/1.message:2,F`);
    await refused("message-gone", inbox.read(1));
    await inbox.refresh();
    assert.deepEqual(uidsOf(inbox), []);
  });
});

Deno.test("Account.status() takes over deliveries to a closed mailbox", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  assert.equal((await account.status("a")).messages, 0);
  fixture.put("new/1.message", "Subject: x\n\nx\n", ".a");
  const { messages, recent, unseen, size } = await account.status("a");
  assert.deepEqual([messages, recent, unseen, size], [1, 1, 1, 17]);
});

Deno.test("Account.list() shows folders that other programs made, and no longer the removed", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  fixture.makeFolder(".Entw&APw-rfe");
  fixture.makeFolder(".a.b");
  fixture.makeFolder(".plain-ü");
  Deno.mkdirSync(`${fixture.root}/.no-mailbox`);
  Deno.mkdirSync(`${fixture.root}/.bare/cur`, { recursive: true });
  fixture.put("new/1.message", "Subject: x\n\nx\n", ".a.b");
  await store.account("ann");
  const names = () => account.list().filter(({ selectable }) => selectable).map(({ name }) => name);
  assert.deepEqual(names(), ["INBOX", "Entwürfe", "a/b", "bare", "plain-ü"]);
  assert.equal((await account.status("a/b")).messages, 1);
  await deliver(account, "bare");
  assert.deepEqual(fixture.names("tmp", ".bare"), []);
  await deliver(account, "plain-ü");
  const open = await account.open("a/b");
  Deno.removeSync(`${fixture.root}/.a.b`, { recursive: true });
  Deno.removeSync(`${fixture.root}/.Entw&APw-rfe`, { recursive: true });
  await refused("no-mailbox", account.status("Entwürfe"));
  await store.account("ann");
  assert.deepEqual(names(), ["INBOX", "bare", "plain-ü"]);
  assert.equal(open.gone, true);
  open.close();
});

Deno.test("Store.account() opens 3,000 folders", async () => {
  await using fixture = await MaildirFixture.make();
  for (let i = 0; i < 3000; i++) {
    Deno.mkdirSync(`${fixture.root}/.m${i % 100}.n${i}/cur`, { recursive: true });
  }
  const account = await (await fixture.open()).account("ann");
  assert.equal(account.list().length, 3101);
  await deliver(account, "m42/n142");
  const { uidValidity } = await account.status("m42/n142");
  const again = await (await fixture.open()).account("ann");
  assert.equal(again.list().length, 3101);
  assert.equal((await again.status("m42/n142")).uidValidity, uidValidity);
});

Deno.test("Mailbox.prepare() reads a large delivery behind the commands", async () => {
  await using fixture = await MaildirFixture.make();
  fixture.makeFolder("");
  for (let i = 0; i < 3000; i++) {
    fixture.put(`new/${1700000000 + i}.M1P1.host`, text(`m${i}`));
  }
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  const { messages } = inbox;
  assert.equal(messages.count, 3000);
  await inbox.prepare([1, 3000]);
  assert.equal(messages.sizes[2999], text("m2999").length);
  await inbox.prepare(uidsOf(inbox));
  assert.equal((await inbox.cached(["envelope"], 1, 3000)).length, 3000);
  assert.ok(messages.sizes.subarray(0, 3000).every((size) => size > 0));
  inbox.close();
});

Deno.test("MaildirStore works with no memory for closed mailboxes", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open({ memoryBudget: 0 })).account("ann");
  for (const name of ["a", "b"]) {
    await account.create(name);
    await deliver(account, name);
    assert.equal((await account.status(name)).messages, 1);
  }
  const a = await account.open("a");
  await a.store([1], { mode: "add", system: FLAG.seen, keywords: ["$x"] });
  a.close();
  await deliver(account, "a");
  assert.equal((await account.status("b")).messages, 1);
  const again = await account.open("a");
  assert.deepEqual(flagsOf(again), [[1, FLAG.seen, ["$x"]], [2, 0, []]]);
  again.close();
});

Deno.test("Account.append() neither loses nor doubles mail beside deliveries and removals", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  const inbox = await account.open("INBOX");
  for (let round = 0; round < 20; round++) {
    const appended = [1, 2, 3].map((i) => deliver(account, "INBOX", `a${round}-${i}`));
    fixture.put(`new/${1700000000 + round}.M1P1.host`, text(`d${round}`));
    const refreshed = inbox.refresh();
    const copied = round > 2 ? inbox.copy([round, round + 1], "INBOX") : undefined;
    const flagged = inbox.store([round], { mode: "add", system: FLAG.flagged, keywords: [] });
    await Promise.all([...appended, refreshed, copied, flagged]);
    inbox.claimRecent();
  }
  await inbox.refresh();
  await until(inbox, () => inbox.messages.count >= 20 * 4 + 17 * 2);
  const subjects = [];
  for (const uid of uidsOf(inbox)) {
    subjects.push(/Subject: (.*)\r/.exec(await wholeText(inbox, uid))?.[1] ?? "");
  }
  assert.equal(subjects.length, 20 * 4 + 17 * 2);
  assert.equal(new Set(subjects).size, 80);
  inbox.close();
  const again = await (await (await fixture.open()).account("ann")).open("INBOX");
  assert.equal(again.messages.count, subjects.length);
  again.close();
});

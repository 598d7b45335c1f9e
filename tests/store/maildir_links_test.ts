import * as assert from "node:assert/strict";
import { lchown } from "node:fs/promises";
import { FLAG } from "../../src/store/store.ts";
import { examineAccount } from "../../src/store/maildir/examining.ts";
import { deliver, refused, text, uidsOf, wholeText } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const FILE = "1700000000.M1P1.host:2,S";

/** Ann's Maildir, and next to it a folder with somebody else's message. */
async function withVictim(): Promise<MaildirFixture & { readonly victim: string }> {
  const fixture = await MaildirFixture.make();
  const victim = `${fixture.dir}/victim`;
  for (const directory of ["cur", "new", "tmp"]) {
    Deno.mkdirSync(`${victim}/${directory}`, { recursive: true });
  }
  Deno.writeFileSync(`${victim}/cur/${FILE}`, text("secret"));
  return Object.assign(fixture, { victim });
}

function entries(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

function linksTold(fixture: MaildirFixture): unknown[] {
  return fixture.log.lines.filter(({ event }) => event.startsWith("a symbolic link"))
    .map(({ fields }) => fields.path);
}

for (const part of ["", "/cur", "/new", "/tmp"]) {
  Deno.test(`Account.refresh() does not take over a folder of which .a${part} is a link`, async () => {
    await using fixture = await withVictim();
    const account = await (await fixture.open()).account("ann");
    const link = `${fixture.root}/.a${part}`;
    if (part !== "") {
      fixture.makeFolder(".a");
      Deno.removeSync(link);
    }
    Deno.symlinkSync(`${fixture.victim}${part}`, link);
    await account.refresh();
    fixture.makeFolder(".b");
    await account.refresh();
    assert.deepEqual(account.list().map(({ name }) => name).sort(), ["INBOX", "b"]);
    await refused("no-mailbox", account.open("a"));
    await refused("not-permitted", account.create("a"));
    assert.deepEqual(linksTold(fixture), [link]);
    assert.deepEqual(entries(`${fixture.victim}/cur`), [FILE]);
  });

  Deno.test(`Mailbox: is refused, and kept, while .a${part} is a link`, async () => {
    await using fixture = await withVictim();
    const account = await (await fixture.open()).account("ann");
    await account.create("a");
    for (const system of [0, 0, FLAG.deleted]) {
      await deliver(account, "a", "test", { system, keywords: [] });
    }
    const mailbox = await account.open("a");
    const [link, aside] = [`${fixture.root}/.a${part}`, `${fixture.dir}/aside`];
    Deno.renameSync(link, aside);
    Deno.symlinkSync(aside, link);
    await refused("unavailable", mailbox.read(1));
    await refused("unavailable", mailbox.refresh());
    await refused("unavailable", mailbox.copy([1], "INBOX"));
    await refused("unavailable", account.open("a"));
    await refused("unavailable", account.status("a"));
    await refused("unavailable", deliver(account, "a"));
    await account.refresh();
    assert.deepEqual(linksTold(fixture), [link]);
    await mailbox.expunge([3]);
    mailbox.close();
    await fixture.close();
    assert.equal(fixture.names("cur", ".a").length, 3);
    const problems = await examineAccount({ name: "ann", root: fixture.root });
    assert.ok(problems.some((problem) => problem.text.includes(`a: ${link} is a symbolic link`)));

    Deno.removeSync(link);
    Deno.renameSync(aside, link);
    const again = await (await (await fixture.open()).account("ann")).open("a");
    assert.deepEqual(uidsOf(again), [1, 2]);
    assert.ok((await wholeText(again, 1)).includes("Subject: test"));
    again.close();
    await fixture.close();
    assert.equal(fixture.names("cur", ".a").length, 2);
  });
}

Deno.test("Store.account() puts no special folder where a link is", async () => {
  await using fixture = await withVictim();
  fixture.makeFolder("");
  Deno.symlinkSync(fixture.victim, `${fixture.root}/.Sent`);
  const store = await fixture.open({ specialFolders: [{ name: "Sent", use: "\\Sent" }] });
  const account = await store.account("ann");
  assert.deepEqual(account.list().map(({ name }) => name), ["INBOX"]);
  assert.deepEqual(linksTold(fixture), [`${fixture.root}/.Sent`]);
});

Deno.test("Store.account() opens no index that is a link", async () => {
  for (const name of ["imapd.sqlite", "imapd.sqlite-wal"]) {
    await using fixture = await withVictim();
    fixture.makeFolder("");
    const target = `${fixture.dir}/target`;
    Deno.symlinkSync(target, `${fixture.root}/${name}`);
    await refused("unavailable", (await fixture.open()).account("ann"));
    assert.throws(() => Deno.statSync(target), Deno.errors.NotFound);
  }
});

Deno.test({
  name: `Store.account() opens no Maildir of another user by a link${
    Deno.uid() === 0 ? "" : " (skipped: only root can make it)"
  }`,
  ignore: Deno.uid() !== 0,
  async fn() {
    await using fixture = await withVictim();
    await Deno.remove(fixture.root, { recursive: true }).catch(() => {});
    Deno.symlinkSync(fixture.victim, fixture.root);
    await lchown(fixture.root, 12345, 12345);
    await refused("unavailable", (await fixture.open()).account("ann"));
    await fixture.close();
    Deno.chownSync(fixture.victim, 12345, 12345);
    assert.ok((await (await fixture.open()).account("ann")).info("INBOX"));
  },
});

Deno.test("Store.account() looks into tmp/ for what is stale once a day", async () => {
  await using fixture = await withVictim();
  const clock = { now: Date.now() };
  const openedAfter = async (hours: number) => {
    clock.now += hours * 3_600_000;
    fixture.log.lines.length = 0;
    const store = await fixture.open({ clock: () => clock.now });
    await store.account("ann");
    // What runs in the background keeps it from being closed as unused.
    clock.now += 600_000;
    while (fixture.indexIsOpen()) {
      await store.closeUnused();
      await new Promise((done) => setTimeout(done, 1));
    }
    return linksTold(fixture);
  };
  await openedAfter(0);
  fixture.makeFolder(".a");
  const store = await fixture.open();
  await (await store.account("ann")).refresh();
  const link = `${fixture.root}/.a/tmp`;
  Deno.removeSync(link);
  Deno.symlinkSync(`${fixture.victim}/tmp`, link);
  assert.deepEqual(await openedAfter(1), []);
  assert.deepEqual(await openedAfter(48), [link]);
  assert.deepEqual(await openedAfter(1), []);
});

import * as assert from "node:assert/strict";
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
    const problems = await examineAccount("ann", fixture.root);
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

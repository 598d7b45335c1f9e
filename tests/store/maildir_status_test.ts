import * as assert from "node:assert/strict";
import type { Account } from "../../src/store/store.ts";
import { deliver, text } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** Longer than what is too young to be told by its time. */
const OLD = 60;

async function settle(account: Account, mailbox: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, OLD));
  // The first look may take over what happened, the second finds that nothing did.
  for (let i = 0; i < 2; i++) await account.status(mailbox);
}

/** What another program may do in a folder, by the count of messages that it leaves. */
const CHANGES: readonly ((folder: string, count: number, at: number) => number)[] = [
  (folder, count, at) => {
    Deno.writeFileSync(`${folder}/tmp/17${at}.M1P1.host`, text(`new ${at}`));
    Deno.renameSync(`${folder}/tmp/17${at}.M1P1.host`, `${folder}/new/17${at}.M1P1.host`);
    return count + 1;
  },
  (folder, count, at) => {
    Deno.writeFileSync(`${folder}/cur/18${at}.M1P1.host:2,S`, text(`seen ${at}`));
    return count + 1;
  },
  (folder, count) => {
    const [file] = Deno.readDirSync(`${folder}/cur`);
    if (file === undefined) return count;
    Deno.removeSync(`${folder}/cur/${file.name}`);
    return count - 1;
  },
  (folder, count) => {
    const [file] = Deno.readDirSync(`${folder}/new`);
    if (file !== undefined) {
      Deno.renameSync(`${folder}/new/${file.name}`, `${folder}/cur/${file.name}:2,F`);
    }
    return count;
  },
  // Another folder in place of one of its parts.
  (folder, count) => {
    const gone = [...Deno.readDirSync(`${folder}/new`)].length;
    Deno.renameSync(`${folder}/new`, `${folder}/aside`);
    Deno.mkdirSync(`${folder}/new`);
    Deno.removeSync(`${folder}/aside`, { recursive: true });
    return count - gone;
  },
];

for (const open of [true, false]) {
  Deno.test(`Account.status() tells what another program did just before, of a mailbox that is ${open ? "open" : "closed"}`, async () => {
    await using fixture = await MaildirFixture.make();
    const account = await (await fixture.open()).account("ann");
    await account.create("a");
    await deliver(account, "a", "first");
    const mailbox = open ? await account.open("a") : undefined;
    const folder = `${fixture.root}/.a`;
    let count = 1;
    for (let at = 0; at < 40; at++) {
      await settle(account, "a");
      count = CHANGES[(at * 7 + (at >> 2)) % CHANGES.length](folder, count, at);
      assert.equal((await account.status("a")).messages, count, `after change ${at}`);
      // What this server does itself comes back as events, too.
      if (at % 5 === 4) {
        await deliver(account, "a", `own ${at}`);
        count++;
      }
    }
    mailbox?.close();
  });
}

Deno.test("Account.status() sees a folder that another one took the place of", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.create("a");
  await deliver(account, "a", "first");
  await settle(account, "a");
  Deno.renameSync(`${fixture.root}/.a`, `${fixture.dir}/aside`);
  fixture.makeFolder(".a");
  fixture.put(".a/cur/1700000001.M1P1.host:2,", text("other"));
  fixture.put(".a/cur/1700000002.M1P1.host:2,", text("another"));
  assert.equal((await account.status("a")).messages, 2);
  await settle(account, "a");
  Deno.renameSync(`${fixture.root}/.a`, `${fixture.dir}/gone`);
  await assert.rejects(account.status("a"), /has been deleted/);
});

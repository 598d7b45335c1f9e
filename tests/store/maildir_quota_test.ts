import * as assert from "node:assert/strict";
import { FLAG } from "../../src/store/store.ts";
import { deliver, incoming, refused, text, uidsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("Account.quota() takes over deliveries that pass the limit, and what others remove", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open({ quota: { messages: 2 } })).account("ann");
  await deliver(account, "INBOX");
  for (const n of [1, 2, 3]) fixture.put(`new/170000000${n}.M1P1.host`, text(`m${n}`));
  assert.equal((await account.status("INBOX")).messages, 4);
  assert.deepEqual((await account.quota()).messages, { used: 4, limit: 2 });
  await refused("over-quota", account.receive("INBOX"));
  for (const n of [1, 2, 3]) {
    const file = [...fixture.names("new"), ...fixture.names("cur")]
      .find((name) => name.startsWith(`170000000${n}.`));
    const directory = fixture.names("new").includes(String(file)) ? "new" : "cur";
    Deno.removeSync(`${fixture.root}/${directory}/${file}`);
  }
  assert.equal((await account.status("INBOX")).messages, 1);
  assert.equal(await deliver(account, "INBOX"), 5);
  await refused("over-quota", account.receive("INBOX"));
});

Deno.test("Account.quota() counts while it changes what it would count anew", async () => {
  await using fixture = await MaildirFixture.make();
  const quota = { storage: 1e12 };
  const account = await (await fixture.open({ quota })).account("ann");
  for (const name of ["a", "b"]) await account.create(name);
  await deliver(account, "a");
  // From here on it is counted by each change.
  for (let i = 0; i < 30; i++) await deliver(account, i % 2 ? "a" : "b", `m${i}`);
  // A bare LF becomes two octets once the text has been read.
  for (let i = 10; i < 40; i++) fixture.put(`new/17000000${i}.M1P1.host`, `Subject: x\n\n\n${i}\n`);
  const inbox = await account.open("INBOX");
  await inbox.prepare(uidsOf(inbox));
  await inbox.store([1, 2, 3], { mode: "add", system: FLAG.deleted, keywords: [] });
  await inbox.expunge();
  await inbox.copy(uidsOf(inbox), "a");
  inbox.close();
  const b = await account.open("b");
  await b.move(uidsOf(b).slice(0, 5), "INBOX");
  b.close();
  await account.delete("b");
  const counted = await account.quota();
  // Closing waits for the removal of what the deleted mailbox had.
  await fixture.close();
  const again = await (await fixture.open({ quota })).account("ann");
  assert.deepEqual(await again.quota(), counted);
  assert.deepEqual(counted.messages.used, 27 + 5 + 16 + 27);
});

Deno.test("MaildirStore.use() changes the quota of open accounts", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await deliver(account, "INBOX");
  store.use({ specialFolders: [], quota: { messages: 1 } });
  await refused("over-quota", account.receive("INBOX"));
  store.use({ specialFolders: [], quota: { messages: 2 } });
  await deliver(account, "INBOX");
  store.use({ specialFolders: [], quota: undefined });
  await deliver(account, "INBOX");
  store.use({ specialFolders: [], quota: { messages: 4 } });
  await deliver(account, "INBOX");
  await refused("over-quota", account.receive("INBOX"));
});

Deno.test("MaildirStore.use(): soft limits refuse nothing, and tell who passes them", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open({ quota: { messages: 1, mailboxes: 1 }, softQuota: true });
  const account = await store.account("ann");
  const append = async () => {
    const message = await incoming(account, "INBOX", text("test"));
    return (await account.append("INBOX", [message])).overQuota;
  };
  assert.equal(await append(), undefined);
  assert.equal(await append(), "The account may hold 1 messages: it has 1");
  await account.create("a");
  const inbox = await account.open("INBOX");
  const copied = await inbox.copy([1, 2], "a");
  assert.equal(copied.overQuota, "The account may hold 1 messages: it has 2");
  assert.equal((await inbox.move([1], "a")).overQuota, undefined);
  inbox.close();
  assert.deepEqual((await account.limitedQuota()).messages, { used: 4, limit: 1 });
});

Deno.test("MaildirStore.quotaOf() comes before the quota of all, and after the account's own", async () => {
  await using fixture = await MaildirFixture.make();
  const asked: string[] = [];
  const quotaOf = (account: string) => {
    asked.push(account);
    return Promise.resolve(account === "ann" ? { messages: 1, mailboxes: Infinity } : {});
  };
  const store = await fixture.open({ quota: { messages: 5, mailboxes: 7 }, quotaOf });
  const account = await store.account("ann");
  assert.deepEqual(await account.limitedQuota(), { messages: { used: 0, limit: 1 } });
  await deliver(account, "INBOX");
  await refused("over-quota", account.receive("INBOX"));
  await account.setQuota({ messages: 2 });
  await deliver(account, "INBOX");
  await refused("over-quota", account.receive("INBOX"));
  const other = await store.account("bob");
  assert.deepEqual(await other.limitedQuota(), {
    messages: { used: 0, limit: 5 },
    mailboxes: { used: 1, limit: 7 },
  });
  assert.deepEqual(asked, ["ann", "bob"]);
});

Deno.test("MaildirStore.quotaOf(): where it fails, other limits hold", async () => {
  await using fixture = await MaildirFixture.make();
  const quotaOf = () => Promise.reject(new Error("no table"));
  const account = await (await fixture.open({ quota: { messages: 1 }, quotaOf })).account("ann");
  await deliver(account, "INBOX");
  await refused("over-quota", account.receive("INBOX"));
});

Deno.test("Mailbox.replace() needs room only for what the new message has more", async () => {
  await using fixture = await MaildirFixture.make();
  const quota = { messages: 1, storage: 2000 };
  const account = await (await fixture.open({ quota })).account("ann");
  await deliver(account, "INBOX");
  await refused("over-quota", account.receive("INBOX"));
  const inbox = await account.open("INBOX");
  const message = async (octets: number) => {
    const incoming = await account.receive("INBOX", { replaces: true });
    await incoming.write(new Uint8Array(octets).fill(0x61));
    return { incoming, flags: { system: 0, keywords: [] } };
  };
  assert.deepEqual((await inbox.replace(1, "INBOX", await message(2000))).uids, [2]);
  await refused("over-quota", inbox.replace(2, "INBOX", await message(2001)));
  assert.deepEqual(uidsOf(inbox), [2]);
  assert.deepEqual((await inbox.replace(2, "INBOX", await message(1500))).uids, [3]);
  assert.deepEqual((await account.quota()).storage.used, 1500);
  assert.deepEqual((await account.quota()).messages.used, 1);
  inbox.close();
});

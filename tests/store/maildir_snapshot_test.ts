import * as assert from "node:assert/strict";
import { type Account, type AccountSnapshot, FLAG } from "../../src/store/store.ts";
import { deliver, uidsOf } from "../contracts/store_actions.ts";
import { until } from "../until.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

async function snapshotOf(account: Account): Promise<AccountSnapshot> {
  const snapshot = await account.snapshot?.();
  assert.ok(snapshot);
  return snapshot;
}

async function expungeAll(account: Account): Promise<void> {
  const inbox = await account.open("INBOX");
  await inbox.store(uidsOf(inbox), { mode: "add", system: FLAG.deleted, keywords: [] });
  await inbox.expunge();
  inbox.close();
}

async function octetsOf(snapshot: AccountSnapshot): Promise<Uint8Array<ArrayBuffer>> {
  const pieces = await Array.fromAsync(snapshot.index(), (piece) => new Uint8Array(piece));
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

Deno.test("Account.snapshot() keeps the files of messages that are expunged until it is closed", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  await deliver(account, "INBOX");
  const [first, second] = [await snapshotOf(account), await snapshotOf(account)];
  await expungeAll(account);
  await deliver(account, "INBOX", "later");
  for (const snapshot of [first, second]) {
    const files = (await Array.fromAsync(snapshot.files())).flat();
    assert.equal(files.length, 2);
    const there = fixture.names("cur").map((name) => name.split(":")[0]);
    for (const { base } of files) assert.ok(there.includes(base));
    await snapshot.close();
  }
  await until(() => fixture.names("cur").length === 1, "the files to be unlinked");
});

Deno.test("Account.snapshot() leaves nothing beside the index, and the index locked", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  const snapshot = await snapshotOf(account);
  await octetsOf(snapshot);
  await snapshot.close();
  const beside = Array.from(Deno.readDirSync(fixture.root), ({ name }) => name);
  assert.deepEqual(beside.filter((name) => name.includes("snapshot")), []);
  const code = `import { DatabaseSync } from "node:sqlite";
    new DatabaseSync(Deno.args[0]).exec("BEGIN IMMEDIATE");`;
  const { stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", code, `${fixture.root}/imapd.sqlite`],
    stdin: "null",
  }).output();
  assert.equal(success, false);
  assert.match(new TextDecoder().decode(stderr), /locked/);
});

Deno.test("Account: an index from a snapshot gives no UID and no mod-sequence again", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "kept", { system: FLAG.flagged, keywords: ["$Label1"] });
  const snapshot = await snapshotOf(account);
  const index = await octetsOf(snapshot);
  await snapshot.close();
  const lost = await deliver(account, "INBOX", "lost");
  const before = await account.status("INBOX");
  await fixture.close();
  Deno.writeFileSync(`${fixture.root}/imapd.sqlite`, index);
  const lostFile = fixture.names("cur").find((name) => !name.includes("F")) ?? "";
  Deno.removeSync(`${fixture.root}/cur/${lostFile}`);

  const again = await (await fixture.open()).account("ann");
  const inbox = await again.open("INBOX");
  assert.deepEqual(uidsOf(inbox), [1]);
  assert.equal(inbox.uidValidity, before.uidValidity);
  assert.deepEqual(inbox.keywordSet(inbox.messages.keywordSets[0]), ["$Label1"]);
  assert.ok(inbox.messages.modseqs[0] > before.highestModseq);
  // A client may know what came after the snapshot, and what left before it.
  assert.deepEqual(await inbox.vanishedSince(before.highestModseq), [[2, inbox.uidNext - 1]]);
  assert.ok(await deliver(again, "INBOX", "new") > lost);
  const { uidNext } = await again.status("INBOX");
  inbox.close();
  // Once only.
  const third = await (await fixture.open()).account("ann");
  assert.equal((await third.status("INBOX")).uidNext, uidNext);
});

Deno.test("MaildirStore.repair(): is refused while a snapshot is open, as files would be unlinked", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  const account = await store.account("ann");
  await deliver(account, "INBOX");
  const snapshot = await snapshotOf(account);
  Deno.writeTextFileSync(`${fixture.root}/imapd.uidvalidity`, "1\n");
  await assert.rejects(store.repair("ann"), /A backup of the account is being made/);
  await expungeAll(account);
  const [{ base }] = (await Array.fromAsync(snapshot.files())).flat();
  assert.ok(fixture.names("cur").some((name) => name.startsWith(base)));
  await snapshot.close();
  const repaired = await store.repair("ann");
  assert.ok(repaired.some(({ level }) => level === "mended"));
});

Deno.test("Mailbox.expunge(): many files that cannot be unlinked do not keep later ones", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  for (let i = 0; i < 120; i++) await deliver(account, "INBOX");
  const snapshot = await snapshotOf(account);
  await expungeAll(account);
  for (const name of fixture.names("cur")) {
    Deno.removeSync(`${fixture.root}/cur/${name}`);
    Deno.mkdirSync(`${fixture.root}/cur/${name}/full`, { recursive: true });
  }
  await snapshot.close();
  const complaints = () => fixture.log.lines.filter(({ event }) => /cannot unlink/.test(event));
  await until(() => complaints().length === 100, "the first ones to be tried");
  for (let i = 0; i < 2; i++) {
    await deliver(account, "INBOX");
    await expungeAll(account);
    await until(() => fixture.names("cur").length === 120, "the later file to be unlinked");
  }
});

import * as assert from "node:assert/strict";
import { accountPlaces } from "../../src/app/account_places.ts";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { deliver, refused, uidsOf } from "../contracts/store_actions.ts";
import { until } from "../until.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

Deno.test("Store.accounts() counts Maildirs and folders with an index, and nothing else", async () => {
  await using fixture = await MaildirFixture.make();
  const { dir } = fixture;
  for (const path of ["maildir/cur", "empty", "index", ".dot/cur"]) {
    await Deno.mkdir(`${dir}/${path}`, { recursive: true });
  }
  await Deno.writeTextFile(`${dir}/index/imapd.sqlite`, "");
  await Deno.writeTextFile(`${dir}/file`, "");
  await Deno.symlink(`${dir}/loop`, `${dir}/loop`);
  const store = await fixture.open({ places: () => accountPlaces(`${dir}/{account}`) });
  assert.deepEqual(await store.accounts(), ["index", "maildir"]);
  assert.equal(await store.exists("empty"), false);
  assert.equal(await store.exists("loop"), false);
});

Deno.test("Store.remove() follows no link", async () => {
  await using fixture = await MaildirFixture.make();
  const { dir } = fixture;
  await Deno.mkdir(`${dir}/elsewhere/cur`, { recursive: true });
  await Deno.writeTextFile(`${dir}/elsewhere/cur/kept`, "mail");
  const store = await fixture.open();
  await deliver(await store.account("ann"), "INBOX");
  await Deno.symlink(`${dir}/elsewhere`, `${dir}/ann/.link`);
  await Deno.symlink(`${dir}/elsewhere/cur/kept`, `${dir}/ann/cur/1700000000.M1P1.host:2,S`);
  await store.remove("ann");
  assert.deepEqual(names(dir), ["elsewhere"]);
  assert.deepEqual(names(`${dir}/elsewhere/cur`), ["kept"]);

  await Deno.symlink(`${dir}/elsewhere`, `${dir}/bob`);
  await refused("not-permitted", store.remove("bob"));
  assert.deepEqual(names(dir), ["bob", "elsewhere"]);
});

Deno.test("Store.remove() leaves an account alone that another store has open", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX");
  const other = new MaildirStore({
    path: () => fixture.root,
    specialFolders: [],
    log: fixture.log,
  });
  await refused("unavailable", other.remove("ann"));
  await other.close();
  assert.deepEqual(names(fixture.dir), ["ann"]);
  assert.equal(await deliver(account, "INBOX"), 2);
});

Deno.test("Store.removeLeftovers() ends a removal that a crash interrupted", async () => {
  await using fixture = await MaildirFixture.make();
  const { dir } = fixture;
  let store = await fixture.open();
  await deliver(await store.account("ann"), "INBOX");
  await store.account("bob");
  await fixture.close();
  // As it is between the two steps.
  const half = ".imapd-removed-7f3c7e0e-0c43-4f0e-9d8a-1f9a8b8c7d6e";
  await Deno.rename(`${dir}/ann`, `${dir}/${half}`);
  await Deno.mkdir(`${dir}/.imapd-other/cur`, { recursive: true });
  store = await fixture.open({ places: () => accountPlaces(`${dir}/{account}`) });
  assert.deepEqual(await store.accounts(), ["bob"]);
  assert.equal(await store.exists("ann"), false);
  await refused(
    "not-permitted",
    store.account(half).catch((error) => {
      // The fixture's paths take any name; those of a config do not.
      throw error;
    }),
  ).catch(() => {});
  await store.removeLeftovers();
  assert.deepEqual(names(dir), [".imapd-other", "bob"]);
});

Deno.test({
  name: "Store.account(): keeps no file open where the account cannot be opened",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using fixture = await MaildirFixture.make();
    fixture.makeFolder("");
    Deno.mkdirSync(`${fixture.root}/imapd.uidvalidity.tmp/x`, { recursive: true });
    const store = await fixture.open();
    const tries = async (count: number) => {
      for (let i = 0; i < count; i++) await assert.rejects(store.account("ann"));
      return [...Deno.readDirSync("/proc/self/fd")].length;
    };
    const before = await tries(3);
    assert.ok(await tries(20) < before + 10);
  },
});

for (
  const [title, put] of [
    ["a folder", (path: string) => Deno.mkdirSync(path)],
    ["a link without end", (path: string) => Deno.symlinkSync(path, path)],
    ["a FIFO", (path: string) => new Deno.Command("mkfifo", { args: [path] }).outputSync()],
  ] as const
) {
  Deno.test(`Store.account(): ${title} in place of imapd.uidvalidity is told of, and replaced`, async () => {
    await using fixture = await MaildirFixture.make();
    let account = await (await fixture.open()).account("ann");
    const before = await account.status("INBOX");
    await fixture.close();
    const path = `${fixture.root}/imapd.uidvalidity`;
    Deno.removeSync(path);
    put(path);
    account = await (await fixture.open()).account("ann");
    assert.deepEqual(await account.status("INBOX"), before);
    await account.create("New");
    const { uidValidity } = await account.status("New");
    assert.ok(uidValidity > before.uidValidity);
    assert.equal(Deno.readTextFileSync(path), `${uidValidity}\n`);
    assert.equal(fixture.log.lines.filter(({ level }) => level === "warn").length, 1);
  });
}

Deno.test("Account.create(): what cannot be removed in the way of imapd.uidvalidity is a refusal", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await account.status("INBOX");
  Deno.mkdirSync(`${fixture.root}/imapd.uidvalidity.tmp/x`, { recursive: true });
  await refused("unavailable", account.create("New"));
});

Deno.test("MaildirStore.account() closes those that were used least where very many are open", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open({ mostOpen: 3 });
  const first = await store.account("u0");
  const inbox = await first.open("INBOX");
  for (let i = 1; i < 8; i++) await deliver(await store.account(`u${i}`), "INBOX", `m${i}`);
  // What goes on in the background keeps them open for a moment.
  await until(async () => {
    await store.account("u7");
    return store.measures().accounts <= 3;
  }, "accounts to be closed");
  // Which is in use, and stays open.
  assert.equal(await deliver(first, "INBOX", "m0"), 1);
  await inbox.refresh();
  assert.deepEqual(uidsOf(inbox), [1]);
  inbox.close();
  for (let i = 1; i < 8; i++) {
    assert.equal((await (await store.account(`u${i}`)).status("INBOX")).messages, 1);
  }
});

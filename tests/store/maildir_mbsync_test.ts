/** mbsync gives each message of a Maildir a number by renaming its file: `BASE,U=5:2,S`. */

import assert from "node:assert/strict";
import { FLAG } from "../../src/store/store.ts";
import { deliver, flagsOf, uidsOf } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** What mbsync does to the only message of INBOX. */
function number(fixture: MaildirFixture, info: string): void {
  const [name] = fixture.names("cur");
  const base = name.replace(/(,U=5)?:2,.*/, "");
  Deno.renameSync(`${fixture.root}/cur/${name}`, `${fixture.root}/cur/${base},U=5${info}`);
}

Deno.test("Mailbox.refresh() keeps UID and keywords of a file that mbsync gave a number", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one", { system: 0, keywords: ["$Kept"] });
  number(fixture, ":2,S");
  const inbox = await account.open("INBOX");
  await inbox.refresh();
  assert.deepEqual(flagsOf(inbox), [[1, FLAG.seen, ["$Kept"]]]);
  await inbox.store([1], { mode: "add", system: FLAG.flagged, keywords: [] });
  inbox.close();
  await fixture.close();
  assert.match(fixture.names("cur")[0], /[^,:]+,U=5:2,FS$/);
});

for (const action of ["expunge", "move"] as const) {
  Deno.test(`Mailbox.${action}() takes a file that mbsync gave a number meanwhile`, async () => {
    await using fixture = await MaildirFixture.make();
    const account = await (await fixture.open()).account("ann");
    await account.create("a");
    await deliver(account, "INBOX", "one", { system: FLAG.deleted, keywords: [] });
    const inbox = await account.open("INBOX");
    number(fixture, ":2,T");
    if (action === "move") await inbox.move([1], "a");
    else await inbox.expunge([1]);
    await inbox.refresh();
    assert.deepEqual(uidsOf(inbox), []);
    inbox.close();
    await fixture.close();
    assert.deepEqual(fixture.names("cur"), []);
    const moved = fixture.names("cur", ".a");
    assert.equal(moved.length, action === "move" ? 1 : 0);
    assert.ok(moved.every((name) => !name.includes(",U=")), moved.join());
  });
}

Deno.test("Mailbox.expunge() takes a file that is renamed each time it is found", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one", { system: FLAG.deleted, keywords: [] });
  const inbox = await account.open("INBOX");
  const remove = Deno.removeSync;
  let renames = 0;
  Deno.removeSync = (path, options) => {
    if (renames++ < 3 && String(path).includes("/cur/")) {
      number(fixture, renames % 2 ? ":2,T" : ":2,ST");
    }
    remove(path, options);
  };
  try {
    await inbox.expunge([1]);
    inbox.close();
    await fixture.close();
  } finally {
    Deno.removeSync = remove;
  }
  assert.ok(renames > 3, `${renames}`);
  assert.deepEqual(fixture.names("cur"), []);
  const again = await (await (await fixture.open()).account("ann")).open("INBOX");
  assert.deepEqual(uidsOf(again), []);
  again.close();
});

Deno.test("Mailbox.expunge() takes a renamed file later that cannot be taken now", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one", { system: FLAG.deleted, keywords: [] });
  const inbox = await account.open("INBOX");
  const remove = Deno.removeSync;
  let refusals = 0;
  Deno.removeSync = (path, options) => {
    if (!String(path).includes("/cur/")) return remove(path, options);
    if (refusals++ > 0) throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
    number(fixture, ":2,T");
    remove(path, options);
  };
  try {
    await inbox.expunge([1]);
    inbox.close();
    await fixture.close();
  } finally {
    Deno.removeSync = remove;
  }
  assert.ok(refusals > 1, `${refusals}`);
  assert.equal(fixture.names("cur").length, 1);
  const again = await (await (await fixture.open()).account("ann")).open("INBOX");
  assert.deepEqual(uidsOf(again), []);
  again.close();
  await fixture.close();
  assert.deepEqual(fixture.names("cur"), []);
});

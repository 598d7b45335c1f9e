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

/** Expunges the only message, with `before` each removal in cur/. @returns what is left in cur/ then */
async function expungeWhile(
  fixture: MaildirFixture,
  before: () => void,
): Promise<string[]> {
  const account = await (await fixture.open()).account("ann");
  await deliver(account, "INBOX", "one", { system: FLAG.deleted, keywords: [] });
  const inbox = await account.open("INBOX");
  const remove = Deno.removeSync;
  Deno.removeSync = (path, options) => {
    if (String(path).includes("/cur/")) before();
    remove(path, options);
  };
  try {
    await inbox.expunge([1]);
    inbox.close();
    await fixture.close();
  } finally {
    Deno.removeSync = remove;
  }
  const left = fixture.names("cur");
  const again = await (await (await fixture.open()).account("ann")).open("INBOX");
  assert.deepEqual(uidsOf(again), []);
  again.close();
  return left;
}

Deno.test("Mailbox.expunge() takes a file that is renamed each time it is found", async () => {
  await using fixture = await MaildirFixture.make();
  let looks = 0;
  const left = await expungeWhile(fixture, () => {
    if (looks++ < 3) number(fixture, looks % 2 ? ":2,T" : ":2,ST");
  });
  assert.ok(looks > 3, `${looks}`);
  assert.deepEqual(left, []);
});

Deno.test("Mailbox.expunge() takes a renamed file later that cannot be taken now", async () => {
  await using fixture = await MaildirFixture.make();
  let looks = 0;
  const left = await expungeWhile(fixture, () => {
    if (looks++ > 0) throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
    number(fixture, ":2,T");
  });
  assert.ok(looks > 1, `${looks}`);
  assert.equal(left.length, 1);
  await fixture.close();
  assert.deepEqual(fixture.names("cur"), []);
});

import { deepEqual, fail, match, rejects } from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { withCopy, withSuspects } from "../../src/store/maildir/examined_copy.ts";
import { type ExaminedIndex, ownIndex } from "../../src/store/maildir/index_examination.ts";
import { PrivateIndexes } from "../../src/store/maildir/private_index.ts";
import type { Told } from "../../src/store/maildir/problem.ts";
import { SearchService } from "../../src/store/maildir/search_service.ts";
import { deliver } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

const QUESTIONS = [{ sql: "SELECT uid FROM messages" }, { sql: "SELECT id FROM journal" }];

/** An account with a message, which is closed. */
async function closed(): Promise<MaildirFixture> {
  const fixture = await MaildirFixture.make();
  await deliver(await (await fixture.open()).account("ann"), "INBOX", "x");
  await fixture.close();
  return fixture;
}

function messages({ database }: ExaminedIndex): unknown[] {
  return database.prepare("SELECT uid FROM messages").all().map(({ uid }) => uid);
}

Deno.test("withCopy: what is looked at has no name any more", async () => {
  await using fixture = await closed();
  const worker = new SearchService();
  try {
    await withCopy({ root: fixture.root, worker }, async (index) => {
      const { file } = index.database.prepare("PRAGMA database_list").get() ?? {};
      await rejects(Deno.lstat(dirname(String(file))), Deno.errors.NotFound);
      deepEqual(messages(index), [1]);
      deepEqual(await index.suspects?.(QUESTIONS), [0]);
    }, ({ text }) => fail(text));
  } finally {
    worker.close();
  }
});

Deno.test("withCopy, withSuspects: go on where the folder for temporary files takes none", async () => {
  await using fixture = await closed();
  const { root } = fixture;
  const places = { dir: `${fixture.dir}/none`, otherwise: fixture.dir };
  let seen: unknown[] = [];
  const look = (index: ExaminedIndex) => {
    seen = messages(index);
    return Promise.resolve();
  };
  await withCopy({ root, places }, look, ({ text }) => fail(text));
  deepEqual(seen, [1]);
  const told: Told[] = [];
  const nowhere = { dir: places.dir };
  await withCopy({ root, places: nowhere }, () => fail("There is a copy"), (why) => told.push(why));
  match(told.map(({ text }) => text).join(), /no copy of it can be made/);
  const store = await fixture.open({ privateIndexes: new PrivateIndexes(nowhere) });
  const examined = (await store.examine("ann")).map(({ text }) => text);
  match(examined.join(), /no copy of it can be made/);
  const worker = new SearchService();
  const database = new DatabaseSync(`${root}/imapd.sqlite`);
  try {
    const index = { ...ownIndex(database), copyTo: () => fail("There is a place for a copy") };
    seen = [];
    await withSuspects({ root, worker, places: nowhere }, index, look);
    deepEqual(seen, [1]);
  } finally {
    worker.close();
    database.close();
  }
});

Deno.test("withSuspects: what another thread looks at has no name any more", async () => {
  await using fixture = await closed();
  const worker = new SearchService();
  using database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  let folder = "";
  const copyTo = async (path: string) => {
    folder = dirname(path);
    await Deno.copyFile(`${fixture.root}/imapd.sqlite`, path);
  };
  try {
    await withSuspects(
      { root: fixture.root, worker },
      { ...ownIndex(database), copyTo },
      async (index) => {
        await rejects(Deno.lstat(folder), Deno.errors.NotFound);
        deepEqual(await index.suspects?.(QUESTIONS), [0]);
      },
    );
  } finally {
    worker.close();
  }
});

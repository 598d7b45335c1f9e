import { deepEqual, fail, rejects } from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { withCopy, withSuspects } from "../../src/store/maildir/examined_copy.ts";
import { type ExaminedIndex, ownIndex } from "../../src/store/maildir/index_examination.ts";
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

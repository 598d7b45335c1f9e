import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { FolderExamination } from "../../src/store/maildir/folder_examination.ts";
import { mailboxProblems, ownIndex } from "../../src/store/maildir/index_examination.ts";
import { suspicious } from "../../src/store/maildir/index_questions.ts";
import { MAILBOX_CHECKS } from "../../src/store/maildir/row_checks.ts";
import { Statements } from "../../src/store/maildir/statements.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

/** Counts what is prepared. */
class CountingDatabase extends DatabaseSync {
  prepared = 0;

  override prepare(...args: Parameters<DatabaseSync["prepare"]>): StatementSync {
    this.prepared++;
    return super.prepare(...args);
  }
}

/** An account of three mailboxes without messages, which is closed. */
async function closed(): Promise<MaildirFixture> {
  const fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  for (const name of ["a", "b"]) await account.create(name);
  await fixture.close();
  return fixture;
}

Deno.test("mailboxProblems, FolderExamination: prepare as much for many mailboxes as for one", async () => {
  await using fixture = await closed();
  using database = new CountingDatabase(`${fixture.root}/imapd.sqlite`);
  const index = ownIndex(database);
  const rows = database.prepare("SELECT id, name, folder FROM mailboxes ORDER BY name").all();
  equal(rows.length, 3);
  const counts: number[] = [];
  for (const { id, name, folder } of rows) {
    const mailbox = { id: Number(id), name: String(name), folder: String(folder) };
    // A file that the index does not know has it look twice.
    fixture.put("new/1700000001.M1P1.host", "Subject: x\n\n", mailbox.folder);
    for await (const told of mailboxProblems(index, mailbox)) equal(told.text, "none");
    const options = { seen: () => {}, thorough: false };
    const found: (string | undefined)[] = [];
    const folderExamination = new FolderExamination(fixture.root, index, mailbox, options);
    for await (const { code } of folderExamination.problems()) found.push(code);
    equal(found.length, 1);
    counts.push(database.prepared);
  }
  ok(counts[0] >= MAILBOX_CHECKS.length);
  deepEqual(counts, [counts[0], counts[0], counts[0]]);
});

Deno.test("suspicious: prepares a question once, whatever mailboxes it is asked of", async () => {
  await using fixture = await closed();
  using database = new CountingDatabase(`${fixture.root}/imapd.sqlite`);
  const sql = "SELECT uid FROM messages WHERE mailbox = :mailbox";
  const questions = [1, 2, 3].map((mailbox) => ({ sql, values: { mailbox } }));
  const statements = new Statements(database);
  for (let time = 0; time < 2; time++) deepEqual(suspicious(statements, questions), []);
  equal(database.prepared, 1);
});

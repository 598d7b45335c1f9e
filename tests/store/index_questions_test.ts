import { deepEqual, equal, rejects } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openCopied } from "../../src/store/maildir/copied_database.ts";
import { suspicious } from "../../src/store/maildir/index_questions.ts";
import { SearchService } from "../../src/store/maildir/search_service.ts";
import { Statements } from "../../src/store/maildir/statements.ts";
import { deliver } from "../contracts/store_actions.ts";
import { damageIndex } from "./doctored_maildir.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

// Deno takes some names of databases only where a program may do everything.
const permissions = { read: true, write: true };

Deno.test("suspicious: tells which questions have an answer, or cannot be asked", {
  permissions,
}, () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/index`;
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  database.close();
  const sql = "SELECT 1 FROM t WHERE x = :mailbox";
  const questions = [
    { sql, values: { mailbox: 1 } },
    { sql, values: { mailbox: 2 } },
    { sql: "SELECT 1 FROM nowhere" },
  ];
  const copy = openCopied(path);
  deepEqual(suspicious(new Statements(copy), questions), [0, 2]);
  copy.close();
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("MaildirStore.examine(): ends where nobody wants to know any more", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open();
  await deliver(await store.account("ann"), "INBOX", "x");
  const gone = AbortSignal.abort(new Error("The caller gave up"));
  for (const open of [true, false]) {
    if (!open) await fixture.close();
    await rejects(store.examine("ann", false, gone), /gave up/);
  }
});

Deno.test("MaildirStore.examine(): tells of an open index what another thread finds in it", async () => {
  await using fixture = await MaildirFixture.make();
  const service = new SearchService();
  try {
    const account = await (await fixture.open()).account("ann");
    await deliver(account, "INBOX", "x");
    await fixture.close();
    damageIndex(fixture, "INSERT INTO expunged SELECT mailbox, modseq, uid, uid FROM messages");
    const store = await fixture.open({ searchService: service });
    const found = async () => (await store.examine("ann")).map(({ code }) => code);
    deepEqual(await found(), ["expunged-but-there"]);
    equal(service.running, true);
    await (await store.account("ann")).open("INBOX");
    deepEqual(await found(), ["expunged-but-there"]);
    // Where the worker cannot be asked, this thread does all of it.
    service.close();
    deepEqual(await found(), ["expunged-but-there"]);
  } finally {
    await fixture.close();
    service.close();
  }
});

Deno.test("MaildirStore.examine(): tells of an open index what is only in its log", async () => {
  await using fixture = await MaildirFixture.make();
  const service = new SearchService();
  try {
    await deliver(await (await fixture.open()).account("ann"), "INBOX", "x");
    await fixture.close();
    leaveInLog(
      `${fixture.root}/imapd.sqlite`,
      "INSERT INTO expunged SELECT mailbox, modseq, uid, uid FROM messages",
    );
    const store = await fixture.open({ searchService: service });
    await (await store.account("ann")).open("INBOX");
    deepEqual((await store.examine("ann")).map(({ code }) => code), ["expunged-but-there"]);
  } finally {
    await fixture.close();
    service.close();
  }
});

/** As a killed process does. */
function leaveInLog(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_autocheckpoint = 0");
  database.exec(sql);
  const left = ["", "-wal"].map((suffix) => [suffix, Deno.readFileSync(path + suffix)] as const);
  database.close();
  for (const [suffix, octets] of left) Deno.writeFileSync(path + suffix, octets, { mode: 0o600 });
}

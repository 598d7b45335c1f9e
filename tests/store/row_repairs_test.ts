import { deepEqual, equal, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { yieldNow } from "../../src/pace.ts";
import { INDEX_CHECKS, MAILBOX_CHECKS } from "../../src/store/maildir/row_checks.ts";
import { mendIndex, mendRows } from "../../src/store/maildir/row_repairs.ts";
import { deliver } from "../contracts/store_actions.ts";
import { damageIndex } from "./doctored_maildir.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("mendIndex: lets others have a turn after each thing that it looks for", async () => {
  await using fixture = await MaildirFixture.make();
  await deliver(await (await fixture.open()).account("ann"), "INBOX", "x");
  await fixture.close();
  let turns = 0;
  let done = false;
  // Who waits for a turn gets it in the order of asking.
  const others = (async () => {
    for (; !done; turns++) await yieldNow();
  })();
  const { root, log } = fixture;
  await mendIndex({ root, log, clock: Date.now, findings: [] });
  done = true;
  await others;
  const looks = INDEX_CHECKS.length + MAILBOX_CHECKS.length;
  ok(turns >= looks, `${turns} turns, ${looks} looks`);
});

Deno.test("mendIndex: removes what belongs to no message, however much that is", async () => {
  await using fixture = await MaildirFixture.make();
  await deliver(await (await fixture.open()).account("ann"), "INBOX", "x");
  await fixture.close();
  const { root, log } = fixture;
  damageIndex(
    fixture,
    `WITH RECURSIVE n (uid) AS (SELECT 2 UNION ALL SELECT uid + 1 FROM n WHERE uid < 10000)
     INSERT INTO contents (id, envelope, bodystructure, header, parts)
       SELECT mailboxes.id << 32 | uid, '', '', '', '[]' FROM n, mailboxes
       UNION ALL SELECT value, '', '', '', '[]' FROM json_each('[${1n << 62n}, ${-1n << 62n}]')`,
  );
  await mendIndex({ root, log, clock: Date.now, findings: [] });
  using database = new DatabaseSync(`${root}/imapd.sqlite`);
  deepEqual(
    database.prepare("SELECT id & 4294967295 AS uid FROM contents").all().map(Object.values),
    [
      [1],
    ],
  );
});

/** How often messages are looked at while rows of as many others that there are not are removed. */
async function looksBeside(others: number): Promise<number> {
  await using fixture = await MaildirFixture.make();
  await deliver(await (await fixture.open()).account("ann"), "INBOX", "x");
  await fixture.close();
  using database = new DatabaseSync(`${fixture.root}/imapd.sqlite`);
  let looks = 0;
  database.function("looked", () => ++looks);
  // The trigger does nothing, but without one no UPDATE of a view can even be prepared.
  database.exec(
    `CREATE TEMP VIEW messages AS SELECT * FROM main.messages WHERE looked();
     CREATE TEMP TRIGGER kept INSTEAD OF UPDATE ON messages BEGIN SELECT 1; END;
     WITH RECURSIVE n (uid) AS (SELECT 2 UNION ALL SELECT uid + 1 FROM n WHERE uid <= ${others})
     INSERT INTO contents (id, envelope, bodystructure, header, parts)
       SELECT mailboxes.id << 32 | uid, '', '', '', '[]' FROM n, mailboxes`,
  );
  ok(await mendRows(database));
  equal(database.prepare("SELECT count(*) AS count FROM contents").get()?.count, 1);
  return looks;
}

Deno.test("mendRows: looks at a message no oftener where more is removed that belongs to none", async () => {
  const looks = await looksBeside(1);
  ok(looks > 0);
  equal(await looksBeside(10_000), looks);
});

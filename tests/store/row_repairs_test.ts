import { ok } from "node:assert/strict";
import { yieldNow } from "../../src/pace.ts";
import { INDEX_CHECKS, MAILBOX_CHECKS } from "../../src/store/maildir/row_checks.ts";
import { mendIndex } from "../../src/store/maildir/row_repairs.ts";
import { deliver } from "../contracts/store_actions.ts";
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

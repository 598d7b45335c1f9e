import assert from "node:assert/strict";
import { deliver } from "../contracts/store_actions.ts";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("Mailbox.vanishedSince() knows what another program removed", async () => {
  await using fixture = await MaildirFixture.make();
  const account = await (await fixture.open()).account("ann");
  for (let i = 0; i < 3; i++) await deliver(account, "INBOX", `m${i}`);
  const { highestModseq } = await account.status("INBOX");
  await fixture.close();
  for (const name of fixture.names("cur")) Deno.removeSync(`${fixture.root}/cur/${name}`);

  // Not opened yet: nothing of it is in memory.
  const again = await (await fixture.open()).account("ann");
  assert.equal((await again.status("INBOX")).messages, 0);
  const inbox = await again.open("INBOX");
  assert.deepEqual(await inbox.vanishedSince(highestModseq), [[1, 3]]);
  inbox.close();
});

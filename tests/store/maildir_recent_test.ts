import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { MaildirFixture } from "./maildir_fixture.ts";

Deno.test("disableRecent: no message is recent, and files leave `new` all the same", async () => {
  await using fixture = await MaildirFixture.make();
  const store = await fixture.open({ disableRecent: true });
  const account = await store.account("ann");
  fixture.put("new/1.a.host", "Subject: one\n\nHi\n");
  deepStrictEqual((await account.status("INBOX")).recent, 0);
  const mailbox = await account.open("INBOX");
  strictEqual(mailbox.messages.count, 1);
  strictEqual(mailbox.firstRecent, mailbox.uidNext);
  strictEqual(mailbox.claimRecent(), mailbox.uidNext);
  mailbox.close();
  await fixture.close();
  deepStrictEqual(fixture.names("new"), []);
});

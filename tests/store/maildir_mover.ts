/** Moves all of INBOX to "a" and back in the store under its first argument, until it is killed. */

import { MaildirStore } from "../../src/store/maildir/store.ts";
import { uidsOf } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";

const store = new MaildirStore({
  path: (account) => `${Deno.args[0]}/${account}`,
  specialFolders: [],
  log: silentLog(),
});
const account = await store.account("ann");
for (let [from, to] = ["INBOX", "a"];; [from, to] = [to, from]) {
  const mailbox = await account.open(from);
  console.log(`moving to ${to}`);
  await mailbox.move(uidsOf(mailbox), to);
  mailbox.close();
}

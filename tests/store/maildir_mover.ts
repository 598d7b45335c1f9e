/** Moves all of INBOX to "a" in the store under its first argument; dies at link number n. */

import { MaildirStore } from "../../src/store/maildir/store.ts";
import { uidsOf } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";

let left = Number(Deno.args[1]);
const link = Deno.linkSync;
Deno.linkSync = (from, to) => {
  if (left-- === 0) Deno.kill(Deno.pid, "SIGKILL");
  link(from, to);
};
const store = new MaildirStore({
  path: (account) => `${Deno.args[0]}/${account}`,
  specialFolders: [],
  log: silentLog(),
});
const account = await store.account("ann");
const inbox = await account.open("INBOX");
await inbox.move(uidsOf(inbox), "a");

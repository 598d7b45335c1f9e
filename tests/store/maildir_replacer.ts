/**
 * Replaces message 1 of the INBOX of "ann" in the store under the argument; is killed when the new
 * file is in place and the index is about to learn of it.
 */

import { DatabaseSync } from "node:sqlite";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { incoming, text } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  if (sql.includes("INTO expunged")) Deno.kill(Deno.pid, "SIGKILL");
  return prepare.call(this, sql, ...rest);
};
const store = new MaildirStore({
  path: (account) => `${Deno.args[0]}/${account}`,
  specialFolders: [],
  log: silentLog(),
});
const account = await store.account("ann");
const inbox = await account.open("INBOX");
await inbox.replace(1, "INBOX", await incoming(account, "INBOX", text("new")));

/**
 * Appends three messages at once to the INBOX of "ann" in the store under the argument; is killed
 * when their files are in place and the index is about to learn of them.
 */

import { DatabaseSync } from "node:sqlite";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { incoming, text } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";

const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  if (sql.includes("INTO messages")) Deno.kill(Deno.pid, "SIGKILL");
  return prepare.call(this, sql, ...rest);
};
const store = new MaildirStore({
  path: (account) => `${Deno.args[0]}/${account}`,
  specialFolders: [],
  log: silentLog(),
});
const account = await store.account("ann");
const messages = [];
for (const subject of ["one", "two", "three"]) {
  messages.push(await incoming(account, "INBOX", text(subject)));
}
await account.append("INBOX", messages);

/**
 * Takes messages with the keys given after the first two arguments into the INBOX of "ann" in the
 * store under the first one. With "die" as the second, it is killed when the files are in place and
 * the index is about to learn of them.
 */

import { DatabaseSync } from "node:sqlite";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { incoming, text } from "../contracts/store_actions.ts";
import { silentLog } from "./maildir_fixture.ts";

const [dir, how, ...keys] = Deno.args;
const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  if (how === "die" && sql.includes("INTO imported")) Deno.kill(Deno.pid, "SIGKILL");
  return prepare.call(this, sql, ...rest);
};
const store = new MaildirStore({
  path: (account) => `${dir}/${account}`,
  specialFolders: [],
  log: silentLog(),
});
const account = await store.account("ann");
const known = await account.taken("INBOX", keys);
const messages = [];
for (const key of keys.filter((key) => !known.has(key))) {
  messages.push(await incoming(account, "INBOX", text(key), { key }));
}
await account.append("INBOX", messages);
await store.close();

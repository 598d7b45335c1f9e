/** The account of a process that a test has killed. */

import { DatabaseSync } from "node:sqlite";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { silentLog } from "./maildir_fixture.ts";

/**
 * Opens the account "ann" in the store under `dir`.
 *
 * @param statement part of the SQL at whose preparing this process is killed; absent: it is not
 */
export async function accountKilledAt(dir: string, statement?: string) {
  const prepare = DatabaseSync.prototype.prepare;
  DatabaseSync.prototype.prepare = function (sql, ...rest) {
    if (statement !== undefined && sql.includes(statement)) Deno.kill(Deno.pid, "SIGKILL");
    return prepare.call(this, sql, ...rest);
  };
  const store = new MaildirStore({
    path: (account) => `${dir}/${account}`,
    specialFolders: [],
    log: silentLog(),
  });
  return { store, account: await store.account("ann") };
}

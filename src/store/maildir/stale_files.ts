/** Removes what crashed deliveries left in `tmp/`. */

import { Pace } from "../../pace.ts";
import { type AccountContext, folderPath } from "./account_context.ts";
import { listDirectory, lstat } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** Nobody writes to a file in tmp/ for longer. @see https://cr.yp.to/proto/maildir.html */
const STALE = 36 * 3600 * 1000;

/** Looks through `tmp/` of these mailboxes, a few at a time. */
export async function removeStaleFiles(
  account: AccountContext,
  states: Iterable<MailboxState>,
): Promise<void> {
  const pace = new Pace();
  for (const state of [...states]) {
    if (account.background.stopped) return;
    const tmp = `${folderPath(account, state)}/tmp`;
    const { files } = await listDirectory(tmp);
    for (const file of files) removeIfStale(`${tmp}/${file}`);
    if (pace.due()) await pace.turn();
  }
}

function removeIfStale(path: string): void {
  const stat = lstat(path);
  // By the clock of the machine, as are file times.
  if (!stat?.mtime || Date.now() - stat.mtime.getTime() < STALE) return;
  try {
    Deno.removeSync(path);
  } catch {
    // Another program was faster, or it is not ours to remove.
  }
}

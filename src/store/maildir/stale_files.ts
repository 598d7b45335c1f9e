/** Removes what crashed deliveries left in `tmp/`. */

import { lstatSync } from "node:fs";
import { Pace } from "../../pace.ts";
import { type AccountContext, folderPath } from "./account_context.ts";
import { hasLink } from "./links.ts";
import { listDirectory } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** Nobody writes to a file in tmp/ for longer. @see https://cr.yp.to/proto/maildir.html */
const STALE = 36 * 3600 * 1000;

const DAY = 24 * 3600 * 1000;

/** When it was last done, in ms since 1970. */
const META = "stale_files_removed";

/** Looks through `tmp/` of these mailboxes once a day, since accounts are opened again all the time;
 * or at once. */
export async function removeStaleFiles(
  account: AccountContext,
  states: Iterable<MailboxState>,
  atOnce = false,
): Promise<void> {
  const { mailboxes, writer } = account;
  const now = account.clock();
  if (!atOnce && Math.abs(now - mailboxes.meta(META)) < DAY) return;
  const pace = new Pace();
  for (const state of [...states]) {
    if (account.background.stopped) return;
    if (hasLink(account, state)) continue;
    const tmp = `${folderPath(account, state)}/tmp`;
    const { files } = await listDirectory(tmp);
    for (const file of files) removeIfStale(`${tmp}/${file}`);
    if (pace.due()) await pace.turn();
  }
  await writer.run(() => ({ result: mailboxes.setMeta(META, now) }), { durable: false });
}

function removeIfStale(path: string): void {
  // Not by mtime, which is INTERNALDATE; and by the machine's clock, as are file times.
  const changed = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Infinity;
  if (Date.now() - changed < STALE) return;
  try {
    Deno.removeSync(path);
  } catch {
    // Another program was faster, or it is not ours to remove.
  }
}

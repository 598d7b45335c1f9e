/** Which special uses a client may give to which mailbox. @see RFC 6154 §3, §4 */

import type { SpecialUse } from "../store/store.ts";
import { Refusal } from "./command.ts";

/** They present messages of other mailboxes, and no mailbox here does. */
const VIRTUAL: ReadonlySet<SpecialUse> = new Set(["\\All", "\\Flagged"]);

/** @throws {Refusal} with USEATTR @see RFC 6154 §3, §4 */
export function assertUsable(mailbox: string, uses: readonly SpecialUse[]): void {
  const refused = uses.find((use) => VIRTUAL.has(use));
  if (refused !== undefined) throw new Refusal(`${refused} is not supported`, "USEATTR");
  if (mailbox === "INBOX" && uses.length > 0) {
    throw new Refusal("INBOX cannot have a special use", "USEATTR");
  }
}

/** Which messages left a mailbox since a mod-sequence: what clients with QRESYNC ask for. */

import type { UidRanges } from "../store.ts";
import type { AccountContext } from "./account_context.ts";
import type { Columns } from "./columns.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { UidRange } from "./message_rows.ts";

/** Rows that are remembered at most before the oldest are forgotten, and how many then stay. */
const REMEMBERED = { most: 10_000, kept: 5_000 } as const;
/** So many messages may be expunged before the rows are counted again. */
const COUNTED_AFTER = 1000;
const ROWS_PER_STEP = 500;

/** See `Mailbox.vanishedSince`. */
export function vanishedSince(
  account: AccountContext,
  state: MailboxState,
  modseq: number,
): UidRanges {
  if (modseq < state.expungedFloor) return gaps(state.opened, state.uidNext);
  return joined(account.expunged.since(state.id, modseq));
}

/** All UIDs below `uidNext` that no message has. */
function gaps(columns: Columns, uidNext: number): UidRanges {
  const ranges: (readonly [number, number])[] = [];
  let next = 1;
  for (let at = 0; at < columns.count; at++) {
    const uid = columns.uids[at];
    if (uid > next) ranges.push([next, uid - 1]);
    next = uid + 1;
  }
  if (next < uidNext) ranges.push([next, uidNext - 1]);
  return ranges;
}

/** Joins ranges that overlap or touch; they come by their lower ends. */
function joined(rows: readonly UidRange[]): UidRanges {
  const ranges: [number, number][] = [];
  for (const { first, last } of rows) {
    const before = ranges.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  return ranges;
}

/** Counts messages that were expunged; now and then, forgets the oldest in the background. */
export function countExpunged(account: AccountContext, state: MailboxState, more: number): void {
  state.expungedUncounted += more;
  if (state.expungedUncounted <= COUNTED_AFTER) return;
  state.expungedUncounted = 0;
  account.background.run("forgetting old expunges", () => forgetOldest(account, state));
}

/** Until the rows are deleted, the floor alone hides them. */
async function forgetOldest(account: AccountContext, state: MailboxState): Promise<void> {
  const { expunged, writer } = account;
  if (expunged.modseqBelow(state.id, REMEMBERED.most) === undefined) return;
  const floor = expunged.modseqBelow(state.id, REMEMBERED.kept);
  if (floor === undefined) return;
  await writer.run(() => {
    expunged.setFloor(state.id, floor);
    return { result: undefined, apply: () => state.expungedFloor = floor };
  });
  for (let more = true; more && !account.background.stopped;) {
    more = await writer.run(
      () => ({ result: expunged.forget(state.id, floor, ROWS_PER_STEP) }),
      { durable: false },
    );
  }
}

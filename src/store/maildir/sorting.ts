/** Reads what SORT and THREAD compare, and makes it for messages of older indexes. */

import type { SortKeys } from "../../message/sort_keys.ts";
import type { AccountContext } from "./account_context.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { UidRange } from "./message_rows.ts";
import type { SortKeyRow } from "./sort_key_rows.ts";

/** Messages whose keys are made between two commits. */
const STEP = 100;

/** Keys of the messages of a range that are there, in UID order: see `Mailbox.sortKeys`. */
export async function readSortKeys<K extends keyof SortKeys>(
  account: AccountContext,
  state: MailboxState,
  keys: readonly K[],
  range: UidRange,
): Promise<readonly SortKeyRow<K>[]> {
  const isThere = ({ uid }: { readonly uid: number }) => state.opened.indexOf(uid) >= 0;
  const read = () => account.contents.sortKeys.read(state.id, keys, range).filter(isThere);
  const rows = read();
  if (rows.length >= expected(state, range)) return rows;
  await fill(account, state, range, new Set(rows.map(({ uid }) => uid)));
  return read();
}

/** How many messages of the range have contents. */
function expected({ opened }: MailboxState, { first, last }: UidRange): number {
  const start = opened.lowerBound(first);
  const end = opened.lowerBound(last + 1);
  if (opened.prepared) return end - start;
  let count = 0;
  for (let at = start; at < end; at++) if (!opened.unread.has(opened.uids[at])) count++;
  return count;
}

async function fill(
  account: AccountContext,
  state: MailboxState,
  { first, last }: UidRange,
  known: ReadonlySet<number>,
): Promise<void> {
  const { opened } = state;
  const missing: number[] = [];
  for (let at = opened.lowerBound(first); at < opened.count && opened.uids[at] <= last; at++) {
    if (!known.has(opened.uids[at])) missing.push(opened.uids[at]);
  }
  for (let at = 0; at < missing.length; at += STEP) {
    const step = missing.slice(at, at + STEP);
    await account.writer.run(() => {
      const { sortKeys } = account.contents;
      const range = { first: step[0], last: step[step.length - 1] };
      for (const { uid, ...keys } of sortKeys.missing(state.id, range)) {
        sortKeys.insert(state.id, uid, keys);
      }
      return { result: undefined };
    }, { durable: false });
  }
}

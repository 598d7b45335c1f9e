/** Messages and UIDs that come from another server. */

import type { ForeignUids, TakenMessage } from "../store.ts";
import { type AccountContext, saveProgress } from "./account_context.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** The largest UID of a message: UIDNEXT has to be one, too. */
const LAST_UID = 0xffff_fffe;

/**
 * The UIDs of messages that come one after the other.
 *
 * @param wanted what each has at its origin
 * @returns ascending, from `uidNext` on; above 2³² - 2 if the mailbox has none left
 */
export function uidsFrom(uidNext: number, wanted: readonly (number | undefined)[]): number[] {
  const uids: number[] = [];
  let next = uidNext;
  for (const uid of wanted) {
    const kept = uid !== undefined && uid >= next && uid <= LAST_UID ? uid : next;
    uids.push(kept);
    next = kept + 1;
  }
  return uids;
}

/** See `Account.adoptUids`; the folder has been compared with the index. */
export async function adoptUids(
  account: AccountContext,
  state: MailboxState,
  { uidValidity, uidNext = 1 }: ForeignUids,
): Promise<boolean> {
  const { mailboxes, uidValidities, writer } = account;
  if (isUid(uidValidity) && state.uidValidity !== uidValidity) {
    uidValidities.note(uidValidity);
    await uidValidities.keep();
  }
  return await writer.run<boolean>(() => {
    state.assertThere();
    if (!isUid(uidValidity)) return { result: false };
    const has = state.uidValidity === uidValidity;
    // A mailbox of this name that had these UIDs and was deleted may have gone its own way.
    const had = `uid_validity ${uidValidity} ${state.name}`;
    const isNew = state.uidNext === 1 && mailboxes.knownMeta(had) === undefined;
    if (!has && !isNew) return { result: false };
    if (!has) {
      mailboxes.setMeta(had, 1);
      mailboxes.setUidValidity(state.id, uidValidity);
      uidValidities.save();
    }
    const next = Math.max(state.uidNext, isUid(uidNext) ? uidNext : 1);
    // No session has anything to learn of UIDs that no message has.
    const firstRecent = state.firstRecent === state.uidNext ? next : state.firstRecent;
    saveProgress(account, state, { uidNext: next, firstRecent });
    return {
      result: true,
      apply() {
        state.uidValidity = uidValidity;
        state.uidNext = next;
        state.firstRecent = firstRecent;
        state.changed("flags");
      },
    };
  });
}

function isUid(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 0xffff_ffff;
}

/** See `Account.taken`; the folder has been compared with the index. */
export function taken(
  { messages }: AccountContext,
  state: MailboxState,
  keys: readonly string[],
): Map<string, TakenMessage> {
  const found = new Map<string, TakenMessage>();
  for (const key of keys) {
    const one = messages.taken(state.id, key);
    if (one) found.set(key, one);
  }
  return found;
}

/** EXPUNGE: messages leave the index at once, their files soon after. */

import { Pace } from "../../pace.ts";
import { type ExpungedUids, FLAG, StoreError } from "../store.ts";
import { type AccountContext, saveProgress } from "./account_context.ts";
import { type Columns, runsOf } from "./columns.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { countExpunged } from "./vanished.ts";

const SMALL = 200;
const ROWS_PER_STATEMENT = 200;

/** Expunges messages that have \Deleted: see `Mailbox.expunge`. */
export function expunge(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[] | undefined,
): Promise<ExpungedUids> {
  const { writer } = account;
  const count = uids?.length ?? state.opened.deleted;
  if (count <= SMALL) {
    return writer.run(() => {
      const { indexes, result } = plan(state, uids);
      for (const write of removing(account, state, indexes, result.modseq, true)) write();
      return { result, apply: () => removed(account, state, indexes, result.modseq) };
    }, { makesRoom: true });
  }
  return expungeMany(account, state, uids);
}

/** At once, or in runs where a full disk has room for the log of fewer. */
async function expungeMany(
  account: AccountContext,
  state: MailboxState,
  asked: readonly number[] | undefined,
): Promise<ExpungedUids> {
  const wanted = asked ?? plan(state, undefined).result.uids;
  const uids: number[] = [];
  let modseq = state.highestModseq;
  let most = wanted.length;
  for (let at = 0; at < wanted.length;) {
    const some = wanted.slice(at, at + most);
    try {
      const done = await account.writer.alone(() => expungeRun(account, state, some));
      for (const uid of done.uids) uids.push(uid);
      modseq = done.modseq;
      at += most;
      most *= 2;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "over-quota" || most === 1) throw error;
      most = Math.ceil(some.length / 4);
    }
  }
  return { uids, modseq };
}

async function expungeRun(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
): Promise<ExpungedUids> {
  const { indexes, result } = plan(state, uids);
  const pace = new Pace();
  await account.writer.transaction(async () => {
    for (const write of removing(account, state, indexes, result.modseq, true)) {
      write();
      if (pace.due()) await pace.turn();
    }
  }, { messages: indexes.length, makesRoom: true });
  removed(account, state, indexes, result.modseq);
  return result;
}

function plan(
  state: MailboxState,
  uids: readonly number[] | undefined,
): { indexes: readonly number[]; result: ExpungedUids } {
  state.assertThere();
  const columns = state.opened;
  const indexes = (uids ? columns.indexesOf(uids) : all(columns))
    .filter((at) => columns.flags[at] & FLAG.deleted);
  const modseq = indexes.length > 0 ? state.highestModseq + 1 : state.highestModseq;
  return { indexes, result: { uids: indexes.map((at) => columns.uids[at]), modseq } };
}

function all(columns: Columns): number[] {
  return columns.deleted === 0 ? [] : Array.from({ length: columns.count }, (_, at) => at);
}

/**
 * The statements that expunge messages at these positions, each a short piece of work.
 *
 * @param unlink their files are still there and have to go
 */
export function* removing(
  account: AccountContext,
  state: MailboxState,
  indexes: readonly number[],
  modseq: number,
  unlink: boolean,
): Iterable<() => void> {
  if (indexes.length === 0) return;
  const { uids } = state.opened;
  for (const { start, end } of runsOf(indexes, ROWS_PER_STATEMENT)) {
    const range = { first: uids[start], last: uids[end - 1] };
    yield () => account.messages.remove(state.id, range, modseq, unlink);
  }
  yield () => saveProgress(account, state, { modseq });
}

/** Takes what {@link removing} wrote into memory. */
export function removed(
  account: AccountContext,
  state: MailboxState,
  indexes: readonly number[],
  modseq: number,
): void {
  if (indexes.length === 0) return;
  state.columns?.remove(indexes);
  state.highestModseq = modseq;
  account.removals.soon(state);
  countExpunged(account, state, indexes.length);
  state.changed("expunged");
}

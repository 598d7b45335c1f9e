/** Reads messages that other programs delivered, to know their sizes and items. */

import { MessageIndexer, type MessageSummary } from "../../message/indexer.ts";
import { Pace } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { type AccountContext, filePath } from "./account_context.ts";
import { assertNoLink } from "./links.ts";
import { findFile } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { indexFile } from "./message_file.ts";

/** Messages that are read before their rows are written. */
const MESSAGES_PER_STEP = 50;

/** Sees to it that sizes and cached items of these messages are known: see `Mailbox.prepare`. */
export function prepare(
  account: AccountContext,
  state: MailboxState,
  uids: Iterable<number>,
): Promise<void> {
  const columns = state.opened;
  if (columns.unread.size === 0) return Promise.resolve();
  const unread = [...uids].filter((uid) => columns.unread.has(uid));
  if (unread.length === 0) return Promise.resolve();
  // One after the other: what two ask for is read once.
  const run = state.preparing.then(async () => {
    for (let at = 0; at < unread.length; at += MESSAGES_PER_STEP) {
      await prepareSome(account, state, unread.slice(at, at + MESSAGES_PER_STEP));
    }
  });
  state.preparing = run.catch(() => {});
  return run;
}

/** Prepares all messages of a mailbox behind the commands, as long as it stays in memory. */
export function prepareAll(account: AccountContext, state: MailboxState): void {
  if (state.preparingAll || !state.columns || state.columns.unread.size === 0) return;
  state.preparingAll = true;
  account.background.run("reading delivered messages", async () => {
    try {
      // Newest first: those are what clients look at.
      const uids = [...state.columns?.unread.keys() ?? []].reverse();
      for (let at = 0; at < uids.length; at += MESSAGES_PER_STEP) {
        if (account.background.stopped || state.gone || !state.columns) return;
        await prepare(account, state, uids.slice(at, at + MESSAGES_PER_STEP));
      }
    } finally {
      state.preparingAll = false;
    }
  });
}

async function prepareSome(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
): Promise<void> {
  assertNoLink(account, state);
  const summaries = new Map<number, MessageSummary>();
  const pace = new Pace();
  for (const uid of uids) {
    if (state.gone || !state.columns?.unread.has(uid)) continue;
    const summary = await summaryOf(account, state, uid, state.columns.unread.get(uid) ?? 0);
    if (summary) summaries.set(uid, summary);
    if (pace.due()) await pace.turn();
  }
  if (summaries.size === 0) return;
  await account.writer.run(() => {
    // What was expunged meanwhile must not get contents.
    const there = [...summaries].filter(([uid]) => state.columns?.unread.has(uid));
    for (const [uid, summary] of there) {
      account.messages.setSize(state.id, uid, summary.size, summary.bareLf);
      account.messages.insertContents(state.id, uid, summary);
    }
    return {
      result: undefined,
      apply() {
        for (const [uid, { size }] of there) state.columns?.setSize(uid, size);
      },
    };
  }, { durable: false });
}

async function summaryOf(
  account: AccountContext,
  state: MailboxState,
  uid: number,
  fileSize: number,
): Promise<MessageSummary | undefined> {
  const row = account.messages.file(state.id, uid);
  if (!row) return undefined;
  try {
    return await indexFile(filePath(account, state, row));
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "message-gone") {
      const found = await findFile(account, state, row.base);
      state.inCur.mtime = 0;
      if (found) return await indexFile(filePath(account, state, found)).catch(() => undefined);
      return undefined;
    }
    if (error.code !== "unreadable") throw error;
    account.log.warn("a message cannot be read", {
      path: filePath(account, state, row),
      problem: error.message,
    });
    return { ...new MessageIndexer().end(), size: fileSize };
  }
}

/** Reads messages that other programs delivered, to know their sizes and items. */

import { Pace } from "../../pace.ts";
import { type CachedItems, StoreError } from "../store.ts";
import { type AccountContext, filePath } from "./account_context.ts";
import { isMadeLater, isOfText } from "./content_rows.ts";
import { type IndexedMessage, unreadableMessage } from "./file_indexer.ts";
import { assertNoLink } from "./links.ts";
import { findFile } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { indexFile } from "./message_file.ts";

/** Messages that are read before their rows are written. */
const MESSAGES_PER_STEP = 50;
/** Milliseconds: mostly nobody waits for what is read, but others for their turns. */
const READING_SLICE = 2;

/**
 * Sees to it that sizes and cached items of these messages are known: see `Mailbox.prepare`.
 *
 * @param uids ascending, if there are any `items`
 */
export async function prepare(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
  items: readonly (keyof CachedItems)[] = [],
): Promise<void> {
  const needsText = items.length === 0 || items.some(isOfText);
  if (needsText && state.opened.unread.size > 0) await prepareUnread(account, state, uids);
  if (account.catchUp.complete || uids.length === 0 || !items.some(isMadeLater)) return;
  const wanted = new Set(uids);
  // One after the other: what two ask for is read once.
  const run = state.preparing.then(async () => {
    const range = { first: uids[0], last: uids[uids.length - 1] };
    const lacking = account.contents.lacking(state.id, range).filter((uid) => wanted.has(uid));
    for (let at = 0; at < lacking.length; at += MESSAGES_PER_STEP) {
      await makeData(account, state, lacking.slice(at, at + MESSAGES_PER_STEP));
    }
  });
  state.preparing = run.catch(() => {});
  await run;
}

function prepareUnread(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
): Promise<void> {
  const columns = state.opened;
  const unread = uids.filter((uid) => columns.unread.has(uid));
  if (unread.length === 0) return Promise.resolve();
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
  const summaries = await readAll(
    account,
    state,
    uids,
    (uid) => state.columns?.unread.get(uid),
  );
  if (summaries.size === 0) return;
  await account.writer.run(() => {
    // What was expunged meanwhile must not get contents.
    const there = [...summaries].filter(([uid]) => state.columns?.unread.has(uid));
    for (const [uid, summary] of there) {
      account.messages.setSize(state.id, uid, summary.size, summary.bareLf);
      account.contents.insert(state.id, uid, summary);
    }
    return {
      result: undefined,
      apply() {
        for (const [uid, { size }] of there) state.columns?.setSize(uid, size);
        account.textIndex?.add(state, there.map(([uid]) => uid));
      },
    };
  }, { durable: false });
}

/**
 * Makes the data that an older version did not make of these messages, which were read by it.
 *
 * @throws {StoreError} `no-mailbox`, `unavailable`, `over-quota`
 */
export async function makeData(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
): Promise<void> {
  assertNoLink(account, state);
  const { background } = account;
  const made = await readAll(account, state, uids, () => background.stopped ? undefined : 0);
  if (made.size === 0) return;
  await account.writer.run(() => {
    for (const [uid, message] of made) {
      // What was expunged meanwhile must not get any.
      if (account.contents.has(state.id, uid)) account.contents.insertData(state.id, uid, message);
    }
    return {
      result: undefined,
      apply: () => account.textIndex?.add(state, [...made.keys()]),
    };
  }, { durable: false });
}

/** @param fileSize octets of the file; undefined for a message that is not to be read any more */
async function readAll(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
  fileSize: (uid: number) => number | undefined,
): Promise<Map<number, IndexedMessage>> {
  const read = new Map<number, IndexedMessage>();
  const pace = new Pace(READING_SLICE);
  for (const uid of uids) {
    const size = state.gone ? undefined : fileSize(uid);
    const message = size === undefined ? undefined : await indexOne(account, state, uid, size);
    if (message) read.set(uid, message);
    if (pace.due()) await pace.turn();
  }
  return read;
}

async function indexOne(
  account: AccountContext,
  state: MailboxState,
  uid: number,
  fileSize: number,
): Promise<IndexedMessage | undefined> {
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
    return unreadableMessage(row.base, fileSize);
  }
}

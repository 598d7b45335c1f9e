/** APPEND and REPLACE: files first, durable in their place, then their rows in one transaction. */

import type { AppendedUids, NewMessage } from "../store.ts";
import { StoreError } from "../store.ts";
import {
  type AccountContext,
  folderPath,
  keywordNumbers,
  keywordsWith,
  saveKeywords,
  saveProgress,
} from "./account_context.ts";
import { CommitInDoubt } from "./commit_log.ts";
import { withFlags } from "./file_name.ts";
import { removed, removing } from "./expunging.ts";
import { type FinishedFile, IncomingFile } from "./incoming_file.ts";
import { uidsFrom } from "./imports.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { type MessageRow, splitName } from "./message_rows.ts";

/** A message whose file lies in `cur`. */
interface Placed {
  readonly incoming: IncomingFile;
  readonly message: NewMessage;
  readonly finished: FinishedFile;
  readonly file: string;
  readonly seconds: number;
  readonly zone: number;
}

/** A message that is expunged by the same step. */
export interface Replaced {
  readonly source: MailboxState;
  readonly uid: number;
}

/** Stores messages, all or none: see `Account.append`. */
export async function append(
  account: AccountContext,
  state: MailboxState,
  messages: readonly NewMessage[],
): Promise<AppendedUids> {
  if (!messages.some(({ key }) => key !== undefined)) return await store(account, state, messages);
  // In turn: else two imports could both find a key unknown.
  const stored = state.importing.then(() => storeUnknown(account, state, messages));
  state.importing = stored.catch(() => {});
  return await stored;
}

/** Leaves out messages whose keys are known; their UIDs are those that they got then. */
async function storeUnknown(
  account: AccountContext,
  state: MailboxState,
  messages: readonly NewMessage[],
): Promise<AppendedUids> {
  const known = new Map(messages.map((message) => {
    const { key } = message;
    return [message, key === undefined ? undefined : account.messages.taken(state.id, key)];
  }));
  for (const message of messages) if (known.get(message)) await message.incoming.abort();
  const fresh = messages.filter((message) => known.get(message) === undefined);
  const stored = await store(account, state, fresh);
  const left = stored.uids.values();
  const all = messages.map((message) => known.get(message)?.uid ?? left.next().value ?? 0);
  return { ...stored, uids: all };
}

/** Stores a message and expunges another one, or does neither: see `Mailbox.replace`. */
export function replace(
  account: AccountContext,
  state: MailboxState,
  message: NewMessage,
  replaced: Replaced,
): Promise<AppendedUids> {
  return store(account, state, [message], replaced);
}

async function store(
  account: AccountContext,
  state: MailboxState,
  messages: readonly NewMessage[],
  replaced?: Replaced,
): Promise<AppendedUids> {
  if (messages.length === 0) return { uidValidity: state.uidValidity, uids: [] };
  const { placing } = state;
  const placed: Placed[] = [];
  const bases = messages.map(() => account.names.next());
  const stuck = new Set<string>();
  let entry: number | undefined;
  let committing = false;
  const end = account.traffic.begin();
  try {
    await account.quota.ready();
    const finished = await finishAll(account, messages);
    state.assertThere();
    if (replaced || messages.length > 1 || messages.some(({ key }) => key !== undefined)) {
      entry = await announce(account, state, bases);
    }
    for (const base of bases) placing.add(base);
    for (const [i, message] of messages.entries()) {
      const incoming = incomingFile(message);
      const file = withFlags(bases[i], message.flags.system);
      await incoming.place("cur", file);
      state.touched(splitName(false, file));
      placed.push({ incoming, message, file, ...finished[i] });
    }
    await account.directorySyncs.sync(`${folderPath(account, state)}/cur`);
    committing = true;
    const stored = account.writer.run(() => insert(account, state, placed, { entry, replaced }));
    // The writer counts it from here on.
    end();
    return await stored;
  } catch (error) {
    // The rows are there, and want their files.
    if (committing && error instanceof CommitInDoubt) throw error;
    for (const [i, { incoming }] of placed.entries()) {
      await incoming.takeBack().catch(() => stuck.add(bases[i]));
    }
    for (const { incoming } of messages) await incoming.abort();
    const gone = placed.length === 0 || (await isSynced(account, state) && stuck.size === 0);
    // Not forgotten else: the next start unlinks them again.
    if (entry !== undefined && gone) await forget(account, entry);
    throw error;
  } finally {
    end();
    // What could not be taken back is no delivery, as the next start will find.
    for (const base of bases) if (entry === undefined || !stuck.has(base)) placing.delete(base);
  }
}

/**
 * Notes the files before they are in place. After a crash, what is not in the index would be
 * taken for a delivery; but who names a message by a key brings it again, beside a new message the
 * one that it replaces must be gone, and of several messages all are stored or none.
 */
function announce(
  { mailboxes, writer }: AccountContext,
  { id, folder }: MailboxState,
  bases: readonly string[],
): Promise<number> {
  const work = JSON.stringify({ kind: "link", id, folder, bases });
  return writer.run(() => ({ result: mailboxes.addToJournal(work) }));
}

/** Makes durable that refused messages are not there: their files had been, before the commit. */
function isSynced(account: AccountContext, state: MailboxState): Promise<boolean> {
  return account.directorySyncs.sync(`${folderPath(account, state)}/cur`)
    .then(() => true, () => false);
}

async function forget({ mailboxes, writer }: AccountContext, entry: number): Promise<void> {
  try {
    await writer.run(() => ({ result: mailboxes.removeFromJournal(entry) }), { durable: false });
  } catch {
    // At the next start it finds nothing to unlink.
  }
}

function incomingFile({ incoming }: NewMessage): IncomingFile {
  if (incoming instanceof IncomingFile) return incoming;
  throw new Error("Message must come from this store's receive");
}

/** Makes the files durable, some at a time. */
async function finishAll(
  account: AccountContext,
  messages: readonly NewMessage[],
): Promise<{ finished: FinishedFile; seconds: number; zone: number }[]> {
  const results: { finished: FinishedFile; seconds: number; zone: number }[] = [];
  const now = account.clock();
  for (let at = 0; at < messages.length; at += 16) {
    const some = messages.slice(at, at + 16).map(async (message) => {
      const { seconds, zone } = message.date ?? localDate(now);
      return { finished: await incomingFile(message).finish(seconds), seconds, zone };
    });
    // All have to come to rest before any may be aborted.
    for (const settled of await Promise.allSettled(some)) {
      if (settled.status === "rejected") throw settled.reason;
      results.push(settled.value);
    }
  }
  return results;
}

/** A time in ms as INTERNALDATE, in the zone of this machine. */
export function localDate(ms: number): { seconds: number; zone: number } {
  return { seconds: Math.floor(ms / 1000), zone: -new Date(ms).getTimezoneOffset() };
}

function insert(
  account: AccountContext,
  state: MailboxState,
  placed: readonly Placed[],
  { entry, replaced }: { readonly entry?: number; readonly replaced?: Replaced },
) {
  state.assertThere();
  const old = replaced && findReplaced(replaced);
  const uids = uidsFrom(state.uidNext, placed.map(({ message }) => message.uid));
  const uidNext = (uids.at(-1) ?? state.uidNext - 1) + 1;
  if (uidNext > 0xffffffff) throw new StoreError("too-many", "The mailbox has no UIDs left");
  const overQuota = account.quota.assertRoom({
    storage: placed.reduce((sum, { finished }) => sum + finished.summary.size, -(old?.size ?? 0)),
    messages: placed.length - (old ? 1 : 0),
  });
  const words = placed.flatMap(({ message }) => message.flags.keywords);
  const more = keywordsWith(account, state, keywordNumbers(account, words));
  const keywords = more &&
    [...new Set([...more.filter((number) => number >= 0), ...account.keywords.intern(words)])];
  const modseq = state.highestModseq + 1;
  const rows = placed.map((one, i) => rowOf(account, one, uids[i], modseq));
  for (const [i, row] of rows.entries()) {
    const { finished: { summary }, message: { key } } = placed[i];
    account.messages.insert(state.id, row, splitName(false, placed[i].file), summary.bareLf);
    account.contents.insert(state.id, row.uid, summary);
    if (key !== undefined) account.messages.insertImported(state.id, key, row.uid, modseq);
  }
  if (entry !== undefined) account.mailboxes.removeFromJournal(entry);
  const oldModseq = old && (old.source === state ? modseq : old.source.highestModseq + 1);
  if (old && oldModseq) {
    for (const write of removing(account, old.source, [old.at], oldModseq, true)) write();
  }
  if (keywords) saveKeywords(account, state, keywords);
  saveProgress(account, state, { uidNext, modseq });
  return {
    result: {
      uidValidity: state.uidValidity,
      uids,
      ...overQuota === undefined ? {} : { overQuota },
    },
    apply() {
      for (const row of rows) state.columns?.push(row);
      account.textIndex?.add(state, uids);
      if (keywords) state.keywords = keywords;
      state.uidNext = uidNext;
      state.highestModseq = modseq;
      state.changed("arrived", rows.length);
      if (old && oldModseq) removed(account, old.source, [old.at], oldModseq);
    },
  };
}

/** The message that another one takes the place of. @throws {StoreError} `message-gone` */
function findReplaced({ source, uid }: Replaced): {
  readonly source: MailboxState;
  readonly at: number;
  readonly size: number;
} {
  source.assertThere();
  const columns = source.opened;
  const at = columns.indexOf(uid);
  if (at < 0) throw new StoreError("message-gone", "The message to be replaced is gone");
  return { source, at, size: columns.unread.get(uid) ?? columns.sizes[at] };
}

function rowOf(account: AccountContext, placed: Placed, uid: number, modseq: number): MessageRow {
  const { message: { flags }, finished, seconds, zone } = placed;
  return {
    uid,
    flags: flags.system,
    keywords: account.keywords.set(account.keywords.intern(flags.keywords)),
    modseq,
    size: finished.summary.size,
    date: seconds,
    zone,
  };
}

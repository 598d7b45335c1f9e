/** Takes into the index what other programs delivered, renamed or removed. */

import { Pace, sortInTurns } from "../../pace.ts";
import {
  type AccountContext,
  filePath,
  folderPath,
  keywordsWith,
  saveKeywords,
  saveProgress,
  tell,
} from "./account_context.ts";
import { localDate } from "./appending.ts";
import { keywordsOf } from "./dovecot_files.ts";
import { removed, removing } from "./expunging.ts";
import {
  compareDelivery,
  deliveryTimeOf,
  flagBitsOf,
  lettersOf,
  withFlags,
  withoutUid,
} from "./file_name.ts";
import { uidsFrom } from "./imports.ts";
import { endInheritance, type Inheritance, readInheritance } from "./inheritance.ts";
import { lstat } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { type FileName, type FileRow, type MessageRow, splitName } from "./message_rows.ts";
import { prepareAll } from "./preparing.ts";

/** How the folder of a mailbox differs from its index. */
export interface Findings {
  /** Files under another name than the index has: moved to `cur`, or other flags. */
  readonly renamed: readonly { readonly row: FileRow; readonly file: FileName }[];
  /** Messages whose files are nowhere. */
  readonly missing: readonly FileRow[];
  /** Files that the index does not know. */
  readonly strangers: readonly FileName[];
}

/** A file about to become a message. */
interface Arrival {
  readonly file: FileName;
  readonly size: number;
  readonly date: { readonly seconds: number; readonly zone: number };
  readonly keywords: readonly string[];
  /** Undefined: the next one. */
  readonly uid: number | undefined;
}

/** What is taken over in one transaction. */
interface Portion extends Pick<Findings, "renamed" | "missing"> {
  readonly arrivals: readonly (Arrival & { readonly uid: number })[];
}

const MESSAGES_PER_TRANSACTION = 2000;

/** Takes over what was found; runs alone in the account's queue. */
export async function takeOver(
  account: AccountContext,
  state: MailboxState,
  { renamed, missing, strangers }: Findings,
): Promise<void> {
  const inheritance = state.inherits ? await readInheritance(account, state) : undefined;
  const found = await examine(account, state, strangers, inheritance);
  const uids = uidsFrom(state.uidNext, found.map(({ uid }) => uid));
  const arrivals = found.map((arrival, i) => ({ ...arrival, uid: uids[i] }));
  if (renamed.length > 0) await syncRenames(account, state);
  const most = Math.max(arrivals.length, renamed.length, missing.length);
  for (let from = 0; from < most; from += MESSAGES_PER_TRANSACTION) {
    const to = from + MESSAGES_PER_TRANSACTION;
    await takeOverPortion(account, state, {
      arrivals: arrivals.slice(from, to),
      renamed: renamed.slice(from, to),
      missing: missing.slice(from, to),
    });
  }
  if (inheritance) await endInheritance(account, state, inheritance, firstUnseen(arrivals));
  if (state.columns && arrivals.length > 0) prepareAll(account, state);
}

/**
 * Also renames that were ours, before a crash: undone by a power failure, they would take flags back
 * that clients were told of.
 */
async function syncRenames(account: AccountContext, state: MailboxState): Promise<void> {
  for (const directory of ["cur", "new"]) {
    await account.directorySyncs.syncIfThere(`${folderPath(account, state)}/${directory}`);
  }
}

/** Whoever moved the others out of `new` has shown them. */
function firstUnseen(arrivals: Portion["arrivals"]): number | undefined {
  let first: number | undefined;
  for (const { uid, file } of [...arrivals].reverse()) {
    if (!file.inNew) break;
    first = uid;
  }
  return first;
}

async function takeOverPortion(
  account: AccountContext,
  state: MailboxState,
  { arrivals, renamed, missing }: Portion,
): Promise<void> {
  const modseq = state.highestModseq + 1;
  const gone = missing.map(({ uid }) => uid).sort((a, b) => a - b);
  const { rows, keywords, merged } = await account.writer.transaction(async () => {
    const pace = new Pace();
    const rows = await insertAll(account, state, arrivals, modseq, pace);
    const keywords = noteKeywords(account, state, rows);
    const merged = await mergeAll(account, state, renamed, modseq, pace);
    await removeAll(account, state, gone, modseq, pace);
    if (rows.length + merged.length + gone.length > 0) {
      saveProgress(account, state, { uidNext: uidAfter(state, rows), modseq });
    }
    return { rows, keywords, merged };
  }, { messages: arrivals.length + renamed.length + missing.length });
  if (rows.length + merged.length + gone.length === 0) return;
  const { columns } = state;
  for (const row of rows) columns?.push(row);
  for (const { uid, flags } of merged) {
    const at = columns?.indexOf(uid) ?? -1;
    if (at >= 0) columns?.setFlags(at, { flags, keywords: columns.keywordSets[at] }, modseq);
  }
  state.uidNext = uidAfter(state, rows);
  state.keywords = keywords;
  state.highestModseq = modseq;
  tell(account, "adopt", state, rows.length);
  if (columns && gone.length > 0) removed(account, state, columns.indexesOf(gone), modseq);
  if (rows.length > 0) state.changed("arrived", rows.length);
  if (merged.length > 0) state.changed("flags");
  if (gone.length > 0) state.changed("expunged");
}

function uidAfter(state: MailboxState, rows: readonly MessageRow[]): number {
  return rows.length === 0 ? state.uidNext : rows[rows.length - 1].uid + 1;
}

/** The keywords in use in the mailbox with these messages in it. */
function noteKeywords(
  account: AccountContext,
  state: MailboxState,
  rows: readonly MessageRow[],
): readonly number[] {
  const numbers = [...new Set(rows.map(({ keywords }) => keywords))]
    .flatMap((set) => account.keywords.numbers(set));
  const keywords = keywordsWith(account, state, [...new Set(numbers)]);
  if (keywords) saveKeywords(account, state, keywords);
  return keywords ?? state.keywords;
}

/** Sees which of the unknown files are new messages, in the order of their UIDs or delivery. */
async function examine(
  account: AccountContext,
  state: MailboxState,
  files: readonly FileName[],
  inheritance?: Inheritance,
): Promise<Arrival[]> {
  const pace = new Pace();
  const found: (Arrival & { readonly time: number })[] = [];
  for (const file of files) {
    if (pace.due()) await pace.turn();
    if (state.placing.has(file.base)) continue;
    const path = filePath(account, state, file);
    const stat = lstat(path);
    if (!stat) continue;
    if (!stat.isFile) complain(account, state, path);
    else if (account.messages.isRemoved(state.id, file.base)) {
      // Its file is still to go; another program may have renamed it meanwhile.
      account.removals.soon(state);
    } else {
      const time = deliveryTimeOf(file.base) ?? -1;
      const date = localDate(stat.mtime?.getTime() ?? account.clock());
      const keywords = inheritance
        ? keywordsOf(lettersOf(file.base + file.info), inheritance.keywords)
        : [];
      // Above all that were given before.
      const uid = inheritance && (inheritance.uids.get(file.base) ?? inheritance.uidNext);
      found.push({ file, size: stat.size, date, keywords, uid, time });
    }
  }
  return await sortInTurns(
    found,
    (a, b) =>
      (a.uid ?? 0) - (b.uid ?? 0) || a.time - b.time || compareDelivery(a.file.base, b.file.base),
  );
}

/** Says once that something odd lies in the folder, which is left alone. */
export function complain(account: AccountContext, state: MailboxState, path: string): void {
  if (state.complained.has(path) || state.complained.size > 1000) return;
  state.complained.add(path);
  account.log.warn("not a message file; left alone", { path });
}

async function insertAll(
  account: AccountContext,
  state: MailboxState,
  arrivals: Portion["arrivals"],
  modseq: number,
  pace: Pace,
): Promise<MessageRow[]> {
  const rows: MessageRow[] = [];
  for (const { uid, file, size, date, keywords } of arrivals) {
    if (uid >= 0xffffffff) break;
    const row = {
      uid,
      flags: flagBitsOf(file.base + file.info),
      keywords: keywords.length === 0 ? 0 : account.keywords.set(account.keywords.intern(keywords)),
      modseq,
      size: -1 - size,
      date: date.seconds,
      zone: date.zone,
    };
    account.messages.insert(state.id, row, file, false);
    rows.push(row);
    if (pace.due()) await pace.turn();
  }
  return rows;
}

/** Returns the messages whose flags changed. */
async function mergeAll(
  account: AccountContext,
  state: MailboxState,
  renamed: Findings["renamed"],
  modseq: number,
  pace: Pace,
): Promise<{ uid: number; flags: number }[]> {
  const merged: { uid: number; flags: number }[] = [];
  const { messages } = account;
  for (const { row, file } of renamed) {
    const range = { first: row.uid, last: row.uid };
    const ours = messages.flags(state.id, range).get(row.uid);
    if (ours === undefined) continue;
    const flags = mergeFlags(row, ours, file);
    messages.setFile(state.id, row.uid, file);
    if (flags !== ours) {
      messages.setSystemFlags(state.id, row.uid, flags, modseq);
      merged.push({ uid: row.uid, flags });
    }
    if (flags !== flagBitsOf(file.base + file.info)) messages.addWriteBack(state.id, range);
    if (pace.due()) await pace.turn();
  }
  return merged;
}

/** Three ways: a flag that another program changed in the name wins, else the index does. */
function mergeFlags(known: FileName, ours: number, found: FileName): number {
  const base = flagBitsOf(known.base + known.info);
  const theirs = flagBitsOf(found.base + found.info);
  const changed = base ^ theirs;
  return (ours & ~changed) | (theirs & changed);
}

async function removeAll(
  account: AccountContext,
  state: MailboxState,
  uids: readonly number[],
  modseq: number,
  pace: Pace,
): Promise<void> {
  const { columns } = state;
  if (columns) {
    for (const write of removing(account, state, columns.indexesOf(uids), modseq, false)) {
      write();
      if (pace.due()) await pace.turn();
    }
    return;
  }
  for (const uid of uids) {
    account.messages.remove(state.id, { first: uid, last: uid }, modseq, false);
    if (pace.due()) await pace.turn();
  }
}

/**
 * Gives the second of two files with one base name (from a copy made by hand) a name of its own,
 * so that it is a message too.
 */
export function separateTwin(
  account: AccountContext,
  state: MailboxState,
  first: FileName,
  second: FileName,
): FileName | undefined {
  const [a, b] = [lstat(filePath(account, state, first)), lstat(filePath(account, state, second))];
  // A rename that happened while the directory was read shows both names.
  if (!a?.isFile || !b?.isFile || a.ino === b.ino) return undefined;
  const bits = flagBitsOf(second.base + second.info);
  const name = account.names.next();
  const file = splitName(
    second.inNew,
    second.inNew ? name : withFlags(name + withoutUid(second.info), bits),
  );
  try {
    Deno.renameSync(filePath(account, state, second), filePath(account, state, file));
  } catch {
    return undefined;
  }
  account.log.info("two files had one name; renamed one", {
    folder: folderPath(account, state),
    file: second.base,
    renamed: file.base,
  });
  return file;
}

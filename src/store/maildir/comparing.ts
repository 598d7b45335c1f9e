/** Compares the folder of a mailbox with its index, no more often than needed. */

import { Pace } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { type AccountContext, filePath, folderPath } from "./account_context.ts";
import { complain, type Findings, separateTwin, takeOver } from "./adoption.ts";
import { isYoung } from "./directory_age.ts";
import { storeErrorOf } from "./disk_error.ts";
import { baseOf } from "./file_name.ts";
import type { FolderEvent } from "./folder_watcher.ts";
import { assertNoLink, hasLink } from "./links.ts";
import { listDirectory, lstat } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { type FileName, type FileRow, splitName } from "./message_rows.ts";

const ROWS_PER_STEP = 2000;

/** Milliseconds for which the watcher's silence counts: a mount over a folder is no event. */
const TRUSTED = 60_000;

/**
 * Takes over what other programs changed in a mailbox, unless the disk is read-only: see
 * `Mailbox.refresh`.
 *
 * @param caughtUp the watcher was asked for all that happened before what the caller knows of
 * @throws {StoreError} `no-mailbox` if its folder is gone, `unavailable`
 */
export async function refresh(
  account: AccountContext,
  state: MailboxState,
  caughtUp = false,
): Promise<void> {
  state.assertThere();
  // UIDs that were given now would be given again.
  if (account.readOnly) return void account.isInPlace();
  if (!caughtUp) account.watcher.catchUp();
  if (isUnchanged(state)) return;
  await state.looking;
  // A comparison under way may have read the directories before what the caller knows of.
  while (state.refreshing) await state.refreshing;
  const needed = neededComparison(account, state);
  if (needed !== "all") state.eventsComplete = state.unwatch !== undefined;
  if (needed === "none") {
    if (state.unwatch && account.watcher.tellsAll(folderPath(account, state))) {
      state.unchangedUntil = performance.now() + TRUSTED;
    }
    return;
  }
  state.refreshing = account.writer.alone(() => compare(account, state, needed))
    .finally(() => state.refreshing = undefined);
  await state.refreshing;
}

/** Times of 0 are of directories that have to be compared in any case. */
function isUnchanged(
  { unchangedUntil, looking, refreshing, inNew, inCur }: MailboxState,
): boolean {
  return unchangedUntil > 0 && !looking && !refreshing && inNew.mtime !== 0 &&
    inCur.mtime !== 0 && performance.now() < unchangedUntil;
}

type Needed = "none" | "new" | "all";

function neededComparison(account: AccountContext, state: MailboxState): Needed {
  const times = directoryTimes(account, state);
  if (state.inherits) return "all";
  const { inNew, inCur } = state;
  const watched = state.eventsComplete && inCur.mtime !== 0;
  const differs = times.inCur !== inCur.mtime;
  // While a folder is watched, events tell of others' renames in cur/ among our own.
  if (differs ? !(watched && inCur.touched) : !watched && isYoung(inCur)) return "all";
  return times.inNew !== inNew.mtime || isYoung(inNew) ? "new" : "none";
}

/** Modification times in ms, made to be unlike any known one if a directory is missing. */
function directoryTimes(
  account: AccountContext,
  state: MailboxState,
): { inNew: number; inCur: number } {
  assertNoLink(account, state);
  const folder = folderPath(account, state);
  const inCur = account.statuses.at(`${folder}/cur`)?.mtime;
  if (inCur === undefined) throw new StoreError("no-mailbox", "The mailbox's folder is gone");
  return { inCur, inNew: account.statuses.at(`${folder}/new`)?.mtime ?? -1 };
}

async function compare(
  account: AccountContext,
  state: MailboxState,
  needed: Needed,
): Promise<void> {
  if (state.gone) return;
  try {
    const whole = needed === "all" || !await compareNew(account, state);
    if (whole) await compareAll(account, state);
  } catch (error) {
    throw storeErrorOf(error, "looking for new messages");
  }
}

/** Compares `new` alone; false if that does not explain what changed. */
async function compareNew(account: AccountContext, state: MailboxState): Promise<boolean> {
  const compared = begin(account, state, "new");
  const files = await read(account, state, true);
  const known = new Set<string>();
  for (const row of account.messages.filesInNew(state.id)) {
    if (files.get(row.base)?.info !== row.info) return false;
    known.add(row.base);
  }
  const strangers = [...files.values()].filter(({ base }) => !known.has(base));
  if (strangers.some(({ base }) => account.messages.fileByBase(state.id, base))) return false;
  await takeOver(account, state, { renamed: [], missing: [], strangers });
  Object.assign(state.inNew, compared.inNew);
  return true;
}

/** Notes when a comparison began: what changes from here on is found by the next one. */
function begin(account: AccountContext, state: MailboxState, needed: "new" | "all") {
  const times = directoryTimes(account, state);
  const compared = account.clock();
  state.inNew.touched = false;
  if (needed === "all") {
    state.inCur.touched = false;
    state.eventsComplete = state.unwatch !== undefined;
  }
  return {
    inNew: { mtime: times.inNew, compared },
    inCur: { mtime: times.inCur, compared },
  };
}

async function compareAll(account: AccountContext, state: MailboxState): Promise<void> {
  const compared = begin(account, state, "all");
  const strangers = await readBoth(account, state);
  const renamed: { row: FileRow; file: FileName }[] = [];
  let missing: FileRow[] = [];
  const pace = new Pace();
  for (let first = 1;;) {
    const rows = account.messages.files(state.id, { first, last: 0xffffffff }, ROWS_PER_STEP);
    for (const row of rows) {
      const file = strangers.get(row.base);
      if (!file) missing.push(row);
      else if (!isSame(file, row)) renamed.push({ row, file });
      strangers.delete(row.base);
    }
    if (rows.length < ROWS_PER_STEP) break;
    first = rows[rows.length - 1].uid + 1;
    if (pace.due()) await pace.turn();
  }
  if (missing.length > 0) missing = await lookAgain(account, state, missing, renamed);
  await takeOver(account, state, { renamed, missing, strangers: [...strangers.values()] });
  Object.assign(state.inNew, compared.inNew);
  Object.assign(state.inCur, compared.inCur);
}

function isSame(a: FileName, b: FileName): boolean {
  return a.inNew === b.inNew && a.info === b.info;
}

/** A file renamed while its directory is read may be listed under no name: only absent twice is gone. */
async function lookAgain(
  account: AccountContext,
  state: MailboxState,
  missing: readonly FileRow[],
  renamed: { row: FileRow; file: FileName }[],
): Promise<FileRow[]> {
  const files = await readBoth(account, state);
  const gone: FileRow[] = [];
  for (const row of missing) {
    const file = files.get(row.base);
    if (!file) gone.push(row);
    else if (!isSame(file, row)) renamed.push({ row, file });
  }
  return gone;
}

/** The files in both directories by base name. */
async function readBoth(
  account: AccountContext,
  state: MailboxState,
): Promise<Map<string, FileName>> {
  // new/ first: a message that moves to cur/ meanwhile is then seen at least once.
  const files = await read(account, state, true);
  return await read(account, state, false, files);
}

async function read(
  account: AccountContext,
  state: MailboxState,
  inNew: boolean,
  files = new Map<string, FileName>(),
): Promise<Map<string, FileName>> {
  const path = `${folderPath(account, state)}/${inNew ? "new" : "cur"}`;
  const listing = await listDirectory(path);
  for (const name of listing.odd) complain(account, state, `${path}/${name}`);
  const pace = new Pace();
  for (const name of listing.files) {
    const file = splitName(inNew, name);
    const twin = files.get(file.base);
    if (!twin) files.set(file.base, file);
    else takeTwin(account, state, files, twin, file);
    if (pace.due()) await pace.turn();
  }
  return files;
}

function takeTwin(
  account: AccountContext,
  state: MailboxState,
  files: Map<string, FileName>,
  twin: FileName,
  file: FileName,
): void {
  // The message is the one that the index knows: a UID never names another text.
  const row = account.messages.fileByBase(state.id, file.base);
  const [kept, other] = row && isSame(file, row) ? [file, twin] : [twin, file];
  const separate = separateTwin(account, state, kept, other);
  if (separate) {
    files.set(kept.base, kept);
    files.set(separate.base, separate);
  } else if (!lstat(filePath(account, state, twin))) files.set(file.base, file);
}

/** Takes note of what the watcher told; it is looked at soon. */
export function notice(account: AccountContext, state: MailboxState, event: FolderEvent): void {
  if (state.gone || state.isEcho(event.directory, event.file)) return;
  state.unchangedUntil = 0;
  if (state.placing.has(baseOf(event.file))) return;
  state.events.add(event.file === "" ? "" : `${event.directory}/${event.file}`);
  if (!state.looking && mayLook(account, state)) look(account, state);
}

/** A closing account refuses all work, at once. */
function mayLook(account: AccountContext, state: MailboxState): boolean {
  return !state.gone && !account.background.stopped;
}

function look(account: AccountContext, state: MailboxState): void {
  state.looking = account.writer.alone(() => lookAtEvents(account, state))
    .catch((error: unknown) => {
      if (error instanceof StoreError && !mayLook(account, state)) return;
      account.log.warn("cannot take over what changed in a folder", {
        folder: folderPath(account, state),
        problem: error instanceof Error ? error.message : String(error),
      });
    })
    .finally(() => {
      state.looking = undefined;
      // Told of meanwhile, after the last look.
      if (state.events.size > 0 && mayLook(account, state)) look(account, state);
    });
}

async function lookAtEvents(account: AccountContext, state: MailboxState): Promise<void> {
  while (state.events.size > 0 && !state.gone) {
    const names = [...state.events];
    state.events.clear();
    if (hasLink(account, state)) {
      // What was told of is not taken over: once the link is gone, all is to be compared.
      state.eventsComplete = false;
      state.inNew.mtime = state.inCur.mtime = 0;
      return;
    }
    const findings = names.includes("") ? undefined : await findingsOf(account, state, names);
    if (findings) await takeOver(account, state, findings);
    else await compareAll(account, state);
  }
}

/** What some events amount to; undefined if only a comparison can tell. */
async function findingsOf(
  account: AccountContext,
  state: MailboxState,
  names: readonly string[],
): Promise<Findings | undefined> {
  const told = new Map<string, FileName[]>();
  for (const name of names) {
    const file = splitName(name.startsWith("new/"), name.slice(4));
    if (file.base === "" || file.base.startsWith(".")) continue;
    const files = told.get(file.base);
    if (files) files.push(file);
    else told.set(file.base, [file]);
  }
  const strangers: FileName[] = [];
  const renamed: { row: FileRow; file: FileName }[] = [];
  const pace = new Pace();
  for (const [base, files] of told) {
    if (pace.due()) await pace.turn();
    const isThere = (file: FileName) => lstat(filePath(account, state, file)) !== undefined;
    const row = account.messages.fileByBase(state.id, base);
    // An echo of what this process did itself.
    if (row && isThere(row)) continue;
    const file = files.find(isThere);
    if (file) row ? renamed.push({ row, file }) : strangers.push(file);
    // Removed, or renamed to what the watcher has not told of yet.
    else if (row) return undefined;
  }
  return { renamed, missing: [], strangers };
}

/** Ends the watching of a mailbox; all that happened so far is known. */
export function stopWatching(account: AccountContext, state: MailboxState): void {
  const settled = state.eventsComplete && state.events.size === 0 && !state.looking &&
    !state.refreshing;
  state.unwatched();
  if (!settled || !(state.inCur.touched || state.inNew.touched)) return;
  try {
    // What an event on its way would have told is young, and so found by the next comparison.
    const { inNew, inCur } = begin(account, state, "all");
    Object.assign(state.inNew, inNew);
    Object.assign(state.inCur, inCur);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

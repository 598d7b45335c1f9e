/** COPY and MOVE: hard links first, durable in their place, then the rows in one transaction. */

import * as fs from "node:fs";
import { createOwnedFile } from "../../ownership.ts";
import { Pace } from "../../pace.ts";
import type { CopiedUids } from "../store.ts";
import { StoreError } from "../store.ts";
import {
  type AccountContext,
  filePath,
  folderPath,
  keywordsWith,
  saveKeywords,
  saveProgress,
} from "./account_context.ts";
import type { Columns } from "./columns.ts";
import { CommitInDoubt } from "./commit_log.ts";
import { errnoOf, storeErrorOf } from "./disk_error.ts";
import { removed, removing } from "./expunging.ts";
import { withFlags, withoutKeywords, withoutUid } from "./file_name.ts";
import { assertNoLink } from "./links.ts";
import { findFile } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { plainFile } from "./message_file.ts";
import { type FileName, type FileRow, splitName } from "./message_rows.ts";

const COPIED_AT_ONCE = 64 * 1024;

/** A message with a second name in the destination. */
interface Link {
  /** Position in the source's columns. */
  readonly at: number;
  readonly uid: number;
  readonly file: FileName;
  readonly bareLf: boolean;
}

/** Copies, and with `move` expunges the originals: see `Mailbox.copy` and `Mailbox.move`. */
export async function copyMessages(
  account: AccountContext,
  source: MailboxState,
  uids: readonly number[],
  destination: MailboxState,
  move: boolean,
): Promise<CopiedUids> {
  await account.quota.ready();
  return await account.writer.alone(async () => {
    source.assertThere();
    destination.assertThere();
    assertNoLink(account, source);
    assertNoLink(account, destination);
    const columns = source.opened;
    const indexes = columns.indexesOf(uids);
    const overQuota = move ? undefined : assertRoom(account, columns, indexes);
    const keywords = keywordsWith(account, destination, keywordsOf(account, columns, indexes));
    const links: Link[] = [];
    const entries: number[] = [];
    const stuck = new Set<string>();
    let committing = false;
    try {
      await linkAll(account, source, indexes, destination, { links, entries, move });
      if (links.length > 0) {
        await account.directorySyncs.sync(`${folderPath(account, destination)}/cur`);
      }
      committing = true;
      const copied = await commit(
        account,
        source,
        destination,
        { links, entries, move },
        keywords,
      );
      return overQuota === undefined ? copied : { ...copied, overQuota };
    } catch (error) {
      // The rows are there, and want their files: the originals may be gone.
      if (committing && error instanceof CommitInDoubt) throw error;
      for (const { file } of links) {
        if (!unlinkQuietly(filePath(account, destination, file))) stuck.add(file.base);
      }
      await account.directorySyncs.sync(`${folderPath(account, destination)}/cur`)
        // Not forgotten else: the next start unlinks them again.
        .then(() => stuck.size === 0 ? forget(account, entries) : undefined, () => {});
      throw storeErrorOf(error, "copying messages");
    } finally {
      // What could not be unlinked is no delivery.
      for (const { file } of links) {
        if (!stuck.has(file.base)) destination.placing.delete(file.base);
      }
    }
  });
}

/** What `AccountQuota.assertRoom` says of copies. */
function assertRoom(
  account: AccountContext,
  columns: Columns,
  indexes: readonly number[],
): string | undefined {
  let storage = 0;
  for (const at of indexes) storage += columns.unread.get(columns.uids[at]) ?? columns.sizes[at];
  return account.quota.assertRoom({ storage, messages: indexes.length });
}

function keywordsOf(
  account: AccountContext,
  columns: Columns,
  indexes: readonly number[],
): readonly number[] {
  const sets = new Set(indexes.map((at) => columns.keywordSets[at]));
  return [...new Set([...sets].flatMap((set) => account.keywords.numbers(set)))];
}

const FILES_PER_QUERY = 500;

/** What was made so far, and the journal's entries about it. */
interface Made {
  readonly links: Link[];
  readonly entries: number[];
  /** The originals go: that is the way to the trash, and so part of making room. */
  readonly move: boolean;
}

/** Links every file that is still there; `made` says what was made, also after an error. */
async function linkAll(
  account: AccountContext,
  source: MailboxState,
  indexes: readonly number[],
  destination: MailboxState,
  made: Made,
): Promise<void> {
  const columns = source.opened;
  const pace = new Pace();
  for (let from = 0; from < indexes.length; from += FILES_PER_QUERY) {
    const some = indexes.slice(from, from + FILES_PER_QUERY);
    const files = filesOf(account, source, some.map((at) => columns.uids[at]));
    const planned = some.flatMap((at) => {
      const row = files.get(columns.uids[at]);
      if (!row) return [];
      const name = withFlags(
        account.names.next() + withoutKeywords(withoutUid(row.info)),
        columns.flags[at],
      );
      return [{ at, row, file: splitName(false, name) }];
    });
    if (planned.length === 0) continue;
    made.entries.push(
      await announce(
        account,
        destination,
        planned.map(({ file }) => file.base),
        made.move,
      ),
    );
    for (const { at, row, file } of planned) {
      destination.placing.add(file.base);
      if (await linkOne(account, source, row, filePath(account, destination, file))) {
        destination.touched(file);
        made.links.push({ at, uid: row.uid, file, bareLf: row.bareLf });
      } else destination.placing.delete(file.base);
      if (pace.due()) await pace.turn();
    }
  }
}

/**
 * Notes the names of links before they are made: neither a crash nor a power failure must leave
 * them as new messages.
 */
function announce(
  { mailboxes, writer }: AccountContext,
  { id, folder }: MailboxState,
  bases: readonly string[],
  makesRoom: boolean,
): Promise<number> {
  const work = JSON.stringify({ kind: "link", id, folder, bases });
  return writer.transaction(() => mailboxes.addToJournal(work), { makesRoom });
}

async function forget(
  { mailboxes, writer }: AccountContext,
  entries: readonly number[],
): Promise<void> {
  try {
    await writer.transaction(() => {
      for (const entry of entries) mailboxes.removeFromJournal(entry);
    }, { durable: false });
  } catch {
    // The disk refuses everything now; at the next start the entries find nothing to unlink.
  }
}

function filesOf(
  account: AccountContext,
  source: MailboxState,
  uids: readonly number[],
): Map<number, FileRow> {
  const first = uids[0];
  const last = uids[uids.length - 1];
  // One query where the messages are close together, else one for each.
  const rows = last - first < uids.length * 4
    ? account.messages.files(source.id, { first, last }, last - first + 1)
    : uids.flatMap((uid) => account.messages.file(source.id, uid) ?? []);
  return new Map(rows.map((row) => [row.uid, row]));
}

/** False if the message is gone. */
async function linkOne(
  account: AccountContext,
  source: MailboxState,
  row: FileRow,
  to: string,
): Promise<boolean> {
  try {
    linkOrCopy(filePath(account, source, row), to);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  const found = await findFile(account, source, row.base);
  source.inCur.mtime = 0;
  if (!found) return false;
  linkOrCopy(filePath(account, source, found), to);
  return true;
}

/** Not every file system links, and none across devices. */
function linkOrCopy(from: string, to: string): void {
  try {
    Deno.linkSync(from, to);
  } catch (error) {
    if (!["EXDEV", "EMLINK", "EPERM", "ENOTSUP", "ENOSYS"].includes(errnoOf(error) ?? "")) {
      throw error;
    }
    copyDurably(from, to);
  }
}

/** A link is not followed, and a FIFO not waited for. @throws {StoreError} `unreadable` */
function copyDurably(from: string, to: string): void {
  const source = plainFile(from);
  try {
    const copy = createOwnedFile(to, 0o600);
    try {
      const piece = new Uint8Array(COPIED_AT_ONCE);
      for (let count = 0; (count = fs.readSync(source.fd, piece)) > 0;) {
        for (let at = 0; at < count;) at += fs.writeSync(copy, piece, at, count - at);
      }
      fs.futimesSync(copy, source.modified, source.modified);
      fs.fsyncSync(copy);
    } finally {
      fs.closeSync(copy);
    }
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") unlinkQuietly(to);
    throw error;
  } finally {
    fs.closeSync(source.fd);
  }
}

/** Neighbours whose UIDs follow each other without a gap. */
function* consecutive(links: readonly Link[]): Iterable<readonly Link[]> {
  for (let at = 0; at < links.length;) {
    let end = at + 1;
    while (
      end < links.length && end - at < 200 && links[end].uid === links[end - 1].uid + 1
    ) end++;
    yield links.slice(at, end);
    at = end;
  }
}

async function commit(
  account: AccountContext,
  source: MailboxState,
  destination: MailboxState,
  { links, entries, move }: Made,
  keywords: readonly number[] | undefined,
): Promise<CopiedUids> {
  const { mailboxes, messages, contents, writer } = account;
  const { uidValidity, uidNext } = destination;
  const result = {
    uidValidity,
    source: links.map(({ uid }) => uid),
    destination: links.map((_, i) => uidNext + i),
  };
  if (links.length === 0) {
    await forget(account, entries);
    return result;
  }
  if (uidNext + links.length > 0xffffffff) {
    throw new StoreError("too-many", "The mailbox has no UIDs left");
  }
  const modseq = destination.highestModseq + 1;
  const sourceModseq = source === destination ? modseq : source.highestModseq + 1;
  const indexes = links.map(({ at }) => at);
  await writer.transaction(async () => {
    const pace = new Pace();
    let next = uidNext;
    for (const run of consecutive(links)) {
      const range = { first: run[0].uid, last: run[run.length - 1].uid };
      messages.copy(source.id, range, destination.id, next, modseq);
      contents.copy(source.id, range, destination.id, next);
      for (const { file, bareLf } of run) {
        messages.insertFile(destination.id, next++, file, bareLf);
      }
      if (pace.due()) await pace.turn();
    }
    for (const write of move ? removing(account, source, indexes, sourceModseq, true) : []) {
      write();
      if (pace.due()) await pace.turn();
    }
    if (keywords) saveKeywords(account, destination, keywords);
    saveProgress(account, destination, { uidNext: next, modseq });
    for (const entry of entries) mailboxes.removeFromJournal(entry);
  }, { messages: links.length, makesRoom: move });
  account.catchUp.messagesMoved();
  arrive(source, destination, links, modseq, keywords);
  account.textIndex?.look(destination, { first: uidNext, last: destination.uidNext - 1 });
  if (!move) return result;
  removed(account, source, indexes, sourceModseq);
  return { ...result, modseq: sourceModseq };
}

/** Takes the copies into memory. */
function arrive(
  source: MailboxState,
  destination: MailboxState,
  links: readonly Link[],
  modseq: number,
  keywords: readonly number[] | undefined,
): void {
  const from = source.opened;
  for (const [i, { at, uid }] of links.entries()) {
    const unread = from.unread.get(uid);
    destination.columns?.push({
      uid: destination.uidNext + i,
      flags: from.flags[at],
      keywords: from.keywordSets[at],
      modseq,
      size: unread === undefined ? from.sizes[at] : -1 - unread,
      date: from.dates[at],
      zone: from.zones[at],
    });
  }
  if (keywords) destination.keywords = keywords;
  destination.uidNext += links.length;
  destination.highestModseq = modseq;
  destination.changed("arrived", links.length);
}

/** False if it may be there still: the journal has it. */
function unlinkQuietly(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** Maildir++ folders on disk: made, renamed, deleted, and found where others made them. */

import { rmdirSync } from "node:fs";
import type { SpecialUse } from "../store.ts";
import { StoreError } from "../store.ts";
import { makeOwnedFolder } from "../../ownership.ts";
import { Pace } from "../../pace.ts";
import type { AccountContext } from "./account_context.ts";
import { CommitInDoubt } from "./commit_log.ts";
import { storeErrorOf } from "./disk_error.ts";
import { baseOf } from "./file_name.ts";
import { isFolderName, nameOf } from "./folder_name.ts";
import { inheritedFrom, inherits } from "./inheritance.ts";
import { syncDirectory } from "./incoming_file.ts";
import { complainOfLink, linkIn } from "./links.ts";
import { lstat } from "./locating.ts";
import type { MailboxList } from "./mailbox_list.ts";
import type { MailboxRow } from "./mailbox_rows.ts";
import { MailboxState } from "./mailbox_state.ts";

/** A folder on its way to another name. */
interface Move {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly name: string;
}

/**
 * Work that has begun; a crash in between is finished when the account is opened, and links of
 * messages (by the names of their files up to the flags) are undone.
 */
type Work =
  | { readonly kind: "rename"; readonly moves: readonly Move[] }
  | { readonly kind: "delete"; readonly id: number; readonly folder: string }
  | {
    readonly kind: "link";
    /** Of the mailbox, whose folder may be another one by now; missing in older journals. */
    readonly id?: number;
    readonly folder: string;
    readonly bases: readonly string[];
  };

const ROWS_PER_STEP = 500;

/** The folders of one account, and their rows. All but {@link recover} run alone in the queue. */
export class Folders {
  readonly #account: AccountContext;
  readonly #list: MailboxList;
  /** Links that were reported, to do so once. */
  readonly #complained = new Set<string>();

  constructor(account: AccountContext, list: MailboxList) {
    this.#account = account;
    this.#list = list;
  }

  /** Makes a folder with its directories, and its row. */
  async create(
    name: string,
    folder: string,
    specialUse: readonly SpecialUse[],
  ): Promise<MailboxState> {
    const { root, mailboxes, uidValidities, writer } = this.#account;
    if (linkIn(root, folder) !== undefined) {
      throw new StoreError("not-permitted", "A symbolic link is in the place of the mailbox");
    }
    const path = `${root}/${folder}`;
    const before = lstat(path) !== undefined;
    const uidValidity = uidValidities.next();
    let row: MailboxRow;
    try {
      makeFolder(path);
      await syncDirectory(path);
      await uidValidities.keep();
      row = await writer.transaction(() => {
        const row = mailboxes.insert(name, folder, uidValidity, specialUse.join(" "));
        uidValidities.save();
        return row;
      });
    } catch (error) {
      this.#leaveIfInDoubt(error);
      if (!before) removeEmptyFolder(path);
      throw storeErrorOf(error, "making a mailbox");
    }
    const state = new MailboxState(row);
    this.#list.add(state);
    return state;
  }

  /** Renames folders; all or none. */
  async rename(renames: readonly { state: MailboxState; name: string; folder: string }[]) {
    const { root, mailboxes, writer } = this.#account;
    const moves = renames.map(({ state, name, folder }) => ({
      id: state.id,
      from: state.folder,
      to: folder,
      name,
    }));
    const entry = await this.#begin({ kind: "rename", moves });
    const done: typeof renames[number][] = [];
    const before = new Map(renames.map(({ state }) => [state, state.folder]));
    try {
      const pace = new Pace();
      for (const rename of renames) {
        // Readers take the path from here: folder and field change in one turn.
        removeUnfinished(`${root}/${rename.folder}`);
        Deno.renameSync(`${root}/${rename.state.folder}`, `${root}/${rename.folder}`);
        rename.state.folder = rename.folder;
        done.push(rename);
        if (pace.due()) await pace.turn();
      }
      await syncDirectory(root);
      await writer.transaction(() => {
        for (const { id, name, to } of moves) mailboxes.rename(id, name, to);
        mailboxes.removeFromJournal(entry);
      });
    } catch (error) {
      this.#leaveIfInDoubt(error);
      for (const { state, folder } of done.reverse()) {
        const old = before.get(state) ?? "";
        Deno.renameSync(`${root}/${folder}`, `${root}/${old}`);
        state.folder = old;
      }
      await this.#forget(entry);
      throw storeErrorOf(error, "renaming a mailbox");
    }
    for (const { state, name, folder } of renames) {
      state.folder = before.get(state) ?? "";
      this.#list.remove(state);
      state.name = name;
      state.folder = folder;
    }
    for (const { state } of renames) this.#list.add(state);
  }

  /** Deletes a mailbox: its folder leaves the Maildir at once, what is in it soon after. */
  async delete(state: MailboxState): Promise<void> {
    const { root, mailboxes, writer } = this.#account;
    const work = { kind: "delete", id: state.id, folder: state.folder } as const;
    const entry = await this.#begin(work, true);
    try {
      moveIfThere(`${root}/${state.folder}`, trashPath(root, state.id));
      await syncDirectory(root);
      await writer.transaction(() => mailboxes.remove(state.id), { makesRoom: true });
    } catch (error) {
      this.#leaveIfInDoubt(error);
      moveIfThere(trashPath(root, state.id), `${root}/${state.folder}`);
      await this.#forget(entry);
      throw storeErrorOf(error, "deleting a mailbox");
    }
    this.drop(state);
    this.#clean(entry, state.id);
  }

  /** Undoes nothing: when the account is opened again, what the index then has is finished. */
  #leaveIfInDoubt(error: unknown): void {
    if (!(error instanceof CommitInDoubt)) return;
    this.#account.giveUp(error);
    throw error;
  }

  /** Lets go of a mailbox whose row is gone. */
  drop(state: MailboxState): void {
    this.#list.remove(state);
    this.#account.loaded.remove(state);
    state.vanish();
  }

  /**
   * Finishes what a crash interrupted; call it before the rows are read. What it does to files is
   * durable before it is forgotten.
   */
  async recover(database: { exec(sql: string): void }): Promise<void> {
    const { root, mailboxes, log } = this.#account;
    const deleted: { entry: number; id: number }[] = [];
    const works = mailboxes.journal().map(({ id, work }) => ({ entry: id, begun: readWork(work) }));
    // Links last: by then each folder has the name that it keeps.
    works.sort((a, b) => Number(a.begun?.kind === "link") - Number(b.begun?.kind === "link"));
    for (const { entry, begun } of works) {
      if (begun === undefined) {
        log.warn("forgot interrupted work, which cannot be read", { root, entry });
        mailboxes.removeFromJournal(entry);
        continue;
      }
      log.info("finishing interrupted work", { kind: begun.kind });
      let again = false;
      database.exec("BEGIN IMMEDIATE");
      try {
        if (begun.kind === "rename") this.#finishRename(begun.moves);
        else if (begun.kind === "delete") this.#finishDelete(begun.id, begun.folder);
        else await unlinkAll(root, this.#folderOf(begun), this.#unknownOf(begun));
        if (begun.kind !== "link") await syncDirectory(root);
      } catch (error) {
        // Folders keep their mail under whichever name they have now; the scan finds them. Links that
        // could not be undone are tried again at the next start.
        again = begun.kind === "link";
        log.warn("cannot finish interrupted work", {
          root,
          problem: error instanceof Error ? error.message : String(error),
        });
      }
      if (begun.kind === "delete" && !mailboxes.one(begun.id)) {
        deleted.push({ entry, id: begun.id });
      } else if (!again) mailboxes.removeFromJournal(entry);
      database.exec("COMMIT");
    }
    // It has transactions of its own.
    for (const { entry, id } of deleted) this.#clean(entry, id);
  }

  #folderOf({ id, folder }: { readonly id?: number; readonly folder: string }): string {
    return (id === undefined ? undefined : this.#account.mailboxes.one(id)?.folder) ?? folder;
  }

  /** Those that were not taken for deliveries meanwhile: what clients saw stays. */
  #unknownOf({ id, bases }: { readonly id?: number; readonly bases: readonly string[] }) {
    if (id === undefined) return bases;
    return bases.filter((base) => this.#account.messages.fileByBase(id, base) === undefined);
  }

  #finishRename(moves: readonly Move[]): void {
    const { root, mailboxes } = this.#account;
    // One with another folder was renamed by later work: this was refused before that.
    const left = moves.filter(({ id, from }) => mailboxes.one(id)?.folder === from);
    // It failed before it began, or was undone, and only the journal could not be told.
    if (left.every(({ from, to }) => isMaildir(`${root}/${from}`) || !isMaildir(`${root}/${to}`))) {
      return;
    }
    for (const { id, from, to, name } of left) {
      moveIfThere(`${root}/${from}`, `${root}/${to}`);
      mailboxes.rename(id, name, to);
    }
  }

  #finishDelete(id: number, folder: string): void {
    const { root, mailboxes } = this.#account;
    // One with another folder was renamed by later work: this was refused before that.
    if (mailboxes.one(id)?.folder !== folder) return;
    // Not moved away, or moved back: whoever wanted to delete it was told that it failed.
    if (isMaildir(`${root}/${folder}`) && lstat(trashPath(root, id)) === undefined) return;
    mailboxes.remove(id);
  }

  /**
   * Takes over folders that other programs made or removed.
   *
   * @returns the new mailboxes
   */
  async scan(): Promise<MailboxState[]> {
    const { root, mailboxes, writer } = this.#account;
    const found = await this.#findFolders();
    const added = [...found].filter((folder) => !this.#list.byFolder(folder));
    const vanished = [...this.#list.states()].filter(({ folder }) =>
      !found.has(folder) && lstat(`${root}/${folder}/cur`) === undefined
    );
    if (added.length + vanished.length === 0) return [];
    const inherited = await this.#inherited(added);
    const entries: number[] = [];
    const rows = await writer.transaction(async () => {
      for (const { id, folder } of vanished) {
        mailboxes.remove(id);
        entries.push(mailboxes.addToJournal(JSON.stringify({ kind: "delete", id, folder })));
      }
      return await this.#insertAll(added, inherited, new Set(vanished.map(({ name }) => name)));
    }).catch((error: unknown) => {
      this.#leaveIfInDoubt(error);
      throw error;
    });
    for (const [i, state] of vanished.entries()) this.#letGo(state, entries[i]);
    const states = rows.map((row) => new MailboxState(row));
    for (const state of states) {
      this.#list.add(state);
      this.#list.watch.found("created", state.name);
    }
    return states;
  }

  /** Takes over that another program removed the folder of a mailbox. */
  async vanished(state: MailboxState): Promise<void> {
    const { mailboxes, writer } = this.#account;
    const { id, folder } = state;
    const entry = await writer.transaction(() => {
      mailboxes.remove(id);
      return mailboxes.addToJournal(JSON.stringify({ kind: "delete", id, folder }));
    }).catch((error: unknown) => {
      this.#leaveIfInDoubt(error);
      throw error;
    });
    this.#letGo(state, entry);
  }

  #letGo(state: MailboxState, entry: number): void {
    this.#account.log.info("another program removed a folder", { folder: state.folder });
    this.drop(state);
    this.#list.watch.found("deleted", state.name);
    this.#clean(entry, state.id);
  }

  /** The UIDVALIDITYs of folders that another server had before. */
  async #inherited(folders: readonly string[]): Promise<Map<string, { uidValidity?: number }>> {
    const { root, mailboxes } = this.#account;
    const found = new Map<string, { uidValidity?: number }>();
    if (!inherits(root, mailboxes)) return found;
    for (const folder of folders) {
      const inherited = await inheritedFrom(`${root}/${folder}`);
      if (inherited) found.set(folder, inherited);
    }
    return found;
  }

  async #insertAll(
    folders: readonly string[],
    inherited: ReadonlyMap<string, { readonly uidValidity?: number }>,
    freed: ReadonlySet<string>,
  ): Promise<MailboxRow[]> {
    const { mailboxes, uidValidities } = this.#account;
    const rows: MailboxRow[] = [];
    const taken = new Set<string>();
    const pace = new Pace();
    for (const folder of folders) {
      const plain = nameOf(folder);
      if (plain === undefined) continue;
      const isTaken = (name: string) =>
        taken.has(name) || (this.#list.get(name) !== undefined && !freed.has(name));
      let name = plain;
      for (let number = 2; isTaken(name); number++) name = `${plain} (${number})`;
      taken.add(name);
      const before = inherited.get(folder);
      const uidValidity = before?.uidValidity ?? uidValidities.next();
      uidValidities.note(uidValidity);
      rows.push(mailboxes.insert(name, folder, uidValidity, "", before !== undefined));
      if (pace.due()) await pace.turn();
    }
    if (rows.length > 0) {
      await uidValidities.keep();
      uidValidities.save();
    }
    return rows;
  }

  /** Folders that hold a mailbox, INBOX ("") among them. */
  async #findFolders(): Promise<Set<string>> {
    const { root } = this.#account;
    const found = new Set([""]);
    const pace = new Pace();
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(root)) {
      if (!name.startsWith(".") || !(isDirectory || isSymlink)) continue;
      // That of a known mailbox stays: nothing is forgotten, and nothing in it touched.
      if (this.#list.byFolder(name) || this.#isMaildir(name)) found.add(name);
      if (pace.due()) await pace.turn();
    }
    return found;
  }

  #isMaildir(folder: string): boolean {
    const { root, log } = this.#account;
    const link = linkIn(root, folder);
    if (link === undefined) return isMaildir(`${root}/${folder}`);
    complainOfLink(log, this.#complained, link);
    return false;
  }

  #begin(work: Work, makesRoom = false): Promise<number> {
    const { mailboxes, writer } = this.#account;
    return writer.transaction(() => mailboxes.addToJournal(JSON.stringify(work)), { makesRoom });
  }

  async #forget(entry: number): Promise<void> {
    const { mailboxes, writer } = this.#account;
    try {
      await writer.transaction(() => mailboxes.removeFromJournal(entry), { makesRoom: true });
    } catch {
      // The disk refuses everything now; at the next start the folders say that nothing was done.
    }
  }

  /** Removes the rows and files of a deleted mailbox, and then the journal's entry. */
  #clean(entry: number, id: number): void {
    const { root, mailboxes, writer, background } = this.#account;
    background.run("cleaning up after a deleted mailbox", async () => {
      let more = true;
      while (more && !background.stopped) {
        more = await writer.run(
          () => ({ result: mailboxes.removeOrphans(id, ROWS_PER_STEP) }),
          { durable: false, makesRoom: true },
        );
      }
      if (more) return;
      await removeTree(trashPath(root, id));
      await syncDirectory(root);
      this.#account.reserve.fill();
      await writer.run(() => ({ result: mailboxes.removeFromJournal(entry) }), { makesRoom: true });
    });
  }
}

/** Undefined for what a damaged index may say, or one that somebody made to lead out of the Maildir. */
function readWork(text: string): Work | undefined {
  try {
    const work = JSON.parse(text) as Work | null;
    return work && isSound(work) ? work : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function isSound(work: Work): boolean {
  switch (work.kind) {
    case "rename":
      return work.moves.every(({ id, from, to }) =>
        Number.isInteger(id) && isFolderName(from) && isFolderName(to)
      );
    case "delete":
      return Number.isInteger(work.id) && isFolderName(work.folder) && work.folder !== "";
    case "link":
      return isFolderName(work.folder) && work.bases.every((base) => typeof base === "string");
    default:
      return false;
  }
}

/** Unlinks files by their base names: another program may have given them flags. */
async function unlinkAll(root: string, folder: string, bases: readonly string[]): Promise<void> {
  const path = `${root}/${folder}`;
  if (linkIn(root, folder) !== undefined || !isMaildir(path)) return;
  const unwanted = new Set(bases);
  let failure: unknown;
  for (const { name } of Deno.readDirSync(`${path}/cur`)) {
    if (!unwanted.has(baseOf(name))) continue;
    try {
      Deno.removeSync(`${path}/cur/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) failure = error;
    }
  }
  await syncDirectory(`${path}/cur`);
  if (failure !== undefined) throw failure;
}

/** No Maildir++ program takes it for a folder, as it begins with no dot. */
function trashPath(root: string, id: number): string {
  return `${root}/imapd-deleted-${id}`;
}

/** Makes the directories of a Maildir folder that are missing. */
export function makeFolder(path: string): void {
  // cur/ last: a folder without it is no mailbox yet.
  for (const directory of ["tmp", "new", "cur"]) {
    makeOwnedFolder(`${path}/${directory}`, 0o700);
  }
}

function isMaildir(path: string): boolean {
  return lstat(`${path}/cur`)?.isDirectory ?? false;
}

function moveIfThere(from: string, to: string): void {
  if (lstat(from) === undefined) return;
  removeUnfinished(to);
  if (lstat(to) !== undefined && !isEmptyFolder(to)) {
    throw new StoreError("unavailable", "Another program uses the new folder's name");
  }
  Deno.renameSync(from, to);
}

/** Removes what a crash left of a folder that was being made; it has no cur/ yet, and no mail. */
function removeUnfinished(path: string): void {
  if (lstat(path) === undefined || lstat(`${path}/cur`) !== undefined) return;
  for (const directory of [`${path}/tmp`, `${path}/new`, path]) {
    try {
      rmdirSync(directory);
    } catch {
      // It is missing, or something is in it, which is somebody's.
    }
  }
}

function isEmptyFolder(path: string): boolean {
  return [...Deno.readDirSync(path)].length === 0;
}

/** What a mailbox that could not be made leaves: another program may have delivered to it already. */
function removeEmptyFolder(path: string): void {
  try {
    // cur/ first: a folder without it is no mailbox.
    for (const directory of ["/cur", "/new", "/tmp", ""]) Deno.removeSync(path + directory);
  } catch {
    // It is found as if another program had made it.
  }
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

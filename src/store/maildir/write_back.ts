/** Lets the names of message files follow the flags in the index. */

import { clearTimeout, setTimeout } from "node:timers";
import { type AccountContext, filePath, folderPath, saveProgress } from "./account_context.ts";
import { errnoOf } from "./disk_error.ts";
import { withFlags } from "./file_name.ts";
import { hasLink } from "./links.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { type FileName, type FileRow, splitName, type UidRange } from "./message_rows.ts";

/** Few, as commands wait for a step to end. */
const FILES_PER_STEP = 40;
/** In ms. */
const PAUSE = 20;

/**
 * The index says the flags; other Maildir programs see them in file names a moment later. What
 * has to be renamed is noted in the transaction that changes the flags, so that a crash does not
 * lose it. Rename first, make that durable, note afterwards: a crash in between looks like a rename
 * by another program, to the very flags that the index has.
 */
export class WriteBack {
  readonly #account: () => AccountContext;
  readonly #delay: number;
  readonly #waiting = new Set<MailboxState>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param delay in ms, so that a burst of changes costs one rename */
  constructor(account: () => AccountContext, delay: number) {
    this.#account = account;
    this.#delay = delay;
  }

  /** Renames the files of this mailbox within the delay. */
  soon(state: MailboxState): void {
    this.#waiting.add(state);
    this.#timer ??= setTimeout(() => {
      const { background } = this.#account();
      background.run("writing flags into file names", () => this.flush(() => !background.stopped));
    }, this.#delay);
  }

  /** Renames all that waits now, as long as `more` holds; the rest stays noted in the index. */
  flush(more: () => boolean = () => true): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#running.catch(() => {}).then(async () => {
      for (const state of [...this.#waiting]) {
        this.#waiting.delete(state);
        await this.#steps(state, more);
        if (!more()) this.#waiting.add(state);
      }
    });
    return this.#running;
  }

  /** Makes way for commands: while they change things too, a pause follows each step. */
  async #steps(state: MailboxState, more: () => boolean): Promise<void> {
    const { writer } = this.#account();
    for (let asked = writer.asked; more() && await this.#step(state); asked = writer.asked) {
      if (writer.asked - asked > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** Takes the next files of a mailbox; false when none is left. */
  #step(state: MailboxState): Promise<boolean> {
    const account = this.#account();
    const { messages, writer } = account;
    return writer.alone(async () => {
      const range = state.gone ? undefined : messages.writeBack(state.id, 1)[0];
      if (!range) return false;
      const files = messages.files(state.id, range, FILES_PER_STEP);
      const renamed = this.#renameAll(state, files);
      if (!renamed) return false;
      await this.#sync(state, renamed, files);
      const done = files.length < FILES_PER_STEP ? range.last : files[files.length - 1].uid;
      await writer.transaction(() => {
        for (const { uid, file } of renamed) messages.setFile(state.id, uid, file);
        messages.writtenBack(range, done);
      }, { durable: false });
      return true;
    });
  }

  /** A rename that a power failure undid would look like another program's, and take the flags back. */
  async #sync(
    state: MailboxState,
    renamed: readonly { readonly uid: number }[],
    files: readonly FileRow[],
  ): Promise<void> {
    if (renamed.length === 0) return;
    const { directorySyncs } = this.#account();
    const folder = folderPath(this.#account(), state);
    await directorySyncs.syncIfThere(`${folder}/cur`);
    // What left it is durable where it went.
    if (files.some(({ inNew }) => inNew)) await directorySyncs.syncIfThere(`${folder}/new`);
  }

  /** Returns undefined if the disk refuses. */
  #renameAll(
    state: MailboxState,
    files: readonly FileRow[],
  ): { uid: number; file: FileName }[] | undefined {
    if (files.length === 0) return [];
    const account = this.#account();
    if (hasLink(account, state)) return undefined;
    const range = { first: files[0].uid, last: files[files.length - 1].uid };
    const flags = account.messages.flags(state.id, range);
    const renamed: { uid: number; file: FileName }[] = [];
    for (const row of files) {
      const file = wantedName(state, row, flags.get(row.uid) ?? 0);
      if (file.inNew === row.inNew && file.info === row.info) continue;
      const outcome = this.#rename(state, row, file);
      if (outcome === "refused") return undefined;
      if (outcome === "renamed") renamed.push({ uid: row.uid, file });
    }
    return renamed;
  }

  #rename(state: MailboxState, from: FileName, to: FileName): "renamed" | "gone" | "refused" {
    const account = this.#account();
    const path = filePath(account, state, from);
    try {
      Deno.renameSync(path, filePath(account, state, to));
      state.touched(from);
      state.touched(to);
      return "renamed";
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") {
        // Renamed or removed by another program: the next comparison tells.
        state.inCur.mtime = 0;
        return "gone";
      }
      account.log.warn("cannot write flags into a file name", { path, errno });
      return "refused";
    }
  }
}

/** A message leaves `new` once a session was told of it, or when it gets flags. */
function wantedName(state: MailboxState, row: FileRow, flags: number): FileName {
  if (row.inNew && flags === 0 && row.uid >= state.firstRecent) return row;
  if (flags === 0 && row.info === "" && !row.inNew) return row;
  return splitName(false, withFlags(row.base + row.info, flags));
}

/** Tells the index that sessions know all messages there are: see `Mailbox.claimRecent`. */
export function claimRecent(account: AccountContext, state: MailboxState): number {
  const before = state.firstRecent;
  if (before === state.uidNext) return before;
  const claimed: UidRange = { first: before, last: state.uidNext - 1 };
  state.firstRecent = state.uidNext;
  account.background.run("noting recent messages", () =>
    account.writer.run(() => {
      if (!state.gone) {
        saveProgress(account, state, {});
        account.messages.addWriteBack(state.id, claimed);
      }
      return { result: undefined, apply: () => account.writeBack.soon(state) };
    }, { durable: false }));
  return before;
}

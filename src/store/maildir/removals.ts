/** Unlinks the files of expunged messages. */

import { Pace } from "../../pace.ts";
import { type AccountContext, filePath, folderPath } from "./account_context.ts";
import { errnoOf } from "./disk_error.ts";
import { baseOf } from "./file_name.ts";
import { hasLink } from "./links.ts";
import { listDirectory } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import type { FileName } from "./message_rows.ts";

const FILES_PER_STEP = 100;

/** What somebody renames that often is left for the next time. */
const MOST_LOOKS = 4;

/**
 * Expunged messages are gone once their rows are; their files follow. The index remembers the
 * files until then, so that a crash in between brings no message back.
 */
export class Removals {
  readonly #account: () => AccountContext;
  readonly #running = new Set<MailboxState>();
  readonly #again = new Set<MailboxState>();
  /** Snapshots that are open, and what to do after them. */
  readonly #holds = new Set<() => void>();
  readonly #held = new Set<MailboxState>();
  /** The last base of many that could not be unlinked: the next time begins after it. */
  readonly #stuck = new WeakMap<MailboxState, string>();

  constructor(account: () => AccountContext) {
    this.#account = account;
  }

  /** Unlinks nothing more of what is expunged from now on, until the function returned is called. */
  hold(): () => void {
    const release = () => {
      if (!this.#holds.delete(release) || this.#holds.size > 0) return;
      const held = [...this.#held];
      this.#held.clear();
      for (const state of held) this.soon(state);
    };
    this.#holds.add(release);
    return release;
  }

  /** Starts unlinking what has been expunged from a mailbox. */
  soon(state: MailboxState): void {
    if (this.#holds.size > 0) {
      this.#held.add(state);
      return;
    }
    if (this.#running.has(state)) {
      this.#again.add(state);
      return;
    }
    this.#running.add(state);
    this.#account().background.run("unlinking expunged messages", async () => {
      try {
        do {
          this.#again.delete(state);
          await this.#unlinkAll(state);
        } while (this.#again.has(state));
      } finally {
        this.#running.delete(state);
      }
    });
  }

  async #unlinkAll(state: MailboxState): Promise<void> {
    const account = this.#account();
    let after = this.#stuck.get(state) ?? "";
    let wraps = after !== "";
    this.#stuck.delete(state);
    while (!state.gone) {
      if (this.#holds.size > 0) return void this.#held.add(state);
      // Not at once: in its turn, what it finds is durable when it has its result.
      const files = await account.writer.run(
        () => ({ result: account.messages.removals(state.id, FILES_PER_STEP, after) }),
        { durable: false },
      );
      if (files.length === 0) {
        if (!wraps) return;
        wraps = false;
        after = "";
        continue;
      }
      const kept = await this.#unlink(state, files);
      await account.writer.run(() => {
        for (const file of files) {
          if (!kept.has(file.base)) account.messages.finishRemoval(state.id, file);
        }
        return { result: undefined };
      }, { durable: false, makesRoom: true });
      account.reserve.fill();
      // They are tried again when the next message is expunged, or at the next start.
      if (kept.size > 0) after = files[files.length - 1].base;
      if (kept.size === FILES_PER_STEP) return void this.#stuck.set(state, after);
    }
  }

  /** Returns those that could not be unlinked. */
  async #unlink(state: MailboxState, files: readonly FileName[]): Promise<Set<string>> {
    const account = this.#account();
    if (hasLink(account, state)) return new Set(files.map(({ base }) => base));
    const kept = new Set<string>();
    const missing = new Set<string>();
    const pace = new Pace();
    for (const file of files) {
      const outcome = this.#unlinkOne(filePath(account, state, file));
      if (outcome === "gone") state.touched(file);
      if (outcome === "kept") kept.add(file.base);
      if (outcome === "missing") missing.add(file.base);
      if (pace.due()) await pace.turn();
    }
    for (const base of await this.#unlinkRenamed(state, missing)) kept.add(base);
    if (files.length > kept.size) await this.#sync(state, files, missing.size > 0);
    return kept;
  }

  /** Once the index forgets what is unlinked, it must not come back. */
  async #sync(state: MailboxState, files: readonly FileName[], both: boolean): Promise<void> {
    const account = this.#account();
    for (const directory of ["cur", "new"]) {
      if (!both && !files.some(({ inNew }) => inNew === (directory === "new"))) continue;
      await account.directorySyncs.syncIfThere(`${folderPath(account, state)}/${directory}`);
    }
  }

  #unlinkOne(path: string): "gone" | "missing" | "kept" {
    try {
      Deno.removeSync(path);
      return "gone";
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") return "missing";
      this.#account().log.warn("cannot unlink an expunged message", { path, errno });
      return "kept";
    }
  }

  /**
   * Another program may have renamed them, and may do so again while they are looked for; only what
   * two listings do not show is gone. Returns those that could not be unlinked.
   */
  async #unlinkRenamed(state: MailboxState, bases: ReadonlySet<string>): Promise<Set<string>> {
    const folder = folderPath(this.#account(), state);
    const wanted = new Set(bases);
    let kept = new Set<string>();
    for (let looks = 0; looks < MOST_LOOKS && wanted.size > 0; looks++) {
      if (looks > 1 && kept.size === 0) break;
      kept = new Set();
      for (const directory of ["new", "cur"]) {
        const { files } = await listDirectory(`${folder}/${directory}`);
        for (const file of files.filter((name) => wanted.has(baseOf(name)))) {
          const outcome = this.#unlinkOne(`${folder}/${directory}/${file}`);
          if (outcome === "gone") wanted.delete(baseOf(file));
          else kept.add(baseOf(file));
        }
      }
    }
    return kept;
  }
}

/** Which folders of an account are watched: of open mailboxes, or of all of them. */

import { clearTimeout, setTimeout } from "node:timers";
import { type AccountContext, folderPath } from "./account_context.ts";
import { notice, stopWatching } from "./comparing.ts";
import type { MailboxList } from "./mailbox_list.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** How long a mailbox is watched after it was used, in ms: many are soon asked for again. */
const LINGER = 5 * 60_000;

/** Directories that are watched, beyond which only those of open mailboxes are: a user has some thousand. */
const ENOUGH = 4000;

/** How many folders are watched for who watches the whole account. */
const MOST = 1000;

/** The watched folders of one account. */
export class WatchedFolders {
  readonly #account: AccountContext;
  readonly #list: MailboxList;
  /** When each was used last, the longest unused first. */
  readonly #lingering = new Map<MailboxState, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(account: AccountContext, list: MailboxList) {
    this.#account = account;
    this.#list = list;
  }

  /** A mailbox was opened. */
  add(state: MailboxState): void {
    if (this.#account.readOnly) return;
    this.stay(state);
    state.unwatch ??= this.#account.watcher.watch(
      folderPath(this.#account, state),
      (event) => notice(this.#account, state, event),
    );
  }

  /** A mailbox that may not be open was asked for. */
  linger(state: MailboxState): void {
    if (!state.unwatch && this.#account.watcher.watched > ENOUGH) return;
    this.add(state);
    if (state.handles === 0) this.release(state);
  }

  /** A mailbox has another folder now. */
  renamed(state: MailboxState): void {
    if (!state.unwatch) return;
    const lingers = this.#lingering.has(state);
    stopWatching(this.#account, state);
    this.add(state);
    if (lingers) this.release(state);
  }

  /** Nobody has the mailbox open any more. */
  release(state: MailboxState): void {
    if (!state.unwatch || this.#list.watch.active) return;
    this.stay(state);
    this.#lingering.set(state, performance.now());
    this.#endLater(LINGER);
  }

  /** One timer for all: a LIST asks for hundreds of mailboxes at once. */
  #endLater(delay: number): void {
    this.#timer ??= setTimeout(() => this.#end(), delay).unref();
  }

  #end(): void {
    this.#timer = undefined;
    for (const [state, used] of this.#lingering) {
      const left = used + LINGER - performance.now();
      if (left > 0) return this.#endLater(left);
      this.#lingering.delete(state);
      stopWatching(this.#account, state);
    }
  }

  /** Lets nothing end the watching of a mailbox, or all of it that is gone. */
  stay(state: MailboxState): void {
    this.#lingering.delete(state);
  }

  /** Those of all mailboxes, while somebody watches the account. */
  addAll(): void {
    if (!this.#list.watch.active) return;
    let left = MOST;
    for (const state of this.#list.states()) {
      if (left-- === 0) return;
      this.add(state);
    }
  }

  /** Nobody watches the account any more. */
  releaseAll(): void {
    for (const state of this.#list.states()) if (state.handles === 0) this.release(state);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#lingering.clear();
    for (const state of this.#list.states()) stopWatching(this.#account, state);
  }
}

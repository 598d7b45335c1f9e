/** The mailboxes whose columns are in memory though nobody has them open. */

import type { MailboxState } from "./mailbox_state.ts";

/** Forgets columns of closed mailboxes, longest unused first, beyond a budget in bytes. */
export class LoadedMailboxes {
  readonly #budget: number;
  /** Closed mailboxes with the bytes counted for them, longest unused first. */
  readonly #closed = new Map<MailboxState, number>();
  #bytes = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** A mailbox was loaded, used or closed. */
  put(state: MailboxState): void {
    this.remove(state);
    if (state.handles > 0 || !state.columns) return;
    const { bytes } = state.columns;
    this.#closed.set(state, bytes);
    this.#bytes += bytes;
    this.#evict(state);
  }

  /** A mailbox was opened or deleted. */
  remove(state: MailboxState): void {
    this.#bytes -= this.#closed.get(state) ?? 0;
    this.#closed.delete(state);
  }

  #evict(spared: MailboxState): void {
    for (const state of this.#closed.keys()) {
      if (this.#bytes <= this.#budget) return;
      // What has just been loaded is about to be read.
      if (state === spared) continue;
      this.remove(state);
      state.columns = undefined;
    }
  }
}

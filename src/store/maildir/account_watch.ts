/** What becomes of an account while somebody watches all of it. */

import type { AccountNews, MessageChange } from "../store.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** Gathers what happened to mailboxes, and tells it in a later microtask, in the order of commits. */
export class AccountWatch {
  #tell: ((news: AccountNews) => void) | undefined;
  readonly #changed = new Map<MailboxState, Set<MessageChange>>();

  /** Somebody watches. */
  get active(): boolean {
    return this.#tell !== undefined;
  }

  /** Tells `tell` from now on; undefined tells nobody. */
  use(tell: ((news: AccountNews) => void) | undefined): void {
    this.#tell = tell;
    this.#changed.clear();
  }

  /** Messages of a mailbox changed, and that is committed. */
  changed(state: MailboxState, changes: readonly MessageChange[]): void {
    if (this.#tell === undefined || changes.length === 0) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#tellChanges());
    const known = this.#changed.get(state);
    if (known === undefined) this.#changed.set(state, new Set(changes));
    else for (const change of changes) known.add(change);
  }

  /** Another program made or removed a folder. */
  found(kind: "created" | "deleted", mailbox: string): void {
    this.#tell?.({ kind, mailbox });
  }

  #tellChanges(): void {
    const all = [...this.#changed];
    this.#changed.clear();
    for (const [{ name, gone }, changes] of all) {
      if (!gone) this.#tell?.({ kind: "messages", mailbox: name, changes });
    }
  }
}

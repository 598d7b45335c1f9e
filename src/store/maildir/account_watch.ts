/** What becomes of an account while somebody watches all of it. */

import type { AccountNews, MessageChange } from "../store.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** Gathers what happened to mailboxes, and tells it in a later microtask, in the order of commits. */
export class AccountWatch {
  #tell: ((news: AccountNews) => void) | undefined;
  readonly #changed = new Map<MailboxState, { changes: Set<MessageChange>; arrived: number }>();

  /** Somebody watches. */
  get active(): boolean {
    return this.#tell !== undefined;
  }

  /** Tells `tell` from now on; undefined tells nobody. */
  use(tell: ((news: AccountNews) => void) | undefined): void {
    this.#tell = tell;
    this.#changed.clear();
  }

  /** Messages of a mailbox changed, and that is committed. @param arrived how many are new */
  changed(state: MailboxState, change: MessageChange, arrived: number): void {
    if (this.#tell === undefined) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#tellChanges());
    const known = this.#changed.get(state) ?? { changes: new Set(), arrived: 0 };
    known.changes.add(change);
    known.arrived += arrived;
    this.#changed.set(state, known);
  }

  /** Another program made or removed a folder. */
  found(kind: "created" | "deleted", mailbox: string): void {
    this.#tell?.({ kind, mailbox });
  }

  #tellChanges(): void {
    const all = [...this.#changed];
    this.#changed.clear();
    for (const [{ name, gone }, { changes, arrived }] of all) {
      if (!gone) this.#tell?.({ kind: "messages", mailbox: name, changes, arrived });
    }
  }
}

/** The mailboxes of an account by name, in memory. */

import { type MailboxInfo, MAX_SUBSCRIPTIONS, StoreError } from "../store.ts";
import { AccountWatch } from "./account_watch.ts";
import type { MailboxState } from "./mailbox_state.ts";

/** Chars of a name that may be subscribed to, whether there is such a mailbox or not. */
const MAX_NAME = 1000;

/** Knows which mailboxes and parents there are, and who subscribes to what. */
export class MailboxList {
  readonly watch = new AccountWatch();
  readonly #states = new Map<string, MailboxState>();
  readonly #folders = new Map<string, MailboxState>();
  /** Number of mailboxes below each name. */
  readonly #below = new Map<string, number>();
  readonly #subscribed = new Set<string>();
  #infos: readonly MailboxInfo[] | undefined;
  #sortedSubscriptions: readonly string[] | undefined;

  get(name: string): MailboxState | undefined {
    return this.#states.get(name);
  }

  byFolder(folder: string): MailboxState | undefined {
    return this.#folders.get(folder);
  }

  /** Mailboxes, without mere parents. */
  get count(): number {
    return this.#states.size;
  }

  states(): Iterable<MailboxState> {
    return this.#states.values();
  }

  /** True for a mailbox, and for a mere parent of one. */
  has(name: string): boolean {
    return this.#states.has(name) || this.hasChildren(name);
  }

  hasChildren(name: string): boolean {
    return (this.#below.get(name) ?? 0) > 0;
  }

  /** The mailboxes below a name. */
  below(name: string): MailboxState[] {
    return [...this.#states.values()].filter((state) => state.name.startsWith(`${name}/`));
  }

  add(state: MailboxState): void {
    state.watch = this.watch;
    this.#states.set(state.name, state);
    this.#folders.set(state.folder, state);
    for (const parent of parentsOf(state.name)) {
      this.#below.set(parent, (this.#below.get(parent) ?? 0) + 1);
    }
    this.#infos = undefined;
  }

  remove(state: MailboxState): void {
    this.#states.delete(state.name);
    this.#folders.delete(state.folder);
    for (const parent of parentsOf(state.name)) {
      const left = (this.#below.get(parent) ?? 0) - 1;
      if (left > 0) this.#below.set(parent, left);
      else this.#below.delete(parent);
    }
    this.#infos = undefined;
  }

  subscribe(name: string): void {
    this.#subscribed.add(name);
    this.#forget();
  }

  unsubscribe(name: string): void {
    this.#subscribed.delete(name);
    this.#forget();
  }

  /** Says that the special uses of a mailbox changed. */
  usesChanged(): void {
    this.#infos = undefined;
  }

  /** Makes {@link infos} be made anew, after something about a mailbox changed. */
  #forget(): void {
    this.#infos = undefined;
    this.#sortedSubscriptions = undefined;
  }

  /**
   * Of what is not there, no client may leave any amount behind.
   *
   * @throws {StoreError} `bad-name`, `too-many`
   */
  assertSubscribable(name: string): void {
    if (this.#subscribed.has(name)) return;
    if (name.length > MAX_NAME) {
      throw new StoreError("bad-name", `Mailbox name must have at most ${MAX_NAME} chars`);
    }
    if (this.#subscribed.size >= MAX_SUBSCRIPTIONS) {
      throw new StoreError("too-many", `There may be at most ${MAX_SUBSCRIPTIONS} subscriptions`);
    }
  }

  subscriptions(): readonly string[] {
    return this.#sortedSubscriptions ??= [...this.#subscribed].sort();
  }

  info(name: string): MailboxInfo | undefined {
    if (!this.has(name)) return undefined;
    const state = this.#states.get(name);
    return {
      name,
      selectable: state !== undefined,
      hasChildren: this.hasChildren(name),
      subscribed: this.#subscribed.has(name),
      specialUse: state?.specialUse ?? [],
    };
  }

  infos(): readonly MailboxInfo[] {
    if (!this.#infos) {
      const names = new Set([...this.#states.keys(), ...this.#below.keys()]);
      names.delete("INBOX");
      const sorted = ["INBOX", ...[...names].sort()];
      this.#infos = sorted.flatMap((name) => this.info(name) ?? []);
    }
    return this.#infos;
  }
}

function parentsOf(name: string): string[] {
  const parents: string[] = [];
  for (let at = name.indexOf("/"); at >= 0; at = name.indexOf("/", at + 1)) {
    parents.push(name.slice(0, at));
  }
  return parents;
}

/** The handle that a session has of an open mailbox. */

import type { SearchedField } from "../../message/search_text.ts";
import type { TokenQuery } from "../../message/trigrams.ts";
import type { SortKeys } from "../../message/sort_keys.ts";
import type {
  AppendedUids,
  CachedItems,
  CopiedUids,
  ExpungedUids,
  FlagChange,
  Mailbox,
  MessageColumns,
  NewMessage,
  StoredFlags,
  StoredMessage,
  UidRanges,
} from "../store.ts";
import { StoreError } from "../store.ts";
import { type AccountContext, filePath, tell } from "./account_context.ts";
import { replace } from "./appending.ts";
import { refresh } from "./comparing.ts";
import { isMadeLater } from "./content_rows.ts";
import { copyMessages } from "./copying.ts";
import { expunge } from "./expunging.ts";
import { assertNoLink } from "./links.ts";
import { findFile } from "./locating.ts";
import type { MailboxState } from "./mailbox_state.ts";
import { openMessageFile } from "./message_file.ts";
import type { FileRow } from "./message_rows.ts";
import { prepare } from "./preparing.ts";
import { readSortKeys } from "./sorting.ts";
import type { SortKeyRow } from "./sort_key_rows.ts";
import { storeFlags, type StoreOptions } from "./storing.ts";
import { vanishedSince } from "./vanished.ts";
import { claimRecent } from "./write_back.ts";

/** What a handle asks of its account. */
export interface MailboxOwner {
  /** The mailbox of that name. @throws {StoreError} `no-mailbox` */
  find(name: string): Promise<MailboxState>;
  /** The folder of a mailbox is not there. */
  vanished(state: MailboxState): Promise<void>;
  /** One handle less. */
  release(state: MailboxState): void;
}

/** One session's handle of a mailbox; all handles share the {@link MailboxState}. */
export class MaildirMailbox implements Mailbox {
  readonly #account: AccountContext;
  readonly #owner: MailboxOwner;
  readonly #state: MailboxState;
  readonly #watches = new Set<() => void>();
  #closed = false;
  /** No link was found in this turn. */
  #linkless = false;

  constructor(account: AccountContext, owner: MailboxOwner, state: MailboxState) {
    this.#account = account;
    this.#owner = owner;
    this.#state = state;
  }

  get name(): string {
    return this.#state.name;
  }

  get uidValidity(): number {
    return this.#state.uidValidity;
  }

  get mailboxId(): string {
    return this.#state.mailboxId;
  }

  get uidNext(): number {
    return this.#state.uidNext;
  }

  get highestModseq(): number {
    return this.#state.highestModseq;
  }

  get firstRecent(): number {
    const { uidNext, firstRecent } = this.#state;
    return this.#account.hidesRecent ? uidNext : firstRecent;
  }

  get gone(): boolean {
    return this.#state.gone;
  }

  get readOnly(): boolean {
    return this.#account.readOnly;
  }

  get outdated(): boolean {
    return this.#state.outdated;
  }

  get messages(): MessageColumns {
    return this.#state.opened;
  }

  keywords(): readonly string[] {
    return this.#state.keywords.map((number) => this.#account.keywords.word(number));
  }

  keywordSet(set: number): readonly string[] {
    return this.#account.keywords.words(set);
  }

  watch(listener: () => void): () => void {
    const end = this.#state.listen(listener);
    this.#watches.add(end);
    return () => {
      this.#watches.delete(end);
      end();
    };
  }

  async refresh(): Promise<void> {
    const state = this.#state;
    if (state.gone) return;
    try {
      await refresh(this.#account, state);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "no-mailbox")) throw error;
      await this.#owner.vanished(state);
      if (!state.gone) await refresh(this.#account, state);
    }
  }

  claimRecent(): number {
    // Noted in any case: the file of a message that a session knows leaves `new`.
    const first = claimRecent(this.#account, this.#state);
    return this.#account.hidesRecent ? this.#state.uidNext : first;
  }

  prepare(uids: readonly number[], items?: readonly (keyof CachedItems)[]): Promise<void> {
    return prepare(this.#account, this.#state, uids, items);
  }

  // deno-lint-ignore require-await -- a failure is a rejection, whatever the driver
  async cached<K extends keyof CachedItems>(
    items: readonly K[],
    first: number,
    last: number,
  ): Promise<readonly (Pick<CachedItems, K> & { readonly uid: number })[]> {
    try {
      const { opened, id } = this.#state;
      const rows = this.#account.contents.cached(id, items, { first, last });
      let at = opened.lowerBound(first);
      const found = rows.filter(({ uid }) => {
        while (at < opened.count && opened.uids[at] < uid) at++;
        return at < opened.count && opened.uids[at] === uid;
      });
      const all = opened.lowerBound(last + 1) - opened.lowerBound(first);
      if (found.length < all && opened.unread.size === 0) this.#missed(items);
      return found;
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  /** Messages that have been read had no row. @throws {Error} unless there is a reason for that */
  #missed(items: readonly (keyof CachedItems)[]): void {
    // What is under way may have removed the rows already, and the messages not yet.
    if (items.some(isMadeLater) || !this.#account.writer.resting) return;
    throw new Error("The index is malformed: messages have no contents");
  }

  // deno-lint-ignore require-await -- a failure is a rejection, whatever the driver
  async withHeader(
    field: SearchedField,
    foldedNeedle: string,
    first: number,
    last: number,
  ): Promise<readonly number[]> {
    try {
      const { opened, id } = this.#state;
      return this.#account.contents.withHeader(id, field, foldedNeedle, { first, last })
        .filter((uid) => opened.indexOf(uid) >= 0);
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  // deno-lint-ignore require-await -- a failure is a rejection, whatever the driver
  async withObjectId(
    kind: "emailId" | "threadId",
    objectId: string,
    first: number,
    last: number,
  ): Promise<readonly number[]> {
    try {
      const { opened, id } = this.#state;
      const { contents } = this.#account;
      const found = kind === "emailId"
        ? contents.withEmailId(id, objectId, { first, last })
        : contents.withThreadId(id, objectId, { first, last });
      return found.filter((uid) => opened.indexOf(uid) >= 0);
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  async narrow(uids: readonly number[], query: TokenQuery): Promise<readonly number[]> {
    try {
      return await this.#account.textIndex?.narrow(this.#state, uids, query) ?? uids;
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  async sortKeys<K extends keyof SortKeys>(
    keys: readonly K[],
    first: number,
    last: number,
  ): Promise<readonly SortKeyRow<K>[]> {
    try {
      return await readSortKeys(this.#account, this.#state, keys, { first, last });
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  async read(uid: number, room?: Uint8Array): Promise<StoredMessage> {
    const state = this.#state;
    state.assertThere();
    if (state.opened.unread.has(uid)) await prepare(this.#account, state, [uid]);
    const at = state.opened.indexOf(uid);
    const row = at < 0 ? undefined : this.#fileOf(uid);
    if (!row || state.opened.unread.has(uid)) {
      // The index lost its row to damage: its file is a new message for the next comparison.
      if (at >= 0 && !row) state.inCur.mtime = 0;
      throw new StoreError("message-gone", "The message is gone");
    }
    this.#assertNoLink();
    const known = { size: state.opened.sizes[at], bareLf: row.bareLf, room };
    try {
      return openMessageFile(filePath(this.#account, state, row), known, state.wireOffsets);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "message-gone")) throw error;
      const found = await findFile(this.#account, state, row.base);
      state.inCur.mtime = 0; // another program renamed it: compare at the next refresh
      if (!found) throw error;
      return openMessageFile(filePath(this.#account, state, found), known, state.wireOffsets);
    }
  }

  /** Looks once in a turn of the event loop: who reads a thousand messages reads many in one. */
  #assertNoLink(): void {
    if (this.#linkless) return;
    assertNoLink(this.#account, this.#state);
    this.#linkless = true;
    setImmediate(() => this.#linkless = false);
  }

  #fileOf(uid: number): FileRow | undefined {
    try {
      return this.#account.messages.file(this.#state.id, uid);
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  async store(
    uids: readonly number[],
    change: FlagChange,
    options: StoreOptions = {},
  ): Promise<StoredFlags> {
    const stored = await storeFlags(this.#account, this.#state, uids, change, options);
    const messages = stored.modseq === 0 ? 0 : uids.length - stored.modified.length;
    tell(this.#account, "store", this.#state, messages);
    return stored;
  }

  async copy(uids: readonly number[], destination: string): Promise<CopiedUids> {
    this.#state.assertThere();
    const to = await this.#owner.find(destination);
    const copied = await copyMessages(this.#account, this.#state, uids, to, false);
    tell(this.#account, "copy", to, copied.destination.length);
    return copied;
  }

  async move(uids: readonly number[], destination: string): Promise<CopiedUids> {
    this.#state.assertThere();
    const to = await this.#owner.find(destination);
    const moved = await copyMessages(this.#account, this.#state, uids, to, true);
    tell(this.#account, "move", to, moved.destination.length);
    return moved;
  }

  async replace(uid: number, destination: string, message: NewMessage): Promise<AppendedUids> {
    const source = this.#state;
    const to = await this.#owner.find(destination);
    const appended = await replace(this.#account, to, message, { source, uid });
    tell(this.#account, "append", to, 1);
    tell(this.#account, "expunge", source, 1);
    return appended;
  }

  async expunge(uids?: readonly number[]): Promise<ExpungedUids> {
    const expunged = await expunge(this.#account, this.#state, uids);
    tell(this.#account, "expunge", this.#state, expunged.uids.length);
    return expunged;
  }

  // deno-lint-ignore require-await -- a failure is a rejection, whatever the driver
  async vanishedSince(modseq: number): Promise<UidRanges> {
    try {
      return vanishedSince(this.#account, this.#state, modseq);
    } catch (error) {
      throw this.#account.refusalOf(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#watches) end();
    this.#watches.clear();
    this.#owner.release(this.#state);
  }
}

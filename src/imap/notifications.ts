/** What a client is told by itself, since it asked for that by NOTIFY. @see RFC 5465 */

import { type AccountNews, type MessageChange, StoreError } from "../store/store.ts";
import type { EventGroup, EventName } from "../wire/notify_grammar.ts";
import { mailbox as mailboxText, statusLine } from "../wire/response.ts";
import type { Context, Output, Service } from "./command.ts";
import { CommandPace } from "./command_pace.ts";
import { tellMessages } from "./commands/fetch.ts";
import {
  changedItems,
  isWanted,
  NO_SELECTED_EVENTS,
  type OtherEvents,
  otherEvents,
  selectedGroup,
} from "./event_groups.ts";
import { LIST_FORM, listResponse, mailboxAttributes } from "./list_response.ts";
import { MetadataNews } from "./metadata_news.ts";
import type { Session, User } from "./session.ts";
import { statusResponse } from "./status_items.ts";
import type { DrainOptions, View } from "./view.ts";

/** What telling needs: all that a command has, but for its name. */
export type TellingContext = Omit<Context, "tag" | "command">;

/** Milliseconds between two tellings about mailboxes that are not selected: many changes are one. */
const PAUSE = 1000;

/** Mailboxes and names that may wait to be told of. */
const MOST_WAITING = 10_000;

/** What happened in a mailbox. */
interface Changes {
  /** Messages. */
  arrived: number;
  expunged: boolean;
  flags: boolean;
}

/** The listeners and the waiting news of one session. */
export class Notifications {
  /** Called when there is something to {@link tell}; set by whoever can write now. */
  onDue: () => void = () => {};
  readonly #session: Session;
  readonly #user: User;
  #selected: ReturnType<typeof selectedGroup>;
  #others: OtherEvents;
  readonly #ends: (() => void)[] = [];
  #endOfView: (() => void) | undefined;
  /** New messages up to this UID of the selected mailbox have been told of. */
  #fetched = 0;
  /** Changes of messages that others made, by mailbox. */
  readonly #changes = new Map<string, Changes>();
  /** Names to be listed, each with the name that it had before. */
  readonly #names = new Map<string, string | undefined>();
  #metadata: MetadataNews | undefined;
  /** Messages that the client itself put into the selected mailbox. */
  readonly #made = new Set<number>();
  #selectedDue = false;
  #othersDue = false;
  #overflown = false;
  #lastTold = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param groups none: the client wants to hear nothing */
  constructor(groups: readonly EventGroup[], session: Session, user: User, service: Service) {
    this.#session = session;
    this.#user = user;
    this.#selected = selectedGroup(groups);
    this.#others = otherEvents(groups, session);
    if (this.#others.size > 0) {
      this.#ends.push(user.account.watch((news) => this.#heard(news)));
    }
    if (METADATA_EVENTS.some((event) => this.#others.has(event))) {
      const metadata = new MetadataNews(
        session,
        user,
        service,
        (name) => this.#wantsMetadata(name),
      );
      this.#metadata = metadata;
      this.#ends.push(metadata.listen(() => this.#soon()), () => metadata.close());
    }
    if (session.state.name === "selected") this.selected(session.state.view);
  }

  /** There is something to {@link tell}. */
  get due(): boolean {
    return this.#selectedDue || this.#othersDue;
  }

  /** Whether some group asks for that event of a mailbox that is not selected. */
  wants(mailbox: string, event: EventName): boolean {
    return isWanted(this.#others, this.#user.account, mailbox, event);
  }

  /** A mailbox was selected. */
  selected(view: View): void {
    this.#fetched = lastUid(view);
    this.#selectedDue = false;
    if (this.#selected.events.size === 0) return;
    this.#endOfView = view.mailbox.watch(() => {
      this.#selectedDue = true;
      this.onDue();
    });
  }

  /** The selected mailbox is left. What the client does not know of it yet, it is told as of others. */
  left(view: View): void {
    this.#endOfView?.();
    this.#endOfView = undefined;
    this.#selectedDue = false;
    if (!view.mailbox.gone && !view.stale) this.#changes.delete(view.mailbox.name);
    else if (this.#changes.size > 0) this.#soon();
  }

  /** The client itself put these messages there, and so knows of them. @see RFC 5465 §5, §5.2 */
  made(mailbox: string, uids: readonly number[]): void {
    const { state } = this.#session;
    if (state.name === "selected" && state.view.mailbox.name === mailbox) {
      for (const uid of uids) this.#made.add(uid);
    }
    const changes = this.#changes.get(mailbox);
    if (changes !== undefined) changes.arrived -= uids.length;
  }

  /**
   * Tells as much of the selected mailbox as the client asked for.
   *
   * @param removed the client itself removed messages, and hears of that in any case
   */
  drain(
    view: View,
    out: Output,
    options: DrainOptions,
    removed = false,
  ): Promise<void> | undefined {
    const { events } = this.#selected;
    if (events.size === 0 && !removed) return undefined;
    const silentFlags = !events.has("FlagChange");
    const rest = view.tell(out, { ...options, withUid: true, silentFlags });
    const look = () => {
      if (events.size > 0 && lastUid(view) > this.#fetched) this.#selectedDue = true;
    };
    look();
    return rest?.then(look);
  }

  /** Tells what is due, and flushes. @param command a command runs that allows EXPUNGE, as IDLE does */
  async tell(context: TellingContext, command: boolean): Promise<void> {
    await this.#tellSelected(context, command || !this.#selected.delayed);
    if (this.#othersDue) await this.#tellOthers(context);
    await context.out.flush();
  }

  /** Ends it all. */
  close(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#endOfView?.();
    this.#endOfView = undefined;
    clearTimeout(this.#timer);
    this.#selectedDue = this.#othersDue = false;
  }

  async #tellSelected(context: TellingContext, expunges: boolean): Promise<void> {
    const { session, out } = context;
    this.#selectedDue = false;
    if (session.state.name !== "selected") return;
    const { user, view } = session.state;
    // FETCH follows what the results of searches have become. @see RFC 5465 §5.2
    await this.drain(view, out, { session, expunges, withUid: true });
    this.#selectedDue = false;
    const fresh = this.#unfetched(view);
    if (fresh.length === 0 || this.#selected.items.length === 0) return;
    const whole = { ...context, user, view, byUid: true, tag: "*", command: "NOTIFY" };
    await tellMessages(whole, this.#selected.items, fresh);
  }

  /** UIDs of messages that the client learned of by EXISTS alone, ascending. */
  #unfetched(view: View): readonly number[] {
    const uids: number[] = [];
    for (let seq = view.count; seq > 0 && view.uidOf(seq) > this.#fetched; seq--) {
      uids.push(view.uidOf(seq));
    }
    this.#fetched = Math.max(this.#fetched, uids[0] ?? 0);
    const fresh = uids.filter((uid) => !this.#made.has(uid));
    this.#made.clear();
    return fresh.reverse();
  }

  #heard(news: AccountNews): void {
    switch (news.kind) {
      case "messages":
        return this.#heardOfMessages(news.mailbox, news.changes, news.arrived);
      case "unknown":
        for (const { name, selectable } of this.#user.account.list()) {
          if (selectable) this.#heardOfMessages(name, ["expunged", "flags"], 0);
        }
        return;
      case "subscription":
        return this.#heardOfName(news, "SubscriptionChange");
      case "renamed":
        return this.#heardOfName(news, "MailboxName", news.from);
      case "created":
      case "deleted":
        this.#heardOfName(news, "MailboxName");
        return this.#heardOfName({ ...news, mailbox: parentOf(news.mailbox) }, "MailboxName");
    }
  }

  #heardOfMessages(mailbox: string, changes: Iterable<MessageChange>, arrived: number): void {
    const wanted = [...changes].filter((change) => this.wants(mailbox, EVENT_OF[change]));
    if (wanted.length === 0) return;
    const known = this.#changes.get(mailbox) ?? { arrived: 0, expunged: false, flags: false };
    if (wanted.includes("arrived")) known.arrived += arrived;
    if (wanted.includes("expunged")) known.expunged = true;
    if (wanted.includes("flags")) known.flags = true;
    this.#changes.set(mailbox, known);
    this.#soon();
  }

  #heardOfName(
    { mailbox, by }: { readonly mailbox: string; readonly by?: object },
    event: EventName,
    from?: string,
  ): void {
    if (by === this.#session || mailbox === "") return;
    if (!this.wants(mailbox, event) && !(from !== undefined && this.wants(from, event))) return;
    this.#names.set(mailbox, from ?? this.#names.get(mailbox));
    this.#soon();
  }

  #wantsMetadata(mailbox: string): boolean {
    return mailbox === ""
      ? this.#others.has("ServerMetadataChange")
      : this.wants(mailbox, "MailboxMetadataChange");
  }

  /** Has other mailboxes be told of, but not again within a moment. */
  #soon(): void {
    if (this.#changes.size + this.#names.size > MOST_WAITING) this.#overflown = true;
    if (this.#timer !== undefined || this.#othersDue) return;
    const wait = this.#lastTold + PAUSE - performance.now();
    if (wait <= 0) return this.#ring();
    this.#timer = setTimeout(() => this.#ring(), wait);
    this.#timer.unref?.();
  }

  #ring(): void {
    this.#timer = undefined;
    this.#othersDue = true;
    this.onDue();
  }

  async #tellOthers(context: TellingContext): Promise<void> {
    this.#othersDue = false;
    this.#lastTold = performance.now();
    if (this.#overflown) return this.#tellOverflow(context.out);
    this.#tellNames(context);
    this.#tellMetadata(context);
    const { state } = context.session;
    const selected = state.name === "selected" ? state.view.mailbox.name : undefined;
    const pace = new CommandPace(context.dialogue);
    for (const [mailbox, changes] of [...this.#changes]) {
      // It is told of by its view; once it is left, perhaps here.
      if (mailbox === selected) continue;
      this.#changes.delete(mailbox);
      const messages = changes.arrived > 0 || changes.expunged;
      if (!messages && !changes.flags) continue;
      context.out.text(await this.#statusOf(context, mailbox, messages));
      if (context.out.full) await context.out.flush();
      if (pace.due()) await pace.turn();
    }
  }

  /** @see RFC 5465 §5.8 */
  #tellOverflow(out: Output): void {
    this.close();
    this.#selected = NO_SELECTED_EVENTS;
    this.#others = new Map();
    this.#changes.clear();
    this.#names.clear();
    const text = "Too much happened at once, ask again by NOTIFY";
    out.text(statusLine("*", "OK", text, "NOTIFICATIONOVERFLOW"));
  }

  #tellNames({ out, session }: TellingContext): void {
    const { account } = this.#user;
    const names = [...this.#names];
    this.#names.clear();
    for (const [name, from] of names) {
      const info = account.info(name);
      const subscribed = info?.subscribed ?? account.subscriptions().includes(name);
      const attributes = mailboxAttributes(info, "\\NonExistent", LIST_FORM);
      if (subscribed) attributes.push("\\Subscribed");
      const old = from === undefined ? "" : ` ("OLDNAME" (${mailboxText(from, session.utf8)}))`;
      out.text(listResponse("LIST", attributes, name, session.utf8, old));
    }
  }

  /** Once, also for who enabled METADATA and so hears of all of it. @see RFC 5465 §5.6, §5.7 */
  #tellMetadata({ out, session }: TellingContext): void {
    if (session.metadataNews === undefined) return this.#metadata?.tell(out);
    session.metadataNews.tell(out);
    this.#metadata?.clear();
  }

  /** A mailbox that is gone meanwhile has no STATUS. */
  async #statusOf(
    { session, service, log }: TellingContext,
    mailbox: string,
    messages: boolean,
  ): Promise<string> {
    // A message that comes or goes changes how many are unseen, too.
    const flags = this.wants(mailbox, "FlagChange");
    const items = changedItems(messages, flags, session.condstore);
    try {
      const status = await this.#user.account.status(mailbox);
      return statusResponse(mailbox, items, status, { service, session });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code !== "no-mailbox") log.warn("cannot tell of a mailbox", { mailbox });
      return "";
    }
  }
}

const METADATA_EVENTS = ["MailboxMetadataChange", "ServerMetadataChange"] as const;

/** What a client has to ask for, to be told of a change. */
const EVENT_OF: Readonly<Record<MessageChange, EventName>> = {
  arrived: "MessageNew",
  expunged: "MessageExpunge",
  flags: "FlagChange",
};

function lastUid(view: View): number {
  return view.count === 0 ? 0 : view.uidOf(view.count);
}

/** "" if there is none. */
function parentOf(mailbox: string): string {
  return mailbox.slice(0, Math.max(0, mailbox.lastIndexOf("/")));
}

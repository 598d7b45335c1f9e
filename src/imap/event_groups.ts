/** What a client asked by NOTIFY to be told of which mailbox. @see RFC 5465 §6 */

import type { Account } from "../store/store.ts";
import type { StatusItem } from "../wire/list_grammar.ts";
import { isOfSelected } from "../wire/mailbox_filter.ts";
import type { EventGroup, EventName } from "../wire/notify_grammar.ts";
import { mailboxName } from "../wire/mailbox_name.ts";
import { type Choice, choiceOf, type NamedFilter } from "./filtered_mailboxes.ts";
import type { Session } from "./session.ts";

/** Events of mailboxes that are not selected, and of which of them. */
export type OtherEvents = ReadonlyMap<EventName, Choice>;

/** What a client wants to hear of its selected mailbox. */
export type SelectedGroup = Pick<EventGroup, "events" | "items"> & {
  /** EXPUNGE waits for a command that allows it. */
  readonly delayed: boolean;
};

/** Nothing at all. */
export const NO_SELECTED_EVENTS: SelectedGroup = { events: new Set(), items: [], delayed: true };

/** The group about the selected mailbox; without one nothing is to be told of it. */
export function selectedGroup(groups: readonly EventGroup[]): SelectedGroup {
  for (const { filter, events, items } of groups) {
    if (isOfSelected(filter)) return { events, items, delayed: filter.kind !== "selected" };
  }
  return NO_SELECTED_EVENTS;
}

/** What the groups ask of other mailboxes. A name that no mailbox can have is passed over. */
export function otherEvents(groups: readonly EventGroup[], session: Session): OtherEvents {
  const filters = new Map<EventName, NamedFilter[]>();
  for (const { filter, events } of groups) {
    if (isOfSelected(filter)) continue;
    const spelled = "names" in filter ? filter.names : [];
    const names = spelled.flatMap((name) => mailboxName(name, session.utf8) ?? []);
    for (const event of events) {
      const known = filters.get(event) ?? [];
      known.push({ kind: filter.kind, names });
      filters.set(event, known);
    }
  }
  return new Map(Array.from(filters, ([event, some]) => [event, choiceOf(some, session)]));
}

/** Whether that event of that mailbox was asked for. */
export function isWanted(
  events: OtherEvents,
  account: Account,
  mailbox: string,
  event: EventName,
): boolean {
  // Subscriptions are looked up each time, since they change. @see RFC 5465 §6.4
  const info = {
    name: mailbox,
    get subscribed() {
      return account.info(mailbox)?.subscribed ?? account.subscriptions().includes(mailbox);
    },
  };
  return events.get(event)?.(info) ?? false;
}

/** What the first STATUS of a mailbox tells. @see RFC 5465 §3.1 */
export function firstItems(wants: (event: EventName) => boolean): readonly StatusItem[] {
  const items: StatusItem[] = [];
  if (wants("MessageNew")) items.push("MESSAGES", "UIDNEXT", "UIDVALIDITY");
  if (wants("FlagChange")) items.push("HIGHESTMODSEQ");
  return items;
}

/** What the STATUS tells of a mailbox in which something happened. @see RFC 5465 §5.1 to §5.3 */
export function changedItems(
  messages: boolean,
  flags: boolean,
  condstore: boolean,
): readonly StatusItem[] {
  return [
    ...messages ? ["MESSAGES", "UIDNEXT"] as const : [],
    ...flags ? ["UIDVALIDITY", "UNSEEN"] as const : [],
    ...condstore ? ["HIGHESTMODSEQ"] as const : [],
  ];
}

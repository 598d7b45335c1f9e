/** What a client asked by NOTIFY to be told of which mailbox. @see RFC 5465 §6 */

import type { Account } from "../store/store.ts";
import type { StatusItem } from "../wire/list_grammar.ts";
import type { EventGroup, EventName, MailboxFilter } from "../wire/notify_grammar.ts";
import { mailboxName } from "../wire/mailbox_name.ts";
import type { Session } from "./session.ts";

/** A filter with names as stores have them. */
type Filter = Exclude<MailboxFilter, { readonly kind: "selected" }>;

/** Events of mailboxes that are not selected. */
export interface OtherGroup {
  readonly filter: Filter;
  readonly events: ReadonlySet<EventName>;
}

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
    if (filter.kind === "selected") return { events, items, delayed: filter.delayed };
  }
  return NO_SELECTED_EVENTS;
}

/** The groups about other mailboxes. A name that no mailbox can have is passed over. */
export function otherGroups(groups: readonly EventGroup[], session: Session): OtherGroup[] {
  return groups.flatMap<OtherGroup>(({ filter, events }) => {
    if (filter.kind === "selected" || events.size === 0) return [];
    if (!("names" in filter)) return [{ filter, events }];
    const names = filter.names.flatMap((name) => mailboxName(name, session.utf8) ?? []);
    return [{ filter: { kind: filter.kind, names }, events }];
  });
}

/** Whether some group asks for that event of that mailbox. */
export function isWanted(
  groups: readonly OtherGroup[],
  account: Account,
  mailbox: string,
  event: EventName,
): boolean {
  return groups.some(({ filter, events }) =>
    events.has(event) && matches(filter, account, mailbox)
  );
}

/** Subscriptions are looked up each time, since they change. @see RFC 5465 §6.4 */
function matches(filter: Filter, account: Account, mailbox: string): boolean {
  switch (filter.kind) {
    // Deliveries can go to any mailbox.
    case "inboxes":
    case "personal":
      return true;
    case "subscribed":
      return account.info(mailbox)?.subscribed ?? account.subscriptions().includes(mailbox);
    case "subtree":
      return filter.names.some((name) => mailbox === name || mailbox.startsWith(`${name}/`));
    case "mailboxes":
      return filter.names.includes(mailbox);
  }
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

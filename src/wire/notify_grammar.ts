/** NOTIFY. @see RFC 5465 §8 */

import { type FetchItem, fetchItems } from "./fetch_grammar.ts";
import { isOfSelected, type MailboxFilter, mailboxFilter } from "./mailbox_filter.ts";
import type { Scanner } from "./scanner.ts";

/** What there is to be told of, as the RFC spells it. */
export const EVENT_NAMES = [
  "MessageNew",
  "MessageExpunge",
  "FlagChange",
  "AnnotationChange",
  "MailboxName",
  "SubscriptionChange",
  "MailboxMetadataChange",
  "ServerMetadataChange",
] as const;

export type EventName = typeof EVENT_NAMES[number];

const EVENTS: ReadonlyMap<string, EventName> = new Map(
  EVENT_NAMES.map((name) => [name.toUpperCase(), name]),
);

const MESSAGE_EVENTS: ReadonlySet<string> = new Set<EventName>([
  "MessageNew",
  "MessageExpunge",
  "FlagChange",
  "AnnotationChange",
]);

/** What is to be told of some mailboxes; nothing if there are no events. */
export interface EventGroup {
  readonly filter: MailboxFilter;
  readonly events: ReadonlySet<EventName>;
  /** Events that no RFC of ours knows. */
  readonly unknown: readonly string[];
  /** What a FETCH response tells of new messages. */
  readonly items: readonly FetchItem[];
}

/** NOTIFY @see RFC 5465 §3.1 */
export interface NotifyArgs {
  /** A STATUS response of each mailbox first. */
  readonly status: boolean;
  /** None for `NOTIFY NONE`. */
  readonly groups: readonly EventGroup[];
}

/**
 * notify = "NOTIFY" SP (notify-set / notify-none)
 *
 * notify-set = "SET" [status-indicator] SP event-groups
 *
 * notify-none = "NONE"
 *
 * event-groups = event-group *(SP event-group)
 */
export function notifyArgs(s: Scanner): NotifyArgs {
  s.space();
  if (s.takeKeyword("NONE")) {
    s.end();
    return { status: false, groups: [] };
  }
  if (!s.takeKeyword("SET")) throw s.fault("SET or NONE");
  s.space();
  const status = s.takeKeyword("STATUS");
  if (status) s.space();
  const start = s.position;
  const groups = s.separated(" ", eventGroup);
  if (groups.filter(({ filter }) => isOfSelected(filter)).length > 1) {
    throw s.fault("one of SELECTED and SELECTED-DELAYED, once", start);
  }
  s.end();
  return { status, groups };
}

/** event-group = "(" filter-mailboxes SP events ")" */
function eventGroup(s: Scanner): EventGroup {
  s.expect("(");
  const filter = mailboxFilter(s);
  s.space();
  const start = s.position;
  const group = { filter, ...events(s) };
  s.expect(")");
  const problem = problemOf(group);
  if (problem !== undefined) throw s.fault(problem, start);
  return group;
}

/** What should have been there instead of a group that means nothing. @see RFC 5465 §5, §6.1 */
function problemOf({ filter, events, unknown, items }: EventGroup): string | undefined {
  const has = (name: EventName) => events.has(name);
  if (has("MessageNew") !== has("MessageExpunge")) {
    return "MessageNew and MessageExpunge together";
  }
  if ((has("FlagChange") || has("AnnotationChange")) && !has("MessageNew")) {
    return "MessageNew and MessageExpunge besides changes of flags";
  }
  if (!isOfSelected(filter)) {
    return items.length > 0 ? "no FETCH items but for the selected mailbox" : undefined;
  }
  if (unknown.length === 0 && ![...events].every((name) => MESSAGE_EVENTS.has(name))) {
    return "only events of messages for the selected mailbox";
  }
  return undefined;
}

type Events = Omit<EventGroup, "filter">;

/**
 * events = ("(" event *(SP event) ")") / "NONE"
 *
 * The examples of RFC 5465 leave the parentheses out, and so may clients.
 */
function events(s: Scanner): Events {
  if (s.takeKeyword("NONE")) return { events: new Set(), unknown: [], items: [] };
  const named = s.peek() === "(" ? s.list(event) : s.separated(" ", event);
  return {
    events: new Set(named.flatMap(({ name }) => EVENTS.get(name) ?? [])),
    unknown: named.map(({ name }) => name).filter((name) => !EVENTS.has(name)),
    items: named.flatMap(({ items }) => items),
  };
}

/** event = message-event / mailbox-event / user-event / event-ext */
function event(s: Scanner): { readonly name: string; readonly items: readonly FetchItem[] } {
  const name = s.atom("an event").toUpperCase();
  const hasItems = name === "MESSAGENEW" && s.take(" (");
  if (!hasItems) return { name, items: [] };
  const items = s.separated(" ", fetchItems).flat();
  s.expect(")");
  return { name, items };
}

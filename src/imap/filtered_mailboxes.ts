/** Mailboxes that filters choose. @see RFC 5465 §6, RFC 7377 §2.2 */

import type { MailboxFilter } from "../wire/mailbox_filter.ts";
import type { Account, MailboxInfo } from "../store/store.ts";
import { mailboxArgument } from "./mailbox_argument.ts";
import type { Session } from "./session.ts";

/** Is the mailbox chosen? */
export type Choice = (mailbox: Pick<MailboxInfo, "name" | "subscribed">) => boolean;

const CHOICES: {
  readonly [Kind in MailboxFilter["kind"]]: (
    names: ReadonlySet<string>,
    session: Session,
  ) => Choice;
} = {
  "selected": (_, session) => isSelected(session),
  "selected-delayed": (_, session) => isSelected(session),
  // By ann+lists@example.org mail is delivered to any of them. @see RFC 5465 §6.3
  "inboxes": () => () => true,
  "personal": () => () => true,
  "subscribed": () => ({ subscribed }) => subscribed,
  "subtree": (names) => ({ name }) => ancestorsAndSelf(name).some((each) => names.has(each)),
  "subtree-one": (names) => ({ name }) => names.has(name) || names.has(parentOf(name)),
  "mailboxes": (names) => ({ name }) => names.has(name),
};

function isSelected({ state }: Session): Choice {
  return ({ name }) => state.name === "selected" && state.view.mailbox.name === name;
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

function ancestorsAndSelf(name: string): string[] {
  const names = [name];
  for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
    names.push(name.slice(0, at));
  }
  return names;
}

/** A filter whose names are as stores have them. */
export interface NamedFilter {
  readonly kind: MailboxFilter["kind"];
  readonly names: readonly string[];
}

/** What any of the filters chooses; however many they are, each kind is one look. */
export function choiceOf(filters: readonly NamedFilter[], session: Session): Choice {
  const namesOf = new Map<MailboxFilter["kind"], Set<string>>();
  for (const { kind, names } of filters) {
    const all = namesOf.get(kind) ?? new Set();
    for (const name of names) all.add(name);
    namesOf.set(kind, all);
  }
  const choices = Array.from(namesOf, ([kind, names]) => CHOICES[kind](names, session));
  return (mailbox) => choices.some((chooses) => chooses(mailbox));
}

/**
 * Names of the mailboxes that any of the filters chooses and that can be selected, each once, in
 * the order of LIST. Those that do not exist are passed over.
 *
 * @throws {Refusal} for what is no name
 */
export function filteredMailboxes(
  filters: readonly MailboxFilter[],
  account: Account,
  session: Session,
): readonly string[] {
  const named = filters.map((filter) => {
    const names = "names" in filter ? filter.names : [];
    return { kind: filter.kind, names: names.map((name) => mailboxArgument(name, session)) };
  });
  const chooses = choiceOf(named, session);
  return account.list()
    .filter((info) => info.selectable && chooses(info))
    .map(({ name }) => name);
}

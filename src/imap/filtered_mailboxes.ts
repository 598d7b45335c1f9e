/** Mailboxes that filters choose. @see RFC 5465 §6, RFC 7377 §2.2 */

import type { MailboxFilter } from "../wire/mailbox_filter.ts";
import type { Account, MailboxInfo } from "../store/store.ts";
import { mailboxArgument } from "./mailbox_argument.ts";
import type { Session } from "./session.ts";

/** Does a filter choose the mailbox? */
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

/** What a filter chooses. @param names those that it has, as stores have them */
export function choiceOf(
  { kind }: MailboxFilter,
  names: readonly string[],
  session: Session,
): Choice {
  return CHOICES[kind](new Set(names), session);
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
  const choices = filters.map((filter) => {
    const names = "names" in filter ? filter.names : [];
    return choiceOf(filter, names.map((name) => mailboxArgument(name, session)), session);
  });
  return account.list()
    .filter((info) => info.selectable && choices.some((chooses) => chooses(info)))
    .map(({ name }) => name);
}

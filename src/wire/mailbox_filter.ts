/** Choices of mailboxes by which a client names many at once. @see RFC 5465 §8, RFC 7377 §4 */

import { mailbox } from "./grammar.ts";
import type { Scanner } from "./scanner.ts";

/** The mailbox that is selected, whichever that is. */
export interface SelectedFilter {
  readonly kind: "selected" | "selected-delayed";
}

/** Which mailboxes a command is about. @see RFC 5465 §6, RFC 7377 §2.2 */
export type MailboxFilter =
  | SelectedFilter
  | { readonly kind: "inboxes" | "personal" | "subscribed" }
  /** Names as the client spelled them. */
  | {
    readonly kind: "subtree" | "subtree-one" | "mailboxes";
    readonly names: readonly string[];
  };

const FILTERS: { readonly [Kind in MailboxFilter["kind"]]: (s: Scanner) => MailboxFilter } = {
  "selected": () => ({ kind: "selected" }),
  "selected-delayed": () => ({ kind: "selected-delayed" }),
  "inboxes": () => ({ kind: "inboxes" }),
  "personal": () => ({ kind: "personal" }),
  "subscribed": () => ({ kind: "subscribed" }),
  "subtree": (s) => ({ kind: "subtree", names: oneOrMoreMailboxes(s) }),
  "subtree-one": (s) => ({ kind: "subtree-one", names: oneOrMoreMailboxes(s) }),
  "mailboxes": (s) => ({ kind: "mailboxes", names: oneOrMoreMailboxes(s) }),
};

/**
 * filter-mailboxes = "selected" / "selected-delayed" / "inboxes" / "personal" / "subscribed" /
 *   ("subtree" / "subtree-one" / "mailboxes") SP one-or-more-mailbox
 *
 * @param allowed kinds that the command takes, all of them by default
 */
export function mailboxFilter(
  s: Scanner,
  allowed?: ReadonlySet<MailboxFilter["kind"]>,
): MailboxFilter {
  const start = s.position;
  const wanted = "a choice of mailboxes";
  const kind = s.atom(wanted).toLowerCase();
  if (!isKind(kind) || allowed?.has(kind) === false) throw s.fault(wanted, start);
  return FILTERS[kind](s);
}

/** Whether it is about the selected mailbox alone. */
export function isOfSelected(filter: MailboxFilter): filter is SelectedFilter {
  return filter.kind === "selected" || filter.kind === "selected-delayed";
}

function isKind(word: string): word is MailboxFilter["kind"] {
  return Object.hasOwn(FILTERS, word);
}

/** SP one-or-more-mailbox; one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
function oneOrMoreMailboxes(s: Scanner): readonly string[] {
  s.space();
  return s.peek() === "(" ? s.list(mailbox) : [mailbox(s)];
}

/** ESEARCH, the command. @see RFC 7377 §4 */

import { type MailboxFilter, mailboxFilter } from "./mailbox_filter.ts";
import type { Scanner } from "./scanner.ts";
import { type SearchArgs, searchArgsHere } from "./search_grammar.ts";

/** ESEARCH @see RFC 7377 §2 */
export interface EsearchArgs extends SearchArgs {
  /** Absent: the selected mailbox. */
  readonly sources?: readonly MailboxFilter[];
}

/** A search in the background of another (`selected-delayed`) makes no sense. @see RFC 7377 §2.2 */
const SOURCES: ReadonlySet<MailboxFilter["kind"]> = new Set([
  "selected",
  "inboxes",
  "personal",
  "subscribed",
  "subtree",
  "subtree-one",
  "mailboxes",
]);

/**
 * esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
 *
 * esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"
 *
 * source-mbox = filter-mailboxes *(SP filter-mailboxes)
 *
 * No scope option is defined as yet, so none is taken.
 *
 * @throws {UnknownCharset}
 * @see RFC 7377 §4
 */
export function esearchArgs(s: Scanner): EsearchArgs {
  s.space();
  if (!s.takeKeyword("IN")) return searchArgsHere(s);
  s.space();
  const sources = s.list((s) => mailboxFilter(s, SOURCES));
  s.space();
  return { ...searchArgsHere(s), sources };
}

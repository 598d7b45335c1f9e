/** SEARCH and its UID form. */

import type { ReturnOption } from "../../wire/return_options.ts";
import type { SearchArgs } from "../../wire/search_grammar.ts";
import { bad, type Completion } from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { runSearching } from "../searching.ts";

const RETURN_ALL: readonly ReturnOption[] = [{ name: "ALL" }];

/**
 * IMAP4rev2 has no `* SEARCH` any more, UTF8=ACCEPT no charset but its own.
 *
 * @see RFC 9051 §6.4.4, RFC 6855 §3
 */
export function search(
  context: SelectedContext,
  { key, namesCharset, returns }: SearchArgs,
): Promise<Completion> | Completion {
  if (namesCharset && context.session.enabled.has("UTF8=ACCEPT")) {
    return bad("Expected no CHARSET once UTF8=ACCEPT is enabled");
  }
  return runSearching(context, {
    key,
    returns: returns ?? (context.session.rev2 ? RETURN_ALL : undefined),
    oldForm: (numbers) => ["* SEARCH", ...numbers].join(" "),
  });
}

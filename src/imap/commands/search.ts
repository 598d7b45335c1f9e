/** SEARCH and its UID form. */

import type { ReturnOption } from "../../wire/return_options.ts";
import type { SearchArgs } from "../../wire/search_grammar.ts";
import type { Completion } from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { runSearching } from "../searching.ts";

const RETURN_ALL: readonly ReturnOption[] = [{ name: "ALL" }];

/** IMAP4rev2 has no `* SEARCH` any more. @see RFC 9051 §6.4.4 */
export function search(
  context: SelectedContext,
  { key, returns }: SearchArgs,
): Promise<Completion> {
  return runSearching(context, {
    key,
    returns: returns ?? (context.session.rev2 ? RETURN_ALL : undefined),
    oldForm: (numbers) => ["* SEARCH", ...numbers].join(" "),
  });
}

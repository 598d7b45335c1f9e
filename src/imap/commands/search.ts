/** SEARCH and its UID form. */

import type { ReturnOption } from "../../wire/return_options.ts";
import type { SearchArgs } from "../../wire/search_grammar.ts";
import type { Completion } from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { charsetRefusal, runSearching } from "../searching.ts";

const RETURN_ALL: readonly ReturnOption[] = [{ name: "ALL" }];

/**
 * IMAP4rev2 has no `* SEARCH` any more.
 *
 * @see RFC 9051 §6.4.4
 */
export function search(
  context: SelectedContext,
  args: SearchArgs,
): Promise<Completion> | Completion {
  return charsetRefusal(context.session, args) ?? runSearching(context, {
    key: args.key,
    returns: args.returns ?? (context.session.rev2 ? RETURN_ALL : undefined),
    oldForm: (numbers) => ["* SEARCH", ...numbers].join(" "),
  });
}

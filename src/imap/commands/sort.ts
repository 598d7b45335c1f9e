/** SORT and THREAD, and their UID forms. */

import type { SortArgs, ThreadArgs } from "../../wire/sort_grammar.ts";
import { type Completion, ok } from "../../wire/response.ts";
import { threadList } from "../../wire/thread_response.ts";
import type { SelectedContext } from "../command.ts";
import { withoutFilters } from "../filters.ts";
import { searchedWithinLimit, withLimitCode } from "../message_limit.ts";
import { evaluate, usesModseq } from "../search_keys.ts";
import { runSearching, scopeOf } from "../searching.ts";
import { sortMessages } from "../sort_keys.ts";
import { threadMessages } from "../threads.ts";
import { enableCondstore } from "../condstore.ts";

/** @see RFC 5256 §3, RFC 5267 §3 */
export function sort(
  context: SelectedContext,
  { key, returns, criteria }: SortArgs,
): Promise<Completion> {
  return runSearching(context, {
    key,
    returns,
    scored: criteria.some(({ key }) => key === "RELEVANCY"),
    order: (found, scope) => sortMessages(found, criteria, scope, context.service.keyMemory),
    oldForm: (numbers) => ["* SORT", ...numbers].join(" "),
  });
}

/** @see RFC 5256 §3 */
export async function thread(
  context: SelectedContext,
  { key: asked, algorithm }: ThreadArgs,
): Promise<Completion> {
  const { view, service, out, byUid } = context;
  const scope = scopeOf(context);
  const key = await withoutFilters(asked, scope.annotation);
  if (usesModseq(key)) enableCondstore(context);
  const { seqs, code } = searchedWithinLimit(key, view, service);
  const found = await evaluate(key, scope, seqs);
  const threads = await threadMessages(found, algorithm, scope, service.keyMemory);
  const numberOf = (at: number) => byUid ? view.uidOf(found[at]) : found[at];
  out.text(threads.length === 0 ? "* THREAD" : "* THREAD ");
  for (const each of threads) {
    out.text(threadList(each, numberOf));
    if (out.full) await out.flush();
  }
  out.text("\r\n");
  return withLimitCode(ok(`${context.command} completed`), code, out);
}

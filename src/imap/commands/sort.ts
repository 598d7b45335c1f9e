/** SORT and THREAD, and their UID forms. */

import type { SortArgs, ThreadArgs } from "../../wire/sort_grammar.ts";
import { type Completion, no, ok } from "../../wire/response.ts";
import { threadList } from "../../wire/thread_response.ts";
import type { SelectedContext } from "../command.ts";
import { withoutFilters } from "../filters.ts";
import { searchedWithinLimit } from "../message_limit.ts";
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

/** Threads need all of their messages, so there are none of a part. @see RFC 5256 §3, RFC 9738 §3.3 */
export async function thread(
  context: SelectedContext,
  { key: asked, algorithm }: ThreadArgs,
): Promise<Completion> {
  const { view, service, out, byUid } = context;
  const scope = scopeOf(context);
  const key = await withoutFilters(asked, scope.annotation);
  if (usesModseq(key)) enableCondstore(context);
  const { code } = searchedWithinLimit(key, view, service);
  if (code !== undefined) return no("There are too many messages to be threaded", code);
  const found = await evaluate(key, scope);
  const threads = await threadMessages(found, algorithm, scope, service.keyMemory);
  const numberOf = (at: number) => byUid ? view.uidOf(found[at]) : found[at];
  out.text(threads.length === 0 ? "* THREAD" : "* THREAD ");
  for (const each of threads) {
    out.text(threadList(each, numberOf));
    if (out.full) await out.flush();
    if (scope.pace.due()) await scope.pace.turn();
  }
  out.text("\r\n");
  return ok(`${context.command} completed`);
}

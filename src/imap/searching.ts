/** What all searching commands do: SEARCH, SORT and their UID forms. @see RFC 5267 §4.1 */

import type { ReturnOption } from "../wire/return_options.ts";
import type { SearchArgs, SearchKey } from "../wire/search_grammar.ts";
import { bad, type Completion, ok, type ResponseCode } from "../wire/response.ts";
import { annotated } from "./annotated.ts";
import { SyntaxFault } from "../wire/scanner.ts";
import type { SelectedContext } from "./command.ts";
import { CommandPace } from "./command_pace.ts";
import { withoutFilters } from "./filters.ts";
import { FollowedResults, horizon } from "./followed_results.ts";
import {
  type MessageLimits,
  requirePageWithinLimit,
  searchedWithinLimit,
  withLimitCode,
} from "./message_limit.ts";
import { noUpdate, ResultContexts } from "./result_contexts.ts";
import { Relevancy } from "./relevancy.ts";
import {
  esearch,
  hasOption,
  isSilent,
  type Results,
  returnData,
  spokenOf,
} from "./return_options.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";
import { evaluate, usesModseq } from "./search_keys.ts";
import { hasKey } from "./search_program.ts";
import type { Session } from "./session.ts";
import type { View } from "./view.ts";
import { enableCondstore } from "./condstore.ts";

/** A searching command as its arguments say it. */
export interface Searching {
  readonly key: SearchKey;
  /** Absent: {@link oldForm} is the answer. */
  readonly returns?: readonly ReturnOption[];
  /** Brings what was found from the order of the mailbox into the requested one; absent: it stays. */
  readonly order?: (found: Seqs, scope: SearchScope) => Promise<Seqs>;
  /** {@link order} goes by scores. */
  readonly scored?: boolean;
  /** `* SEARCH` or `* SORT` without its CRLF. */
  readonly oldForm: (numbers: readonly number[]) => string;
}

/** What evaluating needs of the command that asks for it. */
export function scopeOf(context: SelectedContext): SearchScope {
  const { view, service, dialogue, log } = context;
  return {
    view,
    now: service.now() / 1000,
    pace: new CommandPace(dialogue),
    warn: (uid, error) =>
      log.warn("message not searched", { uid, mailbox: view.mailbox.name, error }),
    relevancy: new Relevancy(),
    annotation: (entry) => annotated(context, "").value(entry),
  };
}

/** Evaluates and answers. @see RFC 9051 §6.4.4, RFC 4731 §3, RFC 5267 §3, RFC 7162 §3.1.5 */
export async function runSearching(
  context: SelectedContext,
  asked: Searching,
): Promise<Completion> {
  const { view, session, tag } = context;
  const saves = hasOption(asked.returns, "SAVE");
  const follows = hasOption(asked.returns, "UPDATE");
  if (follows && view.followers?.has(tag)) {
    return bad("Expected another tag: results are followed under this one");
  }
  let code: ResponseCode | undefined;
  try {
    const scope = scopeOf(context);
    const searching = { ...asked, key: await withoutFilters(asked.key, scope.annotation) };
    if (lacksFuzzy(searching)) return bad(WITHOUT_FUZZY);
    const withModseq = usesModseq(searching.key);
    if (withModseq) enableCondstore(context);
    const before = horizon(scope);
    const searched = searchedWithinLimit(searching.key, view, context.service);
    code = searched.code;
    if (code !== undefined) requirePages(searching.returns, context.service);
    const found = await find(searching, scope, searched.seqs);
    if (follows) follow(context, searching, found, before);
    const spoken = spokenOf(searching.returns ?? [], found);
    if (saves) view.save(spoken.map((seq) => view.uidOf(seq)));
    answer(context, searching, { found, scope }, withModseq ? highest(view, spoken) : 0);
  } catch (error) {
    // A command that is BAD changes nothing.
    if (!(error instanceof SyntaxFault)) forgetSaved(session, asked.returns);
    throw error;
  }
  return withLimitCode(ok(`${context.command} completed`), code, context.out);
}

/** Of a part of the messages no page may be told that could be longer than that. */
function requirePages(
  returns: readonly ReturnOption[] | undefined,
  limits: MessageLimits,
): void {
  for (const option of returns ?? []) {
    if (option.name !== "PARTIAL") continue;
    const { first, last } = option.range;
    requirePageWithinLimit(last - first + 1, limits);
  }
}

/** UTF8=ACCEPT has no charset but its own. @see RFC 6855 §3 */
export function charsetRefusal(
  { enabled }: Session,
  { namesCharset }: Pick<SearchArgs, "namesCharset">,
): Completion | undefined {
  if (!namesCharset || !enabled.has("UTF8=ACCEPT")) return undefined;
  return bad("Expected no CHARSET once UTF8=ACCEPT is enabled");
}

/** What a client hears that asks for scores of nothing. */
export const WITHOUT_FUZZY = "Expected a FUZZY key, of which there is RELEVANCY";

/** Scores are asked for, and no key gives any. @see RFC 6203 §4 */
export function lacksFuzzy(
  { returns, key, scored = false }: Pick<Searching, "returns" | "key" | "scored">,
): boolean {
  return (scored || hasOption(returns, "RELEVANCY")) && !hasKey(key, "FUZZY");
}

/** @param numbers those of `found`, as the client is told */
export function resultsOf(found: Seqs, numbers: readonly number[], relevancy: Relevancy): Results {
  return { numbers, scoreAt: (place) => relevancy.of(found[place]) };
}

/** A search that was to save and failed with NO leaves nothing saved. @see RFC 5182 §2.1 */
export function forgetSaved(
  { state }: Session,
  returns: readonly ReturnOption[] | undefined,
): void {
  if (hasOption(returns, "SAVE") && state.name === "selected") state.view.save([]);
}

/** Chars of a search, as it is kept with its results for as long as the session is. */
const LONGEST_FOLLOWED = 16_384;

/** Has later changes of the results told. @see RFC 5267 §4.3 */
function follow(
  context: SelectedContext,
  { key, order, returns }: Searching,
  found: Seqs,
  before: ReturnType<typeof horizon>,
): void {
  const { view, tag, byUid, out } = context;
  if (hasKey(key, "FUZZY")) {
    // What changed would be scored alone, and so could not be put among what is ordered by scores.
    out.text(noUpdate(tag, "Results of FUZZY are not followed"));
    return;
  }
  if (JSON.stringify(key).length > LONGEST_FOLLOWED) {
    out.text(noUpdate(tag, "Expected a shorter search: this one is not followed"));
    return;
  }
  const contexts = view.followers ?? new ResultContexts(context, () => scopeOf(context));
  view.followers = contexts;
  const items = returns?.flatMap((option) => option.name === "UPDATE" ? option.items ?? [] : []);
  const results = new FollowedResults({ key, order, byUid, items }, view, found, before);
  if (!contexts.add(tag, results)) out.text(noUpdate(tag, "Too many results are followed"));
}

async function find(
  { key, order }: Searching,
  scope: SearchScope,
  seqs: Seqs | undefined,
): Promise<Seqs> {
  const found = await evaluate(key, scope, seqs);
  return order === undefined ? found : await order(found, scope);
}

/** The highest mod-sequence of these messages. @see RFC 7162 §3.1.5 */
export function highest(view: View, seqs: Seqs): number {
  const { modseqs } = view.mailbox.messages;
  return seqs.reduce((most, seq) => {
    const index = view.indexOf(view.uidOf(seq), seq);
    return index < 0 ? most : Math.max(most, modseqs[index]);
  }, 0);
}

/** @param modseq 0: not told @see RFC 7162 §3.1.5, §3.1.10 */
function answer(
  { tag, byUid, view, out }: SelectedContext,
  { returns, oldForm }: Searching,
  { found, scope: { relevancy } }: { readonly found: Seqs; readonly scope: SearchScope },
  modseq: number,
): void {
  const numbers = byUid ? found.map((seq) => view.uidOf(seq)) : found;
  if (returns === undefined) {
    out.text(`${oldForm(numbers)}${modseq === 0 ? "" : ` (MODSEQ ${modseq})`}\r\n`);
  } else if (!isSilent(returns)) {
    const told = modseq === 0 ? "" : ` MODSEQ ${modseq}`;
    out.text(
      `${esearch(tag, byUid)}${
        returnData(returns, resultsOf(found, numbers, relevancy))
      }${told}\r\n`,
    );
  }
}

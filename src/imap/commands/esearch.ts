/** ESEARCH: one search in many mailboxes. */

import { StoreError } from "../../store/store.ts";
import type { EsearchArgs } from "../../wire/esearch_grammar.ts";
import { bad, type Completion, mailbox, ok } from "../../wire/response.ts";
import type { ReturnOption } from "../../wire/return_options.ts";
import type { SearchKey } from "../../wire/search_grammar.ts";
import { annotated } from "../annotated.ts";
import { type AuthenticatedContext, Refusal } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import { withoutFilters } from "../filters.ts";
import { filteredMailboxes } from "../filtered_mailboxes.ts";
import { noUpdate } from "../result_contexts.ts";
import {
  esearch as opening,
  hasOption,
  isSilent,
  returnData,
  spokenOf,
} from "../return_options.ts";
import { evaluate, usesModseq } from "../search_keys.ts";
import { usesSaved } from "../search_program.ts";
import {
  charsetRefusal,
  forgetSaved,
  highest,
  lacksFuzzy,
  resultsOf,
  scopeOf,
  WITHOUT_FUZZY,
} from "../searching.ts";
import { View } from "../view.ts";
import { enableCondstore } from "../condstore.ts";

const RETURN_ALL: readonly ReturnOption[] = [{ name: "ALL" }];

/** @see RFC 7377 §2 */
export async function esearch(
  context: AuthenticatedContext,
  args: EsearchArgs,
): Promise<Completion> {
  const { session, user, out, tag } = context;
  const { sources, returns = RETURN_ALL } = args;
  const refusal = charsetRefusal(session, args);
  if (refusal !== undefined) return refusal;
  const selected = session.state.name === "selected" ? session.state.view : undefined;
  const asksSelected = sources === undefined || sources.some(({ kind }) => kind === "selected");
  const needsSelected = asksSelected || hasOption(returns, "UPDATE");
  if (needsSelected && selected === undefined) return bad("No mailbox is selected");
  const key = await withoutFilters(args.key, (entry) => annotated(context, "").value(entry));
  if (lacksFuzzy({ returns, key })) return bad(WITHOUT_FUZZY);
  if (sources !== undefined) await user.account.refresh();
  const names = filteredMailboxes(sources ?? [{ kind: "selected" }], user.account, session);
  const onlySelected = names.length === 1 && names[0] === selected?.mailbox.name;
  // Not even where another source leads to it. @see RFC 7377 §2.2
  if (hasOption(returns, "SAVE") && sources?.some(({ kind }) => kind !== "selected")) {
    return bad("Only results of the selected mailbox can be saved");
  }
  if (usesSaved(key) && !onlySelected) {
    throw new Refusal("Saved results are those of the selected mailbox", "CANNOT");
  }
  if (hasOption(returns, "UPDATE")) {
    out.text(noUpdate(tag, "Results of ESEARCH are not followed"));
  }
  if (usesModseq(key)) enableCondstore(context);
  const pace = new CommandPace(context.dialogue);
  try {
    for (const name of names) {
      await searchOne(context, name, selected, key, returns);
      if (pace.due()) await pace.turn();
    }
  } catch (error) {
    forgetSaved(session, returns);
    throw error;
  }
  return ok(`${context.command} completed`);
}

/** Searches a mailbox and answers, unless it vanished or has nothing. @see RFC 7377 §2.1 */
async function searchOne(
  context: AuthenticatedContext,
  name: string,
  selected: View | undefined,
  key: SearchKey,
  returns: readonly ReturnOption[],
): Promise<void> {
  if (name === selected?.mailbox.name) return await answer(context, selected, key, returns);
  const view = await open(context, name);
  if (view === undefined) return;
  try {
    await answer(context, view, key, returns);
  } finally {
    view.close();
  }
}

/** A view as EXAMINE would have; it takes \Recent from nobody. */
async function open(
  { user, session }: AuthenticatedContext,
  name: string,
): Promise<View | undefined> {
  try {
    return new View(await user.account.open(name), true, session);
  } catch (error) {
    if (error instanceof StoreError && error.code === "no-mailbox") return undefined;
    throw error;
  }
}

async function answer(
  context: AuthenticatedContext,
  view: View,
  key: SearchKey,
  returns: readonly ReturnOption[],
): Promise<void> {
  const { tag, session, out } = context;
  const { mailbox: { name, uidValidity } } = view;
  const scope = scopeOf({ ...context, view, byUid: true });
  const found = await evaluate(key, scope);
  const spoken = spokenOf(returns, found);
  if (hasOption(returns, "SAVE")) view.save(spoken.map((seq) => view.uidOf(seq)));
  if (found.length === 0 || isSilent(returns)) return;
  const correlators = ` MAILBOX ${mailbox(name, session.utf8)} UIDVALIDITY ${uidValidity}`;
  const uids = found.map((seq) => view.uidOf(seq));
  const data = returnData(returns, resultsOf(found, uids, scope.relevancy));
  const modseq = usesModseq(key) ? ` MODSEQ ${highest(view, spoken)}` : "";
  out.text(`${opening(tag, true, correlators)}${data}${modseq}\r\n`);
  if (out.full) await out.flush();
}

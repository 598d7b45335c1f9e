/** What all searching commands do: SEARCH, SORT and their UID forms. @see RFC 5267 §4.1 */

import type { ReturnOption } from "../wire/return_options.ts";
import type { SearchKey } from "../wire/search_grammar.ts";
import { type Completion, ok } from "../wire/response.ts";
import type { SelectedContext } from "./command.ts";
import { CommandPace } from "./command_pace.ts";
import { isSilent, returnData, spokenOf } from "./return_options.ts";
import type { SearchScope, Seqs } from "./search_columns.ts";
import { evaluate, usesModseq } from "./search_keys.ts";
import type { Session } from "./session.ts";

/** A searching command as its arguments say it. */
export interface Searching {
  readonly key: SearchKey;
  /** Absent: {@link oldForm} is the answer. */
  readonly returns?: readonly ReturnOption[];
  /** Brings what was found from the order of the mailbox into the requested one; absent: it stays. */
  readonly order?: (found: Seqs, scope: SearchScope) => Promise<Seqs>;
  /** `* SEARCH` or `* SORT` without its CRLF. */
  readonly oldForm: (numbers: readonly number[]) => string;
}

/** What evaluating needs of the command that asks for it. */
export function scopeOf({ view, service, dialogue, log }: SelectedContext): SearchScope {
  return {
    view,
    now: service.now() / 1000,
    pace: new CommandPace(dialogue),
    warn: (uid, error) =>
      log.warn("message not searched", { uid, mailbox: view.mailbox.name, error }),
  };
}

/** Evaluates and answers. @see RFC 9051 §6.4.4, RFC 4731 §3, RFC 5267 §3, RFC 7162 §3.1.5 */
export async function runSearching(
  context: SelectedContext,
  searching: Searching,
): Promise<Completion> {
  const { view, session } = context;
  const saves = doesSave(searching.returns);
  const withModseq = usesModseq(searching.key);
  if (withModseq) session.enabled.add("CONDSTORE");
  try {
    const found = await find(searching, scopeOf(context));
    const spoken = spokenOf(searching.returns ?? [], found);
    if (saves) view.save(spoken.map((seq) => view.uidOf(seq)));
    answer(context, searching, found, withModseq ? highest(context, spoken) : 0);
  } catch (error) {
    forgetSaved(session, searching.returns);
    throw error;
  }
  return ok(`${context.command} completed`);
}

function doesSave(returns: readonly ReturnOption[] | undefined): boolean {
  return returns?.some(({ name }) => name === "SAVE") ?? false;
}

/** A search that was to save and failed with NO leaves nothing saved. @see RFC 5182 §2.1 */
export function forgetSaved(
  { state }: Session,
  returns: readonly ReturnOption[] | undefined,
): void {
  if (doesSave(returns) && state.name === "selected") state.view.save([]);
}

async function find({ key, order }: Searching, scope: SearchScope): Promise<Seqs> {
  const found = await evaluate(key, scope);
  return order === undefined ? found : await order(found, scope);
}

function highest({ view }: SelectedContext, seqs: Seqs): number {
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
  found: Seqs,
  modseq: number,
): void {
  const numbers = byUid ? found.map((seq) => view.uidOf(seq)) : found;
  if (returns === undefined) {
    out.text(`${oldForm(numbers)}${modseq === 0 ? "" : ` (MODSEQ ${modseq})`}\r\n`);
  } else if (!isSilent(returns)) {
    const told = modseq === 0 ? "" : ` MODSEQ ${modseq}`;
    out.text(`${esearch(tag, byUid)}${returnData(returns, { numbers })}${told}\r\n`);
  }
}

/** `* ESEARCH (TAG "a") UID`, the beginning of a response. @see RFC 9051 §7.3.4 */
export function esearch(tag: string, byUid: boolean): string {
  return `* ESEARCH (TAG "${tag}")${byUid ? " UID" : ""}`;
}

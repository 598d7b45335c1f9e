/** SEARCH and ESEARCH. */

import type { SearchArgs, SearchReturn } from "../../wire/search_grammar.ts";
import { formatNumberSet } from "../../wire/number_set.ts";
import { type Completion, ok } from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import type { Seqs } from "../search_columns.ts";
import { evaluate, usesModseq } from "../search_keys.ts";

/** @see RFC 9051 §6.4.4, RFC 4731 §3, RFC 7162 §3.1.5 */
export async function search(context: SelectedContext, args: SearchArgs): Promise<Completion> {
  const { view, session, service, log, out, byUid } = context;
  const withModseq = usesModseq(args.key);
  if (withModseq) session.enabled.add("CONDSTORE");
  const found = await evaluate(args.key, {
    view,
    now: service.now() / 1000,
    pace: new CommandPace(context.dialogue),
    warn: (uid, error) =>
      log.warn("message not searched", { uid, mailbox: view.mailbox.name, error }),
  });
  const numbers = byUid ? found.map((seq) => view.uidOf(seq)) : found;
  const modseq = withModseq ? highest(context, told(found, args.returns ?? ["ALL"])) : 0;
  out.text(
    args.returns === undefined
      ? oldForm(numbers, modseq)
      : newForm(context, args.returns, numbers, modseq),
  );
  return ok(`${context.command} completed`);
}

/** The messages whose mod-sequences the answer speaks of. @see RFC 7162 §3.1.10 */
function told(seqs: Seqs, returns: readonly SearchReturn[]): Seqs {
  if (seqs.length === 0 || returns.length === 0) return seqs;
  if (returns.includes("ALL") || returns.includes("COUNT")) return seqs;
  const ends: number[] = [];
  if (returns.includes("MIN")) ends.push(seqs[0]);
  if (returns.includes("MAX")) ends.push(seqs[seqs.length - 1]);
  return ends;
}

function highest({ view }: SelectedContext, seqs: Seqs): number {
  const { modseqs } = view.mailbox.messages;
  return seqs.reduce((most, seq) => {
    const index = view.indexOf(view.uidOf(seq), seq);
    return index < 0 ? most : Math.max(most, modseqs[index]);
  }, 0);
}

function oldForm(numbers: readonly number[], modseq: number): string {
  const found = numbers.length === 0 ? "" : ` ${numbers.join(" ")}`;
  return `* SEARCH${found}${modseq === 0 ? "" : ` (MODSEQ ${modseq})`}\r\n`;
}

/** Only what was asked for, and nothing but COUNT when nothing was found. @see RFC 4731 §3.1 */
function newForm(
  { tag, byUid }: SelectedContext,
  returns: readonly SearchReturn[],
  numbers: readonly number[],
  modseq: number,
): string {
  const wants = (option: SearchReturn) =>
    returns.includes(option) || (option === "ALL" && returns.length === 0);
  let text = `* ESEARCH (TAG "${tag}")${byUid ? " UID" : ""}`;
  if (numbers.length > 0) {
    if (wants("MIN")) text += ` MIN ${numbers[0]}`;
    if (wants("MAX")) text += ` MAX ${numbers[numbers.length - 1]}`;
    if (wants("ALL")) text += ` ALL ${formatNumberSet(numbers)}`;
  }
  if (wants("COUNT")) text += ` COUNT ${numbers.length}`;
  if (modseq !== 0) text += ` MODSEQ ${modseq}`;
  return `${text}\r\n`;
}

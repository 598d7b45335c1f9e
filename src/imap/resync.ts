/** What a client with QRESYNC missed: expunged messages, and those that changed. */

import type { UidRanges } from "../store/store.ts";
import {
  intersected,
  type NumberRange,
  type NumberSet,
  resolveRanges,
} from "../wire/number_set.ts";
import { vanished } from "../wire/response.ts";
import type { QresyncParameter } from "../wire/select_grammar.ts";
import type { AuthenticatedContext } from "./command.ts";
import { CommandPace } from "./command_pace.ts";
import { fetchOpening } from "./message_response.ts";
import type { View } from "./view.ts";

/** @see RFC 7162 §3.2.5.1 */
export async function resynchronize(
  context: AuthenticatedContext,
  view: View,
  { uidValidity, modseq, knownUids, matches }: QresyncParameter,
): Promise<void> {
  if (uidValidity !== view.mailbox.uidValidity) return;
  const known = knownUids ?? EVERY_UID;
  const same = matches === undefined ? 0 : lastMatch(view, matches);
  const gone = await vanishedIn(view, known, modseq);
  context.out.text(vanished(intersected(gone, [[same + 1, Infinity]]), true));
  await tellChanged(context, view, known, modseq);
}

const EVERY_UID: NumberSet = { ranges: [[1, Infinity]] };

/**
 * UIDs of a set that left the mailbox after `modseq`. Those that the client still counts are left
 * out: it is told of them when its numbers may change. @see RFC 7162 §3.2.6
 */
export async function vanishedIn(view: View, set: NumberSet, modseq: number): Promise<UidRanges> {
  const gone = await view.mailbox.vanishedSince(modseq);
  const counted = view.diverged ? view.uidsGone() : [];
  // "*" reaches to the last UID that there was, also if its message is gone.
  return without(intersected(gone, resolveRanges(set, view.mailbox.uidNext - 1)), counted);
}

/** Ranges without single numbers, both ascending. */
function without(ranges: readonly NumberRange[], numbers: readonly number[]): NumberRange[] {
  if (numbers.length === 0) return [...ranges];
  const kept: NumberRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    while (next < numbers.length && numbers[next] < first) next++;
    let from = first;
    for (; next < numbers.length && numbers[next] <= last; next++) {
      if (numbers[next] > from) kept.push([from, numbers[next] - 1]);
      from = numbers[next] + 1;
    }
    if (from <= last) kept.push([from, last]);
  }
  return kept;
}

/**
 * The highest UID that is still where the client remembers it: up to there nothing is gone that it
 * does not know of. @see RFC 7162 §3.2.5.2
 */
function lastMatch(
  view: View,
  { seqs, uids }: { readonly seqs: NumberSet; readonly uids: NumberSet },
): number {
  let matched = 0;
  const remembered = numbersOf(uids);
  for (const seq of numbersOf(seqs)) {
    const { value: uid, done } = remembered.next();
    if (done || seq > view.count || view.uidOf(seq) !== uid) break;
    matched = uid;
  }
  return matched;
}

function* numbersOf({ ranges }: NumberSet): Generator<number, void> {
  for (const [first, last] of ranges) {
    for (let number = first; number <= last; number++) yield number;
  }
}

async function tellChanged(
  { out, session, dialogue }: AuthenticatedContext,
  view: View,
  known: NumberSet,
  modseq: number,
): Promise<void> {
  const pace = new CommandPace(dialogue);
  for (const uid of view.resolve(known, true)) {
    const seq = view.seqOf(uid);
    const index = view.indexOf(uid, seq);
    const changed = index < 0 ? 0 : view.mailbox.messages.modseqs[index];
    if (changed > modseq) {
      const items = `FLAGS (${view.flagsAt(index, uid)}) MODSEQ (${changed})`;
      const named = session.uidOnly ? items : `UID ${uid} ${items}`;
      out.text(`${fetchOpening(session, seq, uid)}${named})\r\n`);
    }
    if (out.full) await out.flush();
    if (seq % 256 === 0 && pace.due()) await pace.turn();
  }
}

/** STORE, COPY, MOVE, EXPUNGE and their UID forms. */

import type { CopyArgs, StoreArgs, UidExpungeArgs } from "../../wire/command_grammar.ts";
import type { ExpungedUids } from "../../store/store.ts";
import {
  type Completion,
  copyUidCode,
  modifiedCode,
  numberCode,
  ok,
  statusLine,
} from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import { mailboxArgument, orTryCreate } from "../mailbox_argument.ts";
import { fetchOpening, namesUid } from "../message_response.ts";
import { requireWithinLimit, withinLimit, withLimitCode } from "../message_limit.ts";
import { tellOverQuota } from "../over_quota.ts";
import { deletedUids, expungeIssued, presentUids, someGone } from "../targets.ts";
import { tellSelected } from "../tell_selected.ts";
import { enableCondstore } from "../condstore.ts";

/** @see RFC 9051 §6.4.6, RFC 7162 §3.1.3 */
export async function store(context: SelectedContext, args: StoreArgs): Promise<Completion> {
  const { view, byUid, service, out } = context;
  view.requireWritable();
  if (args.unchangedSince !== undefined) enableCondstore(context);
  const named = view.resolve(args.set, byUid);
  const { uids: present, code } = withinLimit(presentUids(view, named).present, service);
  const reached = code === undefined ? named : named.filter((uid) => uid >= present[0]);
  const { modseq, modified, overtaken } = await view.mailbox.store(
    present,
    { mode: args.mode, ...args.flags },
    { unchangedSince: args.unchangedSince, told: view.told },
  );
  // What is not silent tells all flags as they are now.
  view.silence(modseq, args.silent ? overtaken : []);
  const left = new Set(modified);
  const changed = present.filter((uid) => !left.has(uid));
  await tellStored(context, changed, args.silent);
  // To be gone is to have changed; UIDs that are gone are passed over.
  const failed = args.unchangedSince === undefined || byUid ? modified : without(reached, changed);
  if (failed.length > 0) {
    const numbers = byUid ? failed : failed.map((uid) => view.seqOf(uid));
    const reply = ok("Some messages were changed by others meanwhile", modifiedCode(numbers));
    return withLimitCode(reply, code, out);
  }
  const missed = !byUid && !args.silent && present.length < reached.length;
  return withLimitCode(missed ? someGone(code) : ok(`${context.command} completed`), code, out);
}

function without(uids: readonly number[], others: readonly number[]): readonly number[] {
  if (uids.length === others.length) return [];
  const rest = new Set(others);
  return uids.filter((uid) => !rest.has(uid));
}

/** The untagged FETCH responses of a STORE; with CONDSTORE even a silent one tells MODSEQ. */
async function tellStored(
  context: SelectedContext,
  uids: readonly number[],
  silent: boolean,
): Promise<void> {
  const { view, session, out, byUid, dialogue } = context;
  if (silent && !session.condstore) return;
  // A new keyword is announced before it is used.
  if (!silent) view.announceKeywords(out);
  const pace = new CommandPace(dialogue);
  for (const uid of uids) {
    const { modseqs } = view.mailbox.messages;
    const seq = view.seqOf(uid);
    const index = view.indexOf(uid, seq);
    if (index < 0) continue;
    const items = namesUid(session, byUid) ? [`UID ${uid}`] : [];
    if (!silent) items.push(`FLAGS (${view.flagsAt(index, uid)})`);
    if (session.condstore) items.push(`MODSEQ (${modseqs[index]})`);
    out.text(`${fetchOpening(session, seq, uid)}${items.join(" ")})\r\n`);
    if (!out.full) continue;
    await out.flush();
    if (pace.due()) await pace.turn();
    if (!silent) view.announceKeywords(out);
  }
}

/** @see RFC 9051 §6.4.7 */
export async function copy(context: SelectedContext, args: CopyArgs): Promise<Completion> {
  const { view, session, service } = context;
  const uids = transferable(context, args);
  requireWithinLimit(uids.length, service, uids);
  const destination = mailboxArgument(args.mailbox, session);
  const copied = await orTryCreate(view.mailbox.copy(uids, destination));
  session.notify?.made(destination, copied.destination);
  if (copied.source.length === 0) return ok("No messages to copy");
  const { uidValidity, source } = copied;
  tellOverQuota(context.out, copied);
  return ok(`${context.command} completed`, copyUidCode(uidValidity, source, copied.destination));
}

/** COPYUID goes before the EXPUNGEs. @see RFC 6851 §4.3, RFC 9738 §3.1 */
export async function move(context: SelectedContext, args: CopyArgs): Promise<Completion> {
  const { view, session, service, out } = context;
  view.requireWritable();
  const { uids, code } = withinLimit(transferable(context, args), service);
  const destination = mailboxArgument(args.mailbox, session);
  const moved = await orTryCreate(view.mailbox.move(uids, destination));
  session.notify?.made(destination, moved.destination);
  if (moved.source.length === 0) return withLimitCode(ok("No messages to move"), code, out);
  const copyUid = copyUidCode(moved.uidValidity, moved.source, moved.destination);
  out.text(statusLine("*", "OK", "Moved", copyUid));
  const reply = await expunged(context, { uids: moved.source, modseq: moved.modseq ?? 0 });
  return withLimitCode(reply, code, out);
}

/** A number whose message is gone refuses the command: COPY does all or nothing. */
function transferable(context: SelectedContext, args: CopyArgs): readonly number[] {
  const { view, byUid } = context;
  const { present, gone } = presentUids(view, view.resolve(args.set, byUid));
  if (gone && !byUid) throw expungeIssued();
  return present;
}

/** @see RFC 9051 §6.4.3 */
export async function expunge(context: SelectedContext): Promise<Completion> {
  context.view.requireWritable();
  return expunged(context, await context.view.mailbox.expunge());
}

/** Only \Deleted messages count for the limit. @see RFC 4315 §2.1, RFC 9738 §3.1 */
export async function uidExpunge(
  context: SelectedContext,
  args: UidExpungeArgs,
): Promise<Completion> {
  const { view, service, out } = context;
  view.requireWritable();
  const { uids, code } = withinLimit(deletedUids(view, view.resolve(args.set, true)), service);
  return withLimitCode(await expunged(context, await view.mailbox.expunge(uids)), code, out);
}

/**
 * All changes up to this one are told before the tagged reply; where NOTIFY leaves some out, the
 * reply gets a lower HIGHESTMODSEQ, as that of any other command.
 *
 * @see RFC 7162 §3.2.7, §3.2.9
 */
async function expunged(
  { command, session, view, out, byUid }: SelectedContext,
  { uids, modseq }: ExpungedUids,
): Promise<Completion> {
  const completion = ok(`${command} completed`);
  if (!session.qresync || uids.length === 0) return completion;
  await tellSelected(session, out, { expunges: true, withUid: byUid, removed: true });
  return view.silenced ? completion : { ...completion, code: numberCode("HIGHESTMODSEQ", modseq) };
}

/** STORE, COPY, MOVE, EXPUNGE and their UID forms. */

import type { CopyArgs, StoreArgs, UidExpungeArgs } from "../../wire/command_grammar.ts";
import { type Completion, copyUidCode, modifiedCode, ok, statusLine } from "../../wire/response.ts";
import type { SelectedContext } from "../command.ts";
import { mailboxArgument, orTryCreate } from "../mailbox_argument.ts";
import { fetchOpening } from "../message_response.ts";
import { expungeIssued, presentUids } from "../targets.ts";

/** @see RFC 9051 §6.4.6, RFC 7162 §3.1.3 */
export async function store(context: SelectedContext, args: StoreArgs): Promise<Completion> {
  const { view, session, byUid } = context;
  view.requireWritable();
  if (args.unchangedSince !== undefined) session.enabled.add("CONDSTORE");
  const { present, gone } = presentUids(view, view.resolve(args.set, byUid));
  const { modseq, modified, overtaken } = await view.mailbox.store(
    present,
    { mode: args.mode, ...args.flags },
    { unchangedSince: args.unchangedSince, told: view.told },
  );
  // What is not silent tells all flags as they are now.
  view.silence(modseq, args.silent ? overtaken : []);
  const failed = new Set(modified);
  tellStored(context, present.filter((uid) => !failed.has(uid)), args.silent);
  if (modified.length > 0) {
    const numbers = byUid ? modified : modified.map((uid) => view.seqOf(uid));
    return ok("Some messages were changed by others meanwhile", modifiedCode(numbers));
  }
  if (gone && !byUid && !args.silent) throw expungeIssued();
  return ok(`${context.command} completed`);
}

/** The untagged FETCH responses of a STORE; with CONDSTORE even a silent one tells MODSEQ. */
function tellStored(context: SelectedContext, uids: readonly number[], silent: boolean): void {
  const { view, session, out, byUid } = context;
  if (silent && !session.condstore) return;
  // A new keyword is announced before it is used.
  if (!silent) view.announceKeywords(out);
  const { modseqs } = view.mailbox.messages;
  for (const uid of uids) {
    const seq = view.seqOf(uid);
    const index = view.indexOf(uid, seq);
    if (index < 0) continue;
    const items = byUid && !session.uidOnly ? [`UID ${uid}`] : [];
    if (!silent) items.push(`FLAGS (${view.flagsAt(index, uid)})`);
    if (session.condstore) items.push(`MODSEQ (${modseqs[index]})`);
    out.text(`${fetchOpening(session, seq, uid)}${items.join(" ")})\r\n`);
  }
}

/** @see RFC 9051 §6.4.7 */
export async function copy(context: SelectedContext, args: CopyArgs): Promise<Completion> {
  const { view, session } = context;
  const uids = transferable(context, args);
  const destination = mailboxArgument(args.mailbox, session);
  const copied = await orTryCreate(view.mailbox.copy(uids, destination));
  if (copied.source.length === 0) return ok("No messages to copy");
  const { uidValidity, source } = copied;
  return ok(`${context.command} completed`, copyUidCode(uidValidity, source, copied.destination));
}

/** COPYUID goes before the EXPUNGEs. @see RFC 6851 §4.3 */
export async function move(context: SelectedContext, args: CopyArgs): Promise<Completion> {
  const { view, session, out } = context;
  view.requireWritable();
  const uids = transferable(context, args);
  const destination = mailboxArgument(args.mailbox, session);
  const moved = await orTryCreate(view.mailbox.move(uids, destination));
  if (moved.source.length === 0) return ok("No messages to move");
  const code = copyUidCode(moved.uidValidity, moved.source, moved.destination);
  out.text(statusLine("*", "OK", "Moved", code));
  return ok(`${context.command} completed`);
}

/** COPY does all or nothing, so a number whose message is gone refuses it. */
function transferable(context: SelectedContext, args: CopyArgs): readonly number[] {
  const { view, byUid } = context;
  const { present, gone } = presentUids(view, view.resolve(args.set, byUid));
  if (gone && !byUid) throw expungeIssued();
  return present;
}

/** @see RFC 9051 §6.4.3 */
export async function expunge({ view, command }: SelectedContext): Promise<Completion> {
  view.requireWritable();
  await view.mailbox.expunge();
  return ok(`${command} completed`);
}

/** @see RFC 4315 §2.1 */
export async function uidExpunge(
  { view, command }: SelectedContext,
  args: UidExpungeArgs,
): Promise<Completion> {
  view.requireWritable();
  await view.mailbox.expunge(view.resolve(args.set, true));
  return ok(`${command} completed`);
}

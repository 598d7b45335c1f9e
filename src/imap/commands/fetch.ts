/** FETCH: which messages, in which batches, and what goes around the items. */

import type { Pace } from "../../pace.ts";
import { type CachedItems, FLAG, type StoredMessage, StoreError } from "../../store/store.ts";
import type { FetchArgs } from "../../wire/command_grammar.ts";
import type { FetchItem } from "../../wire/fetch_grammar.ts";
import { type Completion, no, ok, vanished } from "../../wire/response.ts";
import type { ResultRange } from "../../wire/return_options.ts";
import { SyntaxFault } from "../../wire/scanner.ts";
import type { SelectedContext } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import { type FetchPlan, keptOf, planFetch } from "../fetch_plan.ts";
import { fetchBatches } from "../fetch_batches.ts";
import type { TextBlock } from "../lasting_texts.ts";
import {
  type MessageLimits,
  requirePageWithinLimit,
  withinLimit,
  withLimitCode,
} from "../message_limit.ts";
import { fetchOpening } from "../message_response.ts";
import type { FetchedMessage, PlannedItem, Writing } from "../planned_item.ts";
import { spanOf } from "../return_options.ts";
import { OpenedMessage } from "../sections.ts";
import { vanishedIn } from "../resync.ts";
import { presentUids, someGone } from "../targets.ts";
import type { View } from "../view.ts";
import { MOST_ROOM, TextRoom } from "../text_room.ts";
import { enableCondstore } from "../condstore.ts";

/** @see RFC 9051 §6.4.5, RFC 7162 §3.1.4, RFC 9394 §3.3, §3.4 */
export async function fetch(context: SelectedContext, args: FetchArgs): Promise<Completion> {
  const { view, session, service, out, byUid } = context;
  if (args.vanished && !(byUid && session.qresync && args.changedSince !== undefined)) {
    throw new SyntaxFault("VANISHED needs UID FETCH, CHANGEDSINCE, and QRESYNC enabled", 0);
  }
  if (args.partial !== undefined && !byUid) throw new SyntaxFault("PARTIAL needs UID FETCH", 0);
  const items = withImpliedItems(args, byUid && !session.uidOnly);
  if (items.some((item) => item.name === "MODSEQ")) enableCondstore(context);
  const plan = planFetch(items, view.readOnly);
  const { present, gone } = presentUids(view, view.resolve(args.set, byUid));
  // First the page, then what changed of it.
  const page = args.partial === undefined ? present : pageOf(args.partial, present, service);
  if (args.vanished) {
    out.text(vanished(await vanishedIn(view, args.set, args.changedSince ?? 1), true));
  }
  const wanted = args.changedSince === undefined
    ? page
    : changedSince(context, page, args.changedSince);
  const { uids, code } = withinLimit(wanted, service);
  const failures = await sendAll(context, plan, uids);
  const reply = failureOf(failures) ??
    (!byUid && (gone || failures.gone > 0) ? someGone(code) : ok(`${context.command} completed`));
  return withLimitCode(reply, code, out);
}

/** @throws {Refusal} */
function pageOf(
  range: ResultRange,
  uids: readonly number[],
  limits: MessageLimits,
): readonly number[] {
  const page = uids.slice(...spanOf(range, uids.length));
  requirePageWithinLimit(page.length, limits);
  return page;
}

/** The reply where messages or parts were left out. */
function failureOf(failures: Failures): Completion | undefined {
  if (failures.unreadable > 0) {
    return no(`${failures.unreadable} messages cannot be read`, "CORRUPTION");
  }
  if (failures.undecoded > 0) {
    return no(`${failures.undecoded} parts have an encoding that is not known`, "UNKNOWN-CTE");
  }
  return undefined;
}

/** Answers about messages that no FETCH asked for: \Seen stays as it is. @see RFC 5465 §5.2 */
export async function tellMessages(
  context: SelectedContext,
  items: readonly FetchItem[],
  uids: readonly number[],
): Promise<void> {
  await sendAll(context, planFetch(items, true), uids);
}

function withImpliedItems(
  { items, changedSince }: FetchArgs,
  withUid: boolean,
): readonly FetchItem[] {
  const all: FetchItem[] = [...items];
  const has = (name: FetchItem["name"]) => all.some((item) => item.name === name);
  if (withUid && !has("UID")) all.unshift({ name: "UID" });
  if (changedSince !== undefined && !has("MODSEQ")) all.push({ name: "MODSEQ" });
  return all;
}

function changedSince(
  { view }: SelectedContext,
  uids: readonly number[],
  modseq: number,
): readonly number[] {
  const { modseqs } = view.mailbox.messages;
  return uids.filter((uid) => modseqs[view.indexOf(uid, view.seqOf(uid))] > modseq);
}

interface Failures {
  gone: number;
  unreadable: number;
  /** Parts of an unknown transfer encoding. */
  undecoded: number;
}

async function sendAll(
  context: SelectedContext,
  plan: FetchPlan,
  uids: readonly number[],
): Promise<Failures> {
  const { view, out, service: { lastingTexts } } = context;
  const { mailbox } = view;
  const failures: Failures = { gone: 0, unreadable: 0, undecoded: 0 };
  const pace = new CommandPace(context.dialogue);
  const room = plan.opened && uids.length > 1 ? roomFor(uids, view) : undefined;
  let done = 0;
  for await (const { batch, blocks, rows } of fetchBatches(context, plan, uids)) {
    context.dialogue.progress = { done, total: uids.length };
    done += batch.length;
    const marked = plan.marksSeen ? await markSeen(context, batch) : NONE;
    const opens = plan.opened && blocks === undefined;
    const made = opens ? new MadeTexts(plan.kept.length) : undefined;
    let row = 0;
    for (const uid of batch) {
      while (rows && row < rows.length && rows[row].uid < uid) row++;
      if (rows && rows[row]?.uid !== uid) {
        failures.gone++;
        continue;
      }
      const seq = view.seqOf(uid);
      const cached = rows?.[row] ?? NOTHING;
      const flagsChanged = marked.has(uid);
      if (!opens) {
        const message = { seq, uid, index: view.indexOf(uid, seq), view, cached };
        if (!sendKept(context, plan, message, flagsChanged, blocks)) failures.gone++;
      } else {
        const message = { seq, uid, view, cached };
        await sendOpened(context, plan, message, { flagsChanged, failures, pace, made, room });
      }
      const { full } = out;
      if (full) await out.flush();
      if (full || plan.kept.length > 0) room?.clear();
      // Reading the clock costs as much as a short answer.
      if ((opens || seq % 32 === 0) && pace.due()) await pace.turn();
    }
    if (made) lastingTexts.keep(plan.kept, made.texts, made.uids, mailbox);
  }
  return failures;
}

function roomFor(uids: readonly number[], view: View): TextRoom {
  const { sizes } = view.mailbox.messages;
  let size = 0;
  for (let at = 0; at < uids.length && size < MOST_ROOM; at++) {
    // Room has to be longer than the text.
    size += 1 + (sizes[view.indexOf(uids[at], view.seqOf(uids[at]))] ?? 0);
  }
  return new TextRoom(size);
}

/** Octets of texts that are gathered of one batch. */
const MOST_MADE = 4 * 1024 * 1024;

/** Texts of a plan's kept items that were made while messages were opened. */
class MadeTexts {
  readonly uids: number[] = [];
  readonly texts: readonly string[][];
  #room = MOST_MADE;

  constructor(items: number) {
    this.texts = Array.from({ length: items }, () => []);
  }

  /** Those of a message of which one is long, or after many, are not worth it. */
  add(uid: number, texts: readonly (string | undefined)[]): void {
    if (this.texts.length === 0 || !texts.every((text) => text !== undefined)) return;
    this.#room -= texts.reduce((sum, text) => sum + text.length, 0);
    if (this.#room < 0) return;
    this.uids.push(uid);
    texts.forEach((text, item) => this.texts[item].push(text));
  }
}

const NOTHING: Partial<CachedItems> = {};

const NONE: ReadonlySet<number> = new Set<number>();

/** Sets \Seen before the text is sent; returns the messages that did not have it. */
async function markSeen(
  { view }: SelectedContext,
  uids: readonly number[],
): Promise<ReadonlySet<number>> {
  const { flags } = view.mailbox.messages;
  const unseen = uids.filter((uid) => {
    const index = view.indexOf(uid, view.seqOf(uid));
    return index >= 0 && (flags[index] & FLAG.seen) === 0;
  });
  if (unseen.length === 0) return NONE;
  const change = { mode: "add", system: FLAG.seen, keywords: [] } as const;
  const { modseq } = await view.mailbox.store(unseen, change);
  view.silence(modseq, []);
  return new Set(unseen);
}

type Named = Omit<FetchedMessage, "index" | "opened">;

/**
 * Answers about a message without its text: nothing is awaited for each of many.
 *
 * @param blocks of each item of `plan.kept`; absent where `message.cached` has what they need
 * @returns false if the message is gone
 */
function sendKept(
  context: SelectedContext,
  plan: FetchPlan,
  message: FetchedMessage,
  flagsChanged: boolean,
  blocks: readonly TextBlock[] | undefined,
): boolean {
  if (message.index < 0) return false;
  let text = fetchOpening(context.session, message.seq, message.uid);
  let block = 0;
  for (let i = 0; i < plan.items.length; i++) {
    const item = plan.items[i];
    if (i > 0) text += " ";
    if (blocks === undefined || keptOf(item) === undefined) text += textOf(item, message);
    else {
      const kept = blocks[block++].of(message.uid);
      if (kept === undefined) return false;
      text += kept;
    }
  }
  if (flagsChanged) text += changedFlags(context, plan, message);
  context.out.text(`${text})\r\n`);
  return true;
}

async function sendOpened(
  context: SelectedContext,
  plan: FetchPlan,
  base: Named,
  { flagsChanged, failures, pace, made, room }: {
    readonly flagsChanged: boolean;
    readonly failures: Failures;
    readonly pace: Pace;
    readonly made: MadeTexts | undefined;
    readonly room: TextRoom | undefined;
  },
): Promise<void> {
  const { out } = context;
  const stored = await open(context, base.uid, failures, room);
  if (stored === undefined) return;
  try {
    const message = located(base, stored, failures);
    if (message === undefined) return;
    // Before anything is awaited: other sessions may expunge while a text is written.
    const early = plan.items.map((item) => textOf(item, message));
    const flags = flagsChanged ? changedFlags(context, plan, message) : "";
    const texts = await briefTexts(plan, early, message, pace);
    if (texts !== early) made?.add(base.uid, texts.filter((_, i) => keptOf(plan.items[i])));
    const writings = await allWritings(plan.items, texts, message, pace);
    failures.undecoded += plan.items.length - writings.length;
    if (writings.length === 0) {
      if (flags !== "") {
        out.text(`${fetchOpening(context.session, base.seq, base.uid)}${flags.trim()})\r\n`);
      }
      return;
    }
    out.midway = true;
    out.text(fetchOpening(context.session, base.seq, base.uid));
    for (const [i, write] of writings.entries()) {
      if (i > 0) out.text(" ");
      const written = write(out);
      if (written) await written;
    }
    out.text(`${flags})\r\n`);
    out.midway = false;
  } finally {
    stored.close();
  }
}

/** The texts with those of items that look into the message. */
async function briefTexts(
  { items }: FetchPlan,
  texts: readonly string[],
  message: FetchedMessage,
  pace: Pace,
): Promise<readonly (string | undefined)[]> {
  if (!items.some((item) => "brief" in item)) return texts;
  const all: (string | undefined)[] = [];
  for (const [i, item] of items.entries()) {
    all.push("brief" in item ? await item.brief.textOf(message) : texts[i]);
    if (pace.due()) await pace.turn();
  }
  return all;
}

/** Makes ready what takes long, before the answer begins; leaves out what cannot be made. */
async function allWritings(
  items: readonly PlannedItem[],
  texts: readonly (string | undefined)[],
  message: FetchedMessage,
  pace: Pace,
): Promise<readonly Writing[]> {
  const writings: Writing[] = [];
  for (const [i, item] of items.entries()) {
    const text = texts[i];
    if ("write" in item) writings.push(item.write(message));
    else if ("ready" in item) {
      const writing = await item.ready(message, pace);
      if (writing !== undefined) writings.push(writing);
    } else if (text !== undefined) writings.push((out) => out.text(text));
    else if ("brief" in item) writings.push(await item.brief.long(message, pace));
    if (pace.due()) await pace.turn();
  }
  return writings;
}

/** The message with its place in the columns, unless it was expunged meanwhile. */
function located(
  base: Named,
  stored: StoredMessage,
  failures: Failures,
): FetchedMessage | undefined {
  const index = base.view.indexOf(base.uid, base.seq);
  if (index < 0) {
    failures.gone++;
    return undefined;
  }
  return { ...base, index, opened: new OpenedMessage(stored, base.cached.parts) };
}

function textOf(item: PlannedItem, message: FetchedMessage): string {
  if ("text" in item) return item.text(message);
  return "lasting" in item ? item.lasting.textOf(message.cached) : "";
}

/** Opens a message; one that cannot be read is logged, counted and stepped over. */
async function open(
  { view, log }: SelectedContext,
  uid: number,
  failures: Failures,
  room: TextRoom | undefined,
): Promise<StoredMessage | undefined> {
  try {
    const stored = await view.mailbox.read(uid, room?.free);
    if (stored.whole !== undefined) room?.take(stored.whole);
    return stored;
  } catch (error) {
    // The next ones could not be read either.
    if (!(error instanceof StoreError) || error.code === "unavailable") throw error;
    if (error.code === "message-gone") failures.gone++;
    else failures.unreadable++;
    log.warn("message not sent", {
      uid,
      mailbox: view.mailbox.name,
      error: error.message,
      cause: error.cause === undefined ? undefined : String(error.cause),
    });
    return undefined;
  }
}

/** What an implicit \Seen changed, unless the client asked for it anyway. */
function changedFlags(
  { view, session }: SelectedContext,
  plan: FetchPlan,
  { index, uid }: FetchedMessage,
): string {
  const flags = plan.tellsFlags ? "" : ` FLAGS (${view.flagsAt(index, uid)})`;
  if (!session.condstore || plan.tellsModseq) return flags;
  return `${flags} MODSEQ (${view.mailbox.messages.modseqs[index]})`;
}

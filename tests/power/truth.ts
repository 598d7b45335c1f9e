/** What clients were told of their mailboxes, and whether a store still has it. */

import { type Account, FLAG } from "../../src/store/store.ts";
import { flagsOf, wholeText } from "../contracts/store_actions.ts";

export interface KnownMessage {
  readonly text: string;
  /** In order, as in `\Seen foo`. */
  readonly flags: string;
}

export interface KnownMailbox {
  readonly uidValidity: number;
  /** The least that they may be: what was told of them. */
  readonly uidNext: number;
  readonly modseq: number;
  readonly messages: ReadonlyMap<number, KnownMessage>;
}

/** Never changed in place: each step of a session has one before and one after it. */
export interface Truth {
  readonly mailboxes: ReadonlyMap<string, KnownMailbox>;
  readonly subscribed: ReadonlySet<string>;
  /** By `MAILBOX ENTRY`. */
  readonly annotations: ReadonlyMap<string, string>;
}

export const NOTHING_KNOWN: Truth = {
  mailboxes: new Map(),
  subscribed: new Set(),
  annotations: new Map(),
};

/** A command of a session. */
export interface Step {
  readonly tag: string;
  readonly command: string;
  readonly before: Truth;
  readonly after: Truth;
}

export function flagText(flags: readonly string[]): string {
  return [...flags].sort().join(" ");
}

/** What a store has of a session's mailboxes. */
export async function found(
  account: Account,
  owns: (mailbox: string) => boolean,
  annotated: Iterable<string>,
): Promise<Truth> {
  const mailboxes = new Map<string, KnownMailbox>();
  for (const { name, selectable } of account.list()) {
    if (!owns(name) || !selectable) continue;
    const mailbox = await account.open(name);
    try {
      const messages = new Map<number, KnownMessage>();
      for (const [uid, bits, keywords] of flagsOf(mailbox)) {
        messages.set(uid, {
          text: await wholeText(mailbox, uid),
          flags: flagText([...systemFlags(bits), ...keywords]),
        });
      }
      const { uidValidity, uidNext, highestModseq } = mailbox;
      mailboxes.set(name, { uidValidity, uidNext, modseq: highestModseq, messages });
    } finally {
      mailbox.close();
    }
  }
  const annotations = new Map<string, string>();
  for (const key of annotated) {
    const [mailbox, entry] = key.split(" ");
    const value = mailboxes.has(mailbox) && await account.annotation(mailbox, entry);
    if (value) annotations.set(key, new TextDecoder().decode(value));
  }
  const subscribed = new Set(account.subscriptions().filter(owns));
  return { mailboxes, subscribed, annotations };
}

const FLAGS = Object.entries(FLAG).map(([name, bit]) =>
  [`\\${name[0].toUpperCase()}${name.slice(1)}`, bit] as const
);

function systemFlags(bits: number): string[] {
  return FLAGS.filter(([, bit]) => bits & bit).map(([name]) => name);
}

/**
 * How what was found breaks what was promised. All before the step was acknowledged; of the step
 * itself any part may have happened that does not lose or double a message.
 */
export function brokenPromises(
  found: Truth,
  { before, after }: Pick<Step, "before" | "after">,
): string[] {
  return [
    ...brokenMailboxes(found, before, after),
    ...brokenSubscriptions(found, before, after),
    ...brokenAnnotations(found, before, after),
  ];
}

function* brokenMailboxes(found: Truth, before: Truth, after: Truth): Iterable<string> {
  for (const name of new Set([...before.mailboxes.keys(), ...found.mailboxes.keys()])) {
    const [was, is, becomes] = [before, found, after].map(({ mailboxes }) => mailboxes.get(name));
    if (!is) {
      if (becomes) yield `${name} is lost`;
    } else if (!was && !becomes) yield `${name} is there, and was not, or was deleted`;
    else yield* brokenMailbox(name, is, was, becomes);
  }
  yield* brokenCounts(countsOf(found), countsOf(before), countsOf(after));
}

/** How often there is each text; under "" how many messages there are. */
function countsOf({ mailboxes }: Truth): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { messages } of mailboxes.values()) {
    for (const { text } of messages.values()) {
      for (const key of [text, ""]) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function* brokenCounts(
  found: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Iterable<string> {
  for (const text of new Set([...before.keys(), ...found.keys()])) {
    const count = found.get(text) ?? 0;
    const both = [before.get(text) ?? 0, after.get(text) ?? 0];
    const what = text === "" ? "messages" : nameOf(text);
    if (count < Math.min(...both)) yield `lost: ${what}: ${count}, not ${Math.min(...both)}`;
    if (count > Math.max(...both)) yield `doubled: ${what}: ${count}, not ${Math.max(...both)}`;
  }
}

function* brokenMailbox(
  name: string,
  is: KnownMailbox,
  was: KnownMailbox | undefined,
  becomes: KnownMailbox | undefined,
): Iterable<string> {
  const validities = [was, becomes].flatMap((mailbox) => mailbox ? [mailbox.uidValidity] : []);
  // Of one that is just being made, nobody was told.
  if (was && !validities.includes(is.uidValidity)) {
    yield `${name} has UIDVALIDITY ${is.uidValidity}, and had ${validities}`;
    return;
  }
  if (was && was.uidValidity === is.uidValidity) {
    if (is.uidNext < was.uidNext) yield `${name} has UIDNEXT ${is.uidNext}, and had ${was.uidNext}`;
    if (is.modseq < was.modseq) {
      yield `${name} has HIGHESTMODSEQ ${is.modseq}, and had ${was.modseq}`;
    }
  }
  for (const [uid, message] of is.messages) {
    const [known, next] = [was?.messages.get(uid), becomes?.messages.get(uid)];
    if (!known) {
      // What is just coming may be found like a delivery.
      if (was && uid < was.uidNext) {
        yield `${name} ${uid} came back, or has a UID that was given before`;
      }
    } else if (message.text !== known.text) {
      yield `${name} ${uid} has another text: "${nameOf(message.text)}"`;
    } else if (message.flags !== known.flags && message.flags !== next?.flags) {
      yield `${name} ${uid} has flags (${message.flags}), and had (${known.flags})`;
    }
  }
  for (const uid of was?.messages.keys() ?? []) {
    if (becomes?.messages.has(uid) && !is.messages.has(uid)) yield `${name} ${uid} is lost`;
  }
}

function* brokenSubscriptions(found: Truth, before: Truth, after: Truth): Iterable<string> {
  for (const name of new Set([...before.subscribed, ...found.subscribed])) {
    const [was, is, becomes] = [before, found, after].map(({ subscribed }) => subscribed.has(name));
    if (was === becomes && is !== was) {
      yield `the subscription of ${name} is ${is ? "back" : "lost"}`;
    }
  }
}

function* brokenAnnotations(found: Truth, before: Truth, after: Truth): Iterable<string> {
  for (const key of new Set([...before.annotations.keys(), ...after.annotations.keys()])) {
    const [was, is, becomes] = [before, found, after].map(({ annotations }) =>
      annotations.get(key)
    );
    if (is !== was && is !== becomes) yield `the annotation ${key} is ${is}, and was ${was}`;
  }
}

/** What a message may be called in a report. */
export function nameOf(text: string): string {
  return /^Subject: (.*)\r$/m.exec(text)?.[1] ?? `${text.length} octets: ${text.slice(0, 40)}`;
}

/** What clients of the model test do, and what should become of the mailbox by it. */

import assert from "node:assert/strict";
import { normalFlags, numbersOf } from "./client_model.ts";
import { BOX, type ModelSession } from "./model_session.ts";
import type { Random } from "./random.ts";
import type { Truth } from "./truth.ts";

/** Flags by UID, as they should be after a step. */
export type Expected = Map<number, string>;

/** What a step is given. */
export interface Step {
  readonly session: ModelSession;
  readonly random: Random;
  /** Before the step. */
  readonly truth: Truth;
  /** To be changed to what should be there afterwards. */
  readonly expected: Expected;
  /** Nobody else does anything meanwhile, so that the answer is certain. */
  readonly alone: boolean;
}

const FLAGS = ["\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "$One", "two"] as const;

const EXPUNGE_ISSUED = /^NO \[EXPUNGEISSUED\]/;

/** Messages that a command names. */
interface Named {
  readonly byUid: boolean;
  readonly set: string;
  readonly uids: readonly number[];
  /** Some are gone, and the client does not know. */
  readonly gone: boolean;
  /** Those that are there. */
  readonly present: readonly number[];
}

function name({ session, random, truth }: Step, most = 4): Named | undefined {
  const uids = random.some(session.model.known.map(({ uid = 0 }) => uid), most);
  if (uids.length === 0) return undefined;
  const byUid = session.byUidAlone || random.chance(0.5);
  const seqOf = (uid: number) => session.model.entries.findIndex((each) => each.uid === uid) + 1;
  const present = uids.filter((uid) => truth.messages.has(uid));
  const set = uids.map((uid) => byUid ? uid : seqOf(uid)).join(",");
  return { byUid, set, uids, gone: present.length < uids.length, present };
}

function prefix({ byUid }: Named): string {
  return byUid ? "UID " : "";
}

function changed(flags: string, mode: string, given: readonly string[]): string {
  const old = flags.split(" ");
  if (mode === "FLAGS") return normalFlags(given.join(" "));
  if (mode === "+FLAGS") return normalFlags([...new Set([...old, ...given])].join(" "));
  return normalFlags(old.filter((flag) => !given.includes(flag)).join(" "));
}

export async function store(step: Step): Promise<void> {
  const { session, random, truth, expected } = step;
  const named = name(step);
  if (named === undefined) return;
  const mode = random.pick(["FLAGS", "+FLAGS", "-FLAGS"]);
  // Who is told by itself cannot know whether that was before or after what it does in silence.
  const silent = (step.alone || !session.features.notify) && random.chance(0.5);
  const flags = random.some(FLAGS, 3);
  const since = session.features.qresync && random.chance(0.4)
    ? random.pick([
      session.model.highestModseq,
      Math.max(0, session.model.highestModseq - random.below(6)),
      session.find(named.uids[0])?.modseq ?? 1,
    ])
    : Infinity;
  for (const uid of named.present) {
    const { flags: before = "", modseq = 0 } = truth.messages.get(uid) ?? {};
    if (modseq <= since) expected.set(uid, changed(before, mode, flags));
  }
  const condition = since === Infinity ? "" : `(UNCHANGEDSINCE ${since}) `;
  const what = `${mode}${silent ? ".SILENT" : ""} (${flags.join(" ")})`;
  const { reply } = await session.command(
    `${prefix(named)}STORE ${named.set} ${condition}${what}`,
    ({ reply }) => {
      const failed = /\[MODIFIED (\S+)\]/.exec(reply)?.[1];
      const numbers = failed === undefined ? [] : numbersOf(failed);
      const left = numbers.map((n) => named.byUid ? n : session.model.entries[n - 1].uid);
      if (!silent) return;
      // What a silent STORE does is not told: the client knows it.
      for (const uid of named.uids) {
        const known = session.find(uid);
        if (known && !left.includes(uid)) known.flags = changed(known.flags ?? "", mode, flags);
      }
    },
  );
  if (!step.alone) return;
  assert.match(reply, named.gone && !named.byUid ? /^(OK|NO \[EXPUNGEISSUED\])/ : /^OK/);
}

export async function copyOrMove(step: Step): Promise<void> {
  const { session, random, truth, expected } = step;
  const named = name(step);
  if (named === undefined) return;
  const command = random.pick(["COPY", "MOVE", "MOVE"]);
  const destination = random.chance(0.3) ? BOX : "Other";
  const answer = await session.command(`${prefix(named)}${command} ${named.set} ${destination}`);
  if (named.gone && !named.byUid) return assert.match(answer.reply, /^NO \[EXPUNGEISSUED\]/);
  assert.match(answer.reply, /^OK/);
  const told = [...answer.untagged, answer.reply].map((text) =>
    /\[COPYUID \d+ (\S+) (\S+)\]/.exec(text)
  );
  const [, from, to] = told.find((found) => found !== null) ?? [];
  assert.equal(from === undefined, named.present.length === 0);
  if (from === undefined || to === undefined) return;
  assert.deepEqual(numbersOf(from), named.present);
  if (destination === BOX) {
    numbersOf(to).forEach((uid, i) =>
      expected.set(uid, truth.messages.get(named.present[i])?.flags ?? "")
    );
  }
  if (command === "MOVE") { for (const uid of named.present) expected.delete(uid); }
}

export async function expunge(step: Step): Promise<void> {
  const { session, random, truth, expected } = step;
  const named = random.chance(0.4) ? name({ ...step, random }) : undefined;
  const uids = named?.uids;
  const gone = [...truth.messages].filter(([uid, { flags }]) =>
    flags.includes("\\Deleted") && (uids?.includes(uid) ?? true)
  );
  for (const [uid] of gone) expected.delete(uid);
  const { reply } = await session.command(
    uids === undefined ? "EXPUNGE" : `UID EXPUNGE ${uids.join(",")}`,
  );
  assert.match(reply, /^OK/);
  if (!step.alone || session.features.quiet) return;
  const told = session.features.qresync && gone.length > 0;
  assert.equal(reply.includes("[HIGHESTMODSEQ "), told, reply);
}

/** A message as APPEND and REPLACE take it. */
function newMessage({ random, truth }: Step): { readonly sent: string; readonly flags: string } {
  const flags = random.some(FLAGS, 2).join(" ");
  const text = `Subject: m${truth.uidNext}\r\n\r\n${"x".repeat(random.below(50))}\r\n`;
  return { sent: `(${flags}) {${text.length}+}\r\n${text}`, flags: normalFlags(flags) };
}

/** APPEND of one or more messages. */
export async function append(step: Step): Promise<void> {
  const { session, random, truth, expected, alone } = step;
  const count = random.chance(0.7) ? 1 : 2 + random.below(2);
  const messages = Array.from({ length: count }, () => newMessage(step));
  const { reply } = await session.command(
    `APPEND ${BOX} ${messages.map(({ sent }) => sent).join(" ")}`,
  );
  if (!alone) return;
  const uids = numbersOf(/^OK \[APPENDUID \d+ (\S+)\]/.exec(reply)?.[1] ?? "");
  assert.deepEqual(uids, messages.map((_, i) => truth.uidNext + i), reply);
  messages.forEach(({ flags }, i) => expected.set(uids[i], flags));
}

export async function replace(step: Step): Promise<void> {
  const { session, random, truth, expected, alone } = step;
  const named = name(step, 1);
  if (named === undefined) return;
  const destination = random.chance(0.3) ? "Other" : BOX;
  const { sent, flags } = newMessage(step);
  const { untagged, reply } = await session.command(
    `${prefix(named)}REPLACE ${named.set} ${destination} ${sent}`,
  );
  // Who is told by itself may have been told while it asked.
  const gone = session.features.notify ? /^NO \[(EXPUNGEISSUED|NONEXISTENT)\]/ : EXPUNGE_ISSUED;
  if (alone ? named.gone : !reply.startsWith("OK")) return assert.match(reply, gone);
  assert.match(reply, /^OK/);
  if (!alone) return;
  const [uid] = untagged.flatMap((text) => /\[APPENDUID \d+ (\d+)\]/.exec(text)?.[1] ?? []);
  assert.ok(uid !== undefined, untagged.join("\n"));
  expected.delete(named.present[0]);
  if (destination !== BOX) return;
  assert.equal(Number(uid), truth.uidNext);
  expected.set(Number(uid), flags);
}

/** FETCH of what was told before, and of a text, which sets \Seen. */
export async function fetch(step: Step): Promise<void> {
  const { session, random, expected } = step;
  const named = name(step);
  if (named === undefined) return;
  const { qresync, uidOnly } = session.features;
  const items = qresync ? "UID FLAGS MODSEQ" : uidOnly ? "FLAGS" : "UID FLAGS";
  const text = random.chance(0.3) ? " BODY[9]" : "";
  if (text !== "") {
    for (const uid of named.present) {
      expected.set(uid, changed(expected.get(uid) ?? "", "+FLAGS", ["\\Seen"]));
    }
  }
  const { reply } = await session.command(`${prefix(named)}FETCH ${named.set} (${items}${text})`);
  if (!step.alone) return;
  assert.match(reply, named.gone && !named.byUid ? /^NO \[EXPUNGEISSUED\]/ : /^OK/);
}

/** UID FETCH of what changed since some time. */
export async function fetchChanged({ session, random, truth }: Step): Promise<void> {
  if (!session.features.qresync) return;
  const known = new Set(session.model.known.map(({ uid }) => uid));
  const since = Math.max(1, session.model.highestModseq - random.below(20));
  const { untagged } = await session.command(
    `UID FETCH 1:* (UID FLAGS MODSEQ) (CHANGEDSINCE ${since} VANISHED)`,
  );
  const told = new Set(untagged.map((text) => Number(/MODSEQ \((\d+)\)/.exec(text)?.[1] ?? 0)));
  for (const [uid, { modseq }] of truth.messages) {
    if (modseq > since && known.has(uid)) assert.ok(told.has(modseq), `UID ${uid}`);
  }
}

export async function search({ session, random, truth }: Step): Promise<void> {
  const { flag, key } = flagKey(random);
  const found = await results(session, random, `SEARCH ${returns(random)}${key}`);
  assert.deepEqual(
    found.uids,
    found.before.filter((uid) => has(truth, uid, flag)),
    `${session.name} ${key}`,
  );
}

/** SORT by size, and among equals as they stand. */
export async function sort({ session, random, truth }: Step): Promise<void> {
  const { flag, key } = flagKey(random);
  const reverse = random.chance(0.5);
  const criteria = `(${reverse ? "REVERSE " : ""}SIZE) US-ASCII ${key}`;
  const found = await results(session, random, `SORT ${returns(random)}${criteria}`);
  const size = (uid: number) => (reverse ? -1 : 1) * (truth.messages.get(uid)?.size ?? 0);
  assert.deepEqual(
    found.uids,
    found.before.filter((uid) => has(truth, uid, flag)).sort((a, b) => size(a) - size(b) || a - b),
    `${session.name} ${criteria}`,
  );
}

function flagKey(random: Random): { readonly flag: string; readonly key: string } {
  const flag = random.pick(FLAGS);
  const key = flag.startsWith("\\") ? flag.slice(1).toUpperCase() : `KEYWORD ${flag}`;
  return { flag, key };
}

function returns(random: Random): string {
  return random.chance(0.5) ? "RETURN (ALL) " : "";
}

function has(truth: Truth, uid: number, flag: string): boolean {
  return truth.messages.get(uid)?.flags.split(" ").includes(flag) ?? false;
}

/** UIDs that a search found, and those that the client knew before. */
async function results(
  session: ModelSession,
  random: Random,
  command: string,
): Promise<{ readonly uids: readonly number[]; readonly before: readonly number[] }> {
  // What it is told by itself may still be under way.
  if (session.features.notify) await session.command("NOOP");
  const byUid = session.byUidAlone || random.chance(0.5);
  const before = session.model.entries.map(({ uid = 0 }) => uid);
  const { untagged } = await session.command(`${byUid ? "UID " : ""}${command}`);
  const old = untagged.find((text) => /^\* (SEARCH|SORT)/.test(text));
  const set = untagged.map((text) => /^\* ESEARCH .* ALL (\S+)/.exec(text)?.[1]).find(Boolean);
  const numbers = old ? old.split(" ").slice(2).map(Number) : set ? numbersOf(set) : [];
  return { uids: byUid ? numbers : numbers.map((n) => before[n - 1]), before };
}

/** CLOSE or another end of the selected state, then SELECT. */
export async function reselect({ session, random, truth, expected }: Step): Promise<void> {
  const how = random.pick(["CLOSE", "UNSELECT", "SELECT Other", "reconnect"]);
  if (how === "CLOSE") {
    for (const [uid, { flags }] of truth.messages) {
      if (flags.includes("\\Deleted")) expected.delete(uid);
    }
  }
  if (how === "reconnect") {
    await session.close();
    await session.connect();
  } else await session.send(how);
  if (!session.features.qresync || session.saved.length === 0) return await session.select();
  const kinds = session.features.uidOnly
    ? ["all", "uids"] as const
    : ["all", "uids", "pairs"] as const;
  await session.resume(random.pick(session.saved), random.pick(kinds));
  assert.deepEqual(
    session.model.entries.map(({ uid, flags }) => [uid, flags]),
    [...expected].sort(([a], [b]) => a - b),
    `${session.name} came back`,
  );
}

export async function noop({ session, random }: Step): Promise<void> {
  await session.command(random.pick(["NOOP", "CHECK"]));
}

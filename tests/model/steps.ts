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

function name({ session, random, truth }: Step): Named | undefined {
  const uids = random.some(session.model.known.map(({ uid = 0 }) => uid), 4);
  if (uids.length === 0) return undefined;
  const byUid = session.features.uidOnly || random.chance(0.5);
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
  const silent = random.chance(0.5);
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
  if (!step.alone) return;
  const told = session.features.qresync && gone.length > 0;
  assert.equal(reply.includes("[HIGHESTMODSEQ "), told, reply);
}

export async function append({ session, random, truth, expected, alone }: Step): Promise<void> {
  const flags = random.some(FLAGS, 2);
  const text = `Subject: m${truth.uidNext}\r\n\r\n${"x".repeat(random.below(50))}\r\n`;
  const { reply } = await session.command(
    `APPEND ${BOX} (${flags.join(" ")}) {${text.length}+}\r\n${text}`,
  );
  if (!alone) return;
  const [, uid] = /^OK \[APPENDUID \d+ (\d+)\]/.exec(reply) ?? [];
  assert.equal(Number(uid), truth.uidNext, reply);
  expected.set(Number(uid), normalFlags(flags.join(" ")));
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
  const flag = random.pick(FLAGS);
  const key = flag.startsWith("\\") ? flag.slice(1).toUpperCase() : `KEYWORD ${flag}`;
  const byUid = session.features.uidOnly || random.chance(0.5);
  const before = session.model.entries.map(({ uid = 0 }) => uid);
  const { untagged } = await session.command(
    `${byUid ? "UID " : ""}SEARCH ${random.chance(0.5) ? "RETURN (ALL) " : ""}${key}`,
  );
  const old = untagged.find((text) => text.startsWith("* SEARCH"));
  const set = untagged.map((text) => /^\* ESEARCH .* ALL (\S+)/.exec(text)?.[1]).find(Boolean);
  const numbers = old ? old.split(" ").slice(2).map(Number) : set ? numbersOf(set) : [];
  assert.deepEqual(
    byUid ? numbers : numbers.map((n) => before[n - 1]),
    before.filter((uid) => truth.messages.get(uid)?.flags.split(" ").includes(flag)),
    `${session.name} ${key}`,
  );
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
}

export async function noop({ session, random }: Step): Promise<void> {
  await session.command(random.pick(["NOOP", "CHECK"]));
}

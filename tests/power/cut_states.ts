/** Cuts the power at points of a recorded run, and opens what is left with the real store. */

import { type KeptLog, silentLog } from "../store/maildir_fixture.ts";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import { Random } from "../model/random.ts";
import { Disk, DISK_CALLS } from "./disk.ts";
import {
  anything,
  CONTENTS,
  EVERYTHING,
  NAMES,
  NOTHING,
  ordered,
  type Survival,
  writeOut,
} from "./power_cut.ts";
import { isDelivered, type Recording, repliesOf } from "./recording.ts";
import type { SystemCall } from "./system_calls.ts";
import { COMMITS_FILE } from "../../src/store/maildir/commit_numbers.ts";
import { INDEX_FILE } from "../../src/store/maildir/schema.ts";
import { brokenPromises, found, NOTHING_KNOWN, type Step } from "./truth.ts";

/** A promise that a cut broke. */
export interface Broken {
  /** Such as `line 812, nothing`. */
  readonly cut: string;
  readonly problem: string;
}

/** What may be lost, as nothing is promised of it. */
const wanted = (name: string) => !name.startsWith("imapd-search.") && !name.endsWith("-shm");

/** Lines after which a power failure is worth a try, in order. */
function linesToCut(recording: Recording, random: Random, count: number): number[] {
  const lines = new Set<number>();
  const housekeeping = new Set<number>();
  const below = `${recording.dir}/mail/`;
  let tidied = 0;
  for (const { name, args, began, ended } of recording.calls) {
    const [at] = args;
    if (/^f(data)?sync$/.test(name) && at.kind === "file" && at.path.startsWith(below)) {
      lines.add(began - 1).add(ended);
      // What was done to files in the background is noted in the index by now.
      if (at.path.includes("/imapd.sqlite") && tidied-- > 0) housekeeping.add(ended);
    } else if (/^(rename|link|unlink|mkdir)/.test(name)) {
      lines.add(ended);
      const isLink = name.startsWith("link");
      if (!isLink && args.every((each) => each.kind !== "bytes" || inCur(each.bytes))) tidied = 2;
    }
  }
  for (const { line } of repliesOf(recording.calls)) lines.add(line);
  const chosen = [
    ...some(random, [...lines], count * 3 / 4),
    ...some(random, [...housekeeping], count / 4),
  ];
  return [...new Set(chosen)].sort((a, b) => a - b);
}

function inCur(path: Uint8Array): boolean {
  return /\/cur\/[^/]+$/.test(new TextDecoder().decode(path));
}

function some<T>(random: Random, values: readonly T[], count: number): T[] {
  const left = [...values];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) {
    chosen.push(...left.splice(random.below(left.length), 1));
  }
  return chosen;
}

/** The step that each session was at, at a line of the log. */
class Progress {
  readonly #lines: ReadonlyMap<string, number>;

  constructor(private readonly recording: Recording) {
    this.#lines = new Map(repliesOf(recording.calls).map(({ tag, line }) => [tag, line]));
    const tags = recording.sessions.flatMap(({ steps }) => steps.map(({ tag }) => tag));
    const silent = tags.find((tag) => !this.#lines.has(tag));
    if (silent !== undefined) throw new Error(`Expected a reply to ${silent} in the log`);
  }

  /** What was acknowledged, and what the step after it would make of that. */
  step(session: number, line: number): Pick<Step, "before" | "after"> {
    const { steps } = this.recording.sessions[session];
    const next = steps.find(({ tag }) => (this.#lines.get(tag) ?? 0) > line);
    const last = steps.at(-1)?.after ?? NOTHING_KNOWN;
    return next ?? { before: last, after: last };
  }

  /** How many messages of LMTP were acknowledged. */
  delivered(line: number): number {
    return this.recording.delivered
      .filter((_, i) => (this.#lines.get(`lmtp ${i + 1}`) ?? Infinity) <= line).length;
  }
}

/** Cuts at some of the lines, and says what was broken. */
export async function cut(
  recording: Recording,
  { seed, count, end = Infinity }: {
    readonly seed: number;
    readonly count: number;
    /** No more after this time, as of `Date.now()`. */
    readonly end?: number;
  },
): Promise<{ readonly cuts: number; readonly broken: readonly Broken[] }> {
  const random = new Random(seed);
  const disk = new Disk(recording.dir);
  const progress = new Progress(recording);
  const calls = recording.calls.filter(({ name }) => DISK_CALLS.has(name));
  const folder = await Deno.makeTempDir({ dir: await fastFolder(), prefix: "imapd-cut-" });
  const broken: Broken[] = [];
  let cuts = 0;
  let next = 0;
  try {
    for (const line of linesToCut(recording, random, count)) {
      if (Date.now() >= end) break;
      next = replay(disk, calls, next, line);
      for (const survival of survivals(random, line)) {
        const place = `${folder}/${++cuts}`;
        writeOut(disk, place, survival, wanted);
        for (const problem of await problemsOf(place, recording, progress, line)) {
          broken.push({ cut: `line ${line}, ${survival.name}`, problem });
        }
        await Deno.remove(place, { recursive: true });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { cuts, broken };
}

/** Applies all calls that ended up to a line; returns the first that did not. */
function replay(disk: Disk, calls: readonly SystemCall[], from: number, line: number): number {
  let next = from;
  for (; next < calls.length && calls[next].ended <= line; next++) disk.apply(calls[next]);
  return next;
}

function survivals(random: Random, line: number): Survival[] {
  const other = random.pick([
    EVERYTHING,
    NAMES,
    CONTENTS,
    ordered(random, Math.max(0, line - 60), line),
    anything(random),
    anything(random),
  ]);
  return [NOTHING, other];
}

/** Syncs cost nothing there. */
async function fastFolder(): Promise<string | undefined> {
  try {
    const folder = "/dev/shm";
    await Deno.remove(await Deno.makeTempDir({ dir: folder }));
    return folder;
  } catch {
    return undefined;
  }
}

async function problemsOf(
  place: string,
  recording: Recording,
  progress: Progress,
  line: number,
): Promise<string[]> {
  const log = silentLog();
  const store = new MaildirStore({
    path: (account) => `${place}/mail/${account}`,
    specialFolders: [],
    log,
  });
  keepBirths(`${place}/mail/${recording.user}`);
  try {
    return [
      ...await promisesBroken(store, recording, progress, line),
      ...complaints(log),
    ];
  } catch (error) {
    return [`cannot be used: ${error instanceof Error ? error.stack : error}`];
  } finally {
    await store.close();
  }
}

/** Says of two files when they were made, as a power failure makes no other ones of them. */
function keepBirths(maildir: string): void {
  const path = `${maildir}/${COMMITS_FILE}`;
  try {
    const born = [path, `${maildir}/${INDEX_FILE}`]
      .map((path) => Deno.statSync(path).birthtime?.getTime() ?? 0).join(" ");
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.replace(/^(\d+) \d+ \d+ /, `$1 ${born} `));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** An index that was found damaged, or older than it was, was not in order on the disk. */
function complaints({ lines }: KeptLog): string[] {
  return lines.filter(({ level, fields }) => level === "error" || "doubt" in fields)
    .map(({ event, fields }) => `${event}: ${JSON.stringify(fields)}`);
}

async function promisesBroken(
  store: MaildirStore,
  { user, sessions, delivered }: Recording,
  progress: Progress,
  line: number,
): Promise<string[]> {
  const account = await store.account(user);
  const problems: string[] = [];
  for (const [i, { owns }] of sessions.entries()) {
    const step = progress.step(i, line);
    const annotated = [...step.before.annotations.keys(), ...step.after.annotations.keys()];
    problems.push(...brokenPromises(await found(account, owns, new Set(annotated)), step));
  }
  const inbox = await found(account, (name) => name === "INBOX", []);
  const stored = [...inbox.mailboxes.get("INBOX")?.messages.values() ?? []];
  const acknowledged = progress.delivered(line);
  for (const [i, text] of delivered.entries()) {
    const count = stored.filter((one) => isDelivered(text, one.text)).length;
    if (count === 0 && i < acknowledged) problems.push(`lost: lmtp ${i + 1}`);
    if (count > (i <= acknowledged ? 1 : 0)) problems.push(`doubled: lmtp ${i + 1}: ${count}`);
  }
  return problems;
}

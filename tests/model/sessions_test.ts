/**
 * Clients that enabled different things change one mailbox at random, and so does another program.
 * Each keeps what it knows by the untagged responses alone, which must be what is there.
 *
 * `deno task model` does more of it.
 *
 *     MODEL_SEED=17 MODEL_STEPS=100000 deno test -A tests/model
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { ImapClient, PATIENCE } from "../client.ts";
import type { Features } from "./client_model.ts";
import { PASSWORD, serving, USER } from "../net/serving.ts";
import { BOX, ModelSession } from "./model_session.ts";
import { changeFromOutside } from "./outside.ts";
import { Random } from "./random.ts";
import {
  append,
  copyOrMove,
  type Expected,
  expunge,
  fetch,
  fetchChanged,
  noop,
  replace,
  reselect,
  search,
  sort,
  type Step,
  store,
} from "./steps.ts";
import { Observer, type Truth } from "./truth.ts";

const SEED = Number(Deno.env.get("MODEL_SEED") ?? Date.now() % 1_000_000);
const STEPS = Number(Deno.env.get("MODEL_STEPS") ?? 2500);
/** A slow machine does fewer steps rather than hold up all tests. */
const LONGEST_MS = Deno.env.has("MODEL_STEPS") ? Infinity : 15_000;
/** One response may take {@link PATIENCE}, a step has many. */
const LONGEST_STEP_MS = 3 * PATIENCE;
const MESSAGES = 25;
/** Files in memory: what is durable is not what is tested. */
const MEMORY = "/dev/shm";

const ACTIONS: readonly (readonly [weight: number, action: (step: Step) => Promise<void>])[] = [
  [24, store],
  [12, append],
  [10, copyOrMove],
  [7, expunge],
  [8, fetch],
  [6, fetchChanged],
  [6, replace],
  [6, search],
  [4, sort],
  [4, reselect],
  [6, noop],
];

const PLAIN: Features = {
  qresync: false,
  uidOnly: false,
  rev2: false,
  notify: false,
  quiet: false,
};

function anyAction(random: Random): (step: Step) => Promise<void> {
  let at = random.below(ACTIONS.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, action] of ACTIONS) if ((at -= weight) < 0) return action;
  throw new Error("Expected an action");
}

class Run {
  readonly sessions: readonly ModelSession[];
  readonly random = new Random(SEED);
  truth: Truth = { uidNext: 1, highestModseq: 1, messages: new Map() };

  constructor(
    port: number,
    private readonly maildir: string,
    private readonly observer: Observer,
    private readonly mover: ImapClient,
  ) {
    const session = (name: string, features: Partial<Features>) =>
      new ModelSession(name, { ...PLAIN, ...features }, port);
    this.sessions = [
      session("plain", {}),
      session("qresync", { qresync: true }),
      session("uidonly", { uidOnly: true, rev2: true }),
      session("uidonly and qresync", { uidOnly: true, qresync: true }),
      session("notify", { notify: true }),
      session("notify without flags", { notify: true, qresync: true, quiet: true }),
    ];
  }

  /** One thing that one client does, or several at once, or another program. */
  async step(): Promise<void> {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 4) await this.outside();
    else if (kind < 8) await this.moveBack();
    else if (kind < 14) await this.atOnce();
    else if (kind < 18) await this.whileIdle();
    else await this.alone(random.pick(this.sessions));
    if (random.chance(0.35)) await random.pick(this.sessions).verify(this.truth);
  }

  async alone(session: ModelSession): Promise<void> {
    const { random, truth } = this;
    const expected: Expected = new Map(
      [...truth.messages].map(([uid, { flags }]) => [uid, flags]),
    );
    const full = truth.messages.size > MESSAGES;
    const action = full && random.chance(0.5) ? copyOrMove : anyAction(random);
    await action({ session, random, truth, expected, alone: true });
    const now = await this.observer.look();
    assert.deepEqual(
      [...now.messages].map(([uid, { flags }]) => [uid, flags]),
      [...expected].sort(([a], [b]) => a - b),
      `${action.name} by ${session.name}`,
    );
    this.compareModseqs(truth, now);
    this.truth = now;
  }

  /** What changed has a new mod-sequence, and nothing else. */
  compareModseqs(before: Truth, now: Truth): void {
    for (const [uid, { flags, modseq }] of now.messages) {
      const old = before.messages.get(uid);
      if (old === undefined || old.flags !== flags) assert.ok(modseq > before.highestModseq);
      else assert.equal(modseq, old.modseq, `UID ${uid}`);
    }
    for (const uid of before.messages.keys()) {
      if (!now.messages.has(uid)) assert.ok(now.highestModseq > before.highestModseq);
    }
  }

  async look(): Promise<void> {
    this.truth = await this.observer.look();
  }

  async outside(): Promise<void> {
    const { uidNext } = this.truth;
    changeFromOutside(this.maildir, this.random);
    // The kernel tells of it when it likes, but in order.
    for (const end = Date.now() + PATIENCE; this.truth.uidNext === uidNext;) {
      assert.ok(Date.now() < end, "what another program did was not seen");
      await this.look();
    }
  }

  /** A client that has the other mailbox selected brings messages back, or throws them away. */
  async moveBack(): Promise<void> {
    const command = this.random.chance(0.5)
      ? "UID MOVE 1:* Box"
      : "UID STORE 1:* +FLAGS.SILENT (\\Deleted)";
    await this.mover.command("UID SEARCH ALL");
    const few = this.random.chance(0.5);
    await this.mover.command(few ? command.replace("1:*", "*") : command);
    await this.mover.command("EXPUNGE");
    await this.look();
  }

  /** Nobody knows who comes first; afterwards all must agree. */
  async atOnce(): Promise<void> {
    const { random, truth } = this;
    const actions = [store, expunge, fetch, noop, append, replace];
    await Promise.all(
      random.some(this.sessions, 4).map(async (session) => {
        const expected: Expected = new Map();
        for (let i = random.below(3); i >= 0; i--) {
          await random.pick(actions)({ session, random, truth, expected, alone: false });
        }
      }),
    );
    await this.look();
    for (const session of this.sessions) await session.verify(this.truth);
  }

  async whileIdle(): Promise<void> {
    const { random } = this;
    const idle = random.pick(this.sessions);
    idle.client.line("i IDLE");
    const before = await idle.untilContinuation();
    await this.alone(random.pick(this.sessions.filter((each) => each !== idle)));
    if (random.chance(0.3)) await this.outside();
    idle.client.line("DONE");
    const { untagged, reply } = await idle.client.answer("i");
    for (const response of untagged) idle.note(`S: ${response}`);
    idle.model.take([...before, ...untagged], reply);
    await idle.learn();
    await idle.verify(this.truth);
  }
}

Deno.test(`all clients know what is in a mailbox, whatever happens (seed ${SEED})`, async () => {
  await using server = await serving(
    ['listen = ["tcp://127.0.0.1:0"]\ninsecure_auth = true'],
    { parent: existsSync(MEMORY) ? MEMORY : undefined },
  );
  const [port] = server.ports;
  await using mover = await ImapClient.login({ host: "127.0.0.1", port }, USER, PASSWORD);
  for (const command of [`CREATE ${BOX}`, "CREATE Other", "SELECT Other"]) {
    assert.match((await mover.command(command)).reply, /^OK/);
  }
  const observer = await Observer.connect(port, BOX);
  const maildir = `${server.dir}/${await folderOf(server.dir)}`;
  const run = new Run(port, maildir, observer, mover);
  let step = 0;
  try {
    for (const session of run.sessions) {
      await inTime(session.connect());
      await inTime(session.select());
    }
    const end = Date.now() + LONGEST_MS;
    for (; step < STEPS && Date.now() < end; step++) await inTime(run.step());
    for (const session of run.sessions) await inTime(session.verify(run.truth));
  } catch (error) {
    const traces = run.sessions.map(({ name, trace }) => `--- ${name}\n${trace.join("\n")}`);
    const log = server.lines.filter((line) => /bug|ERROR/i.test(line)).join("\n");
    throw new Error(`Step ${step} of seed ${SEED}\n${traces.join("\n")}\n${log}`, { cause: error });
  } finally {
    for (const session of run.sessions) await session.close();
    await observer.close();
  }
  console.log(`${step} steps`);
});

/** Fails if a step takes far too long, whatever it waits for. */
async function inTime(step: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Expected a step to end within ${LONGEST_STEP_MS} ms`)),
    LONGEST_STEP_MS,
  );
  try {
    await Promise.race([step, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where the mailbox lies below the folder of the server. */
async function folderOf(dir: string): Promise<string> {
  const pending = [""];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(`${dir}/${at}`)) {
      if (!isDirectory) continue;
      if (name === `.${BOX}`) return `${at}/${name}`;
      pending.push(at === "" ? name : `${at}/${name}`);
    }
  }
  throw new Error("Expected a folder of the mailbox");
}

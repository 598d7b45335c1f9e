/** A client that only listens, and comes back with what it knew. */

import type { ImapClient } from "../client.ts";
import { ClientModel, type Features, type SavedState } from "../model/client_model.ts";
import type { Random } from "../model/random.ts";
import type { Journal } from "./journal.ts";
import type { Load } from "./load.ts";
import { connected, Session } from "./session.ts";
import { PATIENCE_MS, type TrueMailbox } from "./true_account.ts";

const FEATURES: Features = {
  qresync: true,
  uidOnly: false,
  rev2: false,
  notify: false,
  quiet: false,
};

/** So many states of a mailbox are kept, also of long ago. */
const MOST_STATES = 10;

/** What clients of an account knew at some times, by mailbox. */
export type States = Map<string, SavedState[]>;

/** Listens to one mailbox. */
export class WatchingSession extends Session {
  #model = new ClientModel(FEATURES);

  constructor(
    name: string,
    load: Load,
    journal: Journal,
    random: Random,
    private readonly mailbox: string,
    private readonly states: States,
  ) {
    super(name, load, journal, random);
  }

  protected override async connect(): Promise<void> {
    await super.connect();
    await this.ask("ENABLE QRESYNC");
    this.#model.clear();
    await this.#take(`SELECT ${this.mailbox}`);
  }

  protected override async step(): Promise<void> {
    const { random } = this;
    if (random.chance(0.3)) await this.#idle();
    else await this.#take(random.chance(0.5) ? "NOOP" : "UID FETCH 1:* (FLAGS MODSEQ)");
    await new Promise((resolve) => setTimeout(resolve, random.below(20)));
  }

  /** Sends a command, learns from what comes, and asks about what is only counted. */
  async #take(command: string): Promise<void> {
    const { untagged, reply } = await this.ask(command);
    const model = this.#model;
    model.take(untagged, reply);
    if (model.known.length < model.entries.length) {
      const first = model.entries.findIndex(({ uid }) => uid === undefined) + 1;
      const more = await this.ask(`FETCH ${first}:* (UID FLAGS MODSEQ)`);
      model.take(more.untagged, more.reply);
    }
    if (model.known.length < model.entries.length) return;
    keepState(this.states, this.mailbox, model.save(), this.random);
  }

  async #idle(): Promise<void> {
    const { client, random } = this;
    client.line("idle IDLE");
    const before: string[] = [];
    for (;;) {
      const response = await client.response(PATIENCE_MS);
      if (response === undefined) throw new Error("Expected a continuation: got the end");
      if (response.startsWith("+")) break;
      before.push(response);
    }
    await new Promise((resolve) => setTimeout(resolve, random.below(50)));
    client.line("DONE");
    const { untagged, reply } = await client.answer("idle", PATIENCE_MS);
    this.#model.take([...before, ...untagged], reply);
    await this.#take("NOOP");
  }
}

/** Keeps what a client knows of a mailbox. */
export function keepState(
  states: States,
  mailbox: string,
  state: SavedState,
  random: Random,
): void {
  const saved = states.get(mailbox) ?? [];
  // One of long ago is kept as long as chance wants.
  if (saved.length >= MOST_STATES) saved.splice(random.below(saved.length), 1);
  states.set(mailbox, [...saved, state]);
}

/** Comes back with what clients knew, and compares what they learn with what is there. */
export async function resync(
  load: Load,
  journal: Journal,
  states: States,
  truth: readonly TrueMailbox[],
): Promise<void> {
  await using client = await connected(load.port, journal.user);
  await client.command("ENABLE QRESYNC", PATIENCE_MS);
  for (const [mailbox, saved] of states) {
    const box = truth.find(({ name }) => name === mailbox);
    if (box === undefined) continue;
    for (const [i, state] of saved.entries()) {
      const wrong = await comesBack(client, state, box, i % 2 === 0);
      if (wrong !== undefined) {
        journal.faults.add("resync wrong", `${journal.user} ${mailbox}: ${wrong}`);
      }
      if (isBehind(box, state)) {
        const saw = `${state.uidValidity} ${state.uidNext} ${state.highestModseq}`;
        journal.faults.add("numbers back", `${journal.user} ${mailbox}: a client saw ${saw}`);
      }
    }
  }
}

/** What is wrong with what a client learns, of all messages or of those that it knew. */
async function comesBack(
  client: ImapClient,
  state: SavedState,
  box: TrueMailbox,
  all: boolean,
): Promise<string | undefined> {
  const known = state.entries.map(({ uid }) => uid);
  const uids = all || known.length === 0 ? "" : ` ${known.join(",")}`;
  const command =
    `SELECT ${box.name} (QRESYNC (${state.uidValidity} ${state.highestModseq}${uids}))`;
  const { untagged, reply } = await client.command(command, PATIENCE_MS);
  const model = new ClientModel(FEATURES);
  try {
    model.resume(state, untagged);
  } catch (error) {
    return `${command}: ${error}`;
  }
  const found = model.entries.map(({ uid, flags }) => [uid, flags]);
  const wanted = [...box.messages].map(([uid, { flags }]) => [uid, flags])
    .filter(([uid]) => uids === "" || known.some((each) => each === uid));
  const [told, there] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (told === there && reply.startsWith("OK")) return undefined;
  return `${command}: ${told}, not ${there}; ${reply}`;
}

function isBehind(box: TrueMailbox, state: SavedState): boolean {
  return box.uidValidity !== state.uidValidity || box.uidNext < state.uidNext ||
    box.highestModseq < state.highestModseq;
}

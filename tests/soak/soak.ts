/**
 * Clients work on some accounts at once while the server is killed and started again; each time all
 * that is there is compared with what they were told.
 */

import { Random } from "../model/random.ts";
import { DeliveringSession } from "./delivering_session.ts";
import { Faults } from "./faults.ts";
import { FolderSession } from "./folder_session.ts";
import { Journal } from "./journal.ts";
import { Load } from "./load.ts";
import { MailSession } from "./mail_session.ts";
import { NotifiedSession } from "./notified_session.ts";
import { reckon } from "./reckoning.ts";
import { connected, lookAt } from "./session.ts";
import { messageText } from "./soak_message.ts";
import { SoakedProgram } from "./soaked_program.ts";
import { PATIENCE_MS } from "./true_account.ts";
import { resync, type States, WatchingSession } from "./watching_session.ts";

export interface SoakOptions {
  readonly seed: number;
  /** It ends after so many kills, or so many milliseconds. */
  readonly kills: number;
  readonly milliseconds: number;
  readonly accounts?: number;
  /** Clients that change messages, of each account. */
  readonly clients?: number;
  /** The command that serves. */
  readonly command?: readonly string[];
  /** Keep the state of the server when something went wrong. */
  readonly keep?: boolean;
  /** Told what goes wrong, when it does. */
  readonly tell?: (line: string) => void;
  /** Told now and then how far it is. */
  readonly progress?: (line: string) => void;
}

/** Rounds between two lines of progress. */
const ROUNDS_PER_LINE = 50;

export interface SoakSummary {
  readonly faults: Faults;
  readonly operations: number;
  readonly unanswered: number;
  readonly kills: number;
  /** Of the kills. */
  readonly killsWhileStarting: number;
  /** Ends by SIGTERM, some of them cut short by a kill. */
  readonly stops: number;
  /** Rounds that ended with no process. */
  readonly rests: number;
  readonly counts: ReadonlyMap<string, number>;
  /** MB of the largest process. */
  readonly memory: number;
  /** MB of all accounts at the end. */
  readonly disk: number;
  /** The last commands and answers, when there were faults. */
  readonly trace: readonly string[];
  /** The state of the server, which is gone unless it was to be kept. */
  readonly dir: string;
}

/** Mailboxes that stay. */
const BOXES = ["INBOX", "Box", "Other"];
const WANDERERS = 5;
/** So long after start-up a process may be killed, in milliseconds. */
const START_MS = 400;

interface Account {
  readonly journal: Journal;
  readonly states: States;
}

/** Runs to its end. */
export async function soak(options: SoakOptions): Promise<SoakSummary> {
  const soaked = new Soak(options);
  return await soaked.run();
}

class Soak {
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #load = new Load();
  readonly #accounts: Account[] = [];
  #kills = 0;
  #killsWhileStarting = 0;
  #stops = 0;
  #rests = 0;
  #unanswered = 0;

  constructor(private readonly options: SoakOptions) {
    this.#random = new Random(options.seed);
    this.#faults = new Faults(options.tell);
    for (let i = 1; i <= (options.accounts ?? 2); i++) {
      this.#accounts.push({ journal: new Journal(`u${i}`, this.#faults), states: new Map() });
    }
  }

  async run(): Promise<SoakSummary> {
    await using program = await SoakedProgram.make(this.options.command);
    this.#load.lmtp = program.lmtp;
    await this.#begin(program);
    const end = Date.now() + this.options.milliseconds;
    for (let round = 1; this.#kills < this.options.kills && Date.now() < end; round++) {
      if (this.#faults.total > 0) break;
      await this.#round(program);
      if (round % ROUNDS_PER_LINE > 0) continue;
      this.options.progress?.(`${this.#load.operations} operations, ${this.#kills} kills`);
    }
    if (this.#faults.total === 0) await this.#rest(program);
    else if (this.options.keep) program.keep = true;
    return {
      faults: this.#faults,
      operations: this.#load.operations,
      unanswered: this.#unanswered,
      kills: this.#kills,
      killsWhileStarting: this.#killsWhileStarting,
      stops: this.#stops,
      rests: this.#rests,
      counts: this.#load.counts,
      memory: program.peakMemory,
      disk: diskUsage(`${program.dir}/mail`),
      dir: program.dir,
      trace: this.#faults.total > 0 ? this.#load.trace : [],
    };
  }

  /** Makes the accounts. */
  async #begin(program: SoakedProgram): Promise<void> {
    program.spawn();
    await program.serving();
    this.#reach(program);
    for (const { journal } of this.#accounts) {
      await using client = await connected(program.port, journal.user);
      for (const name of BOXES.slice(1)) await client.command(`CREATE ${name}`, PATIENCE_MS);
      for (let i = 0; i < WANDERERS; i++) {
        const token = this.#load.nextToken();
        journal.wanderers.add(token);
        await client.append("INBOX", messageText(token));
      }
      const truth = await lookAt(program.port, journal.user);
      for (const { name } of truth.mailboxes) journal.created.add(name);
      for (const name of truth.subscribed) journal.subscribed.add(name);
      reckon(journal, truth);
    }
  }

  /** Some work, an end, a start, and a comparison. */
  async #round(program: SoakedProgram): Promise<void> {
    const sessions = this.#sessions(program);
    this.#load.stopping = this.#load.killed = false;
    const working = sessions.map((each) => each.run());
    const kind = this.#random.below(100);
    const most = kind < 5 ? 1500 : this.#random.chance(0.2) ? 10 : 250;
    await first([this.#load.answers(1 + this.#random.below(most)), ...working]);
    await pause(this.#random.below(12));
    if (kind < 8) {
      this.#load.stopping = true;
      await Promise.all(working);
      this.#rests++;
    } else {
      await this.#end(program, kind < 18);
      await Promise.all(working);
      await this.#start(program);
    }
    for (const { journal } of this.#accounts) this.#unanswered += journal.open.size;
    this.#load.note("----- what is there");
    await Promise.all(this.#accounts.map((account) => this.#compare(account)));
    for (const line of program.bugs) this.#faults.add("bugs", line);
  }

  #sessions(program: SoakedProgram): { run(): Promise<void> }[] {
    const journals = this.#accounts.map(({ journal }) => journal);
    const chance = () => new Random(this.#random.below(2 ** 31));
    const maildir = (user: string) => program.maildir(user);
    const load = this.#load;
    return [
      new DeliveringSession(load, journals, chance(), maildir),
      ...this.#accounts.flatMap(({ journal, states }) => [
        ...Array.from(
          { length: this.options.clients ?? 3 },
          (_, i) => new MailSession(`${journal.user}.${i}`, load, journal, chance()),
        ),
        new FolderSession(`${journal.user}.folders`, load, journal, chance()),
        ...BOXES.slice(0, 2).map((box) =>
          new WatchingSession(`${journal.user}.${box}`, load, journal, chance(), box, states)
        ),
        new NotifiedSession(
          `${journal.user}.notified`,
          load,
          journal,
          chance(),
          this.#random.pick(BOXES.slice(0, 2)),
          states,
        ),
      ]),
    ];
  }

  /** By SIGKILL, or as an administrator does, who may lose patience. */
  async #end(program: SoakedProgram, gently: boolean): Promise<void> {
    this.#load.killed = this.#load.stopping = true;
    if (gently) {
      this.#stops++;
      program.signal("SIGTERM");
      if (this.#random.chance(0.5)) {
        await program.ended();
        return;
      }
      await pause(this.#random.below(20));
    }
    this.#load.note("----- killed");
    this.#kills++;
    program.signal("SIGKILL");
    await program.ended();
  }

  /** Some processes are killed while they start, or when the first clients come. */
  async #start(program: SoakedProgram): Promise<void> {
    program.spawn();
    while (this.#random.chance(0.3)) {
      if (this.#random.chance(0.5)) await pause(this.#random.below(START_MS));
      else await this.#firstClients(program);
      this.#kills++;
      this.#killsWhileStarting++;
      program.signal("SIGKILL");
      await program.ended();
      program.spawn();
    }
    await program.serving();
    this.#reach(program);
  }

  #reach({ port, tlsPort }: SoakedProgram): void {
    Object.assign(this.#load, { port, tlsPort });
  }

  /** Accounts are opened, and put in order by that, until chance ends it. */
  async #firstClients(program: SoakedProgram): Promise<void> {
    await program.serving();
    const looks = this.#accounts.map(({ journal }) =>
      lookAt(program.port, journal.user).then(() => {}, () => {})
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, this.#random.below(150));
    await promise;
    program.signal("SIGKILL");
    await Promise.all(looks);
  }

  async #compare({ journal, states }: Account): Promise<void> {
    const truth = await lookAt(this.#load.port, journal.user);
    reckon(journal, truth);
    await resync(this.#load, journal, states, truth.mailboxes);
  }

  /** After a stop in order each message is one file, and nothing is left beside them. */
  async #rest(program: SoakedProgram): Promise<void> {
    const counts = await Promise.all(this.#accounts.map(async ({ journal }) => {
      const { mailboxes } = await lookAt(this.#load.port, journal.user);
      return mailboxes.reduce((sum, { messages }) => sum + messages.size, 0);
    }));
    program.signal("SIGTERM");
    await program.ended();
    this.#accounts.forEach(({ journal: { user } }, i) => {
      const files = messageFiles(program.maildir(user));
      if (files === counts[i]) return;
      this.#faults.add(files < counts[i] ? "lost" : "doubled", `${user}: ${files} files`);
    });
  }
}

/** How many files there are in `cur/` and `new/` of all folders. */
function messageFiles(maildir: string): number {
  const folders = [...Deno.readDirSync(maildir)]
    .filter(({ name, isDirectory }) => isDirectory && name.startsWith("."))
    .map(({ name }) => `${maildir}/${name}`);
  const parts = [maildir, ...folders].flatMap((folder) => [`${folder}/cur`, `${folder}/new`]);
  return parts.reduce((sum, part) => sum + filesIn(part), 0);
}

function filesIn(directory: string): number {
  try {
    return [...Deno.readDirSync(directory)].length;
  } catch (error) {
    // Of a folder that was being made when the server was killed.
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** In MB. */
function diskUsage(folder: string): number {
  const size = (path: string): number =>
    [...Deno.readDirSync(path)].reduce(
      (sum, { name, isDirectory }) =>
        sum + (isDirectory ? size(`${path}/${name}`) : Deno.statSync(`${path}/${name}`).size),
      0,
    );
  return Math.round(size(folder) / 1e6);
}

/** Waits for one of them, and no longer than the server may take for an answer. */
async function first(promises: readonly Promise<void>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  await Promise.race([...promises, promise]);
  clearTimeout(timer);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

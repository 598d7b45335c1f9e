/** One client of the soak: sends commands, and notes what it is told. */

import { type Answer, ImapClient } from "../client.ts";
import { PASSWORD } from "../harness.ts";
import { normalFlags, numbersOf } from "../model/client_model.ts";
import type { Random } from "../model/random.ts";
import type { Change, Journal, MailboxRecord, Named } from "./journal.ts";
import type { Load } from "./load.ts";
import { tokenOf } from "./soak_message.ts";
import { PATIENCE_MS, readAccount, type TrueAccount } from "./true_account.ts";

/** The server closed the connection though nobody had told it to. */
export class Cut extends Error {
  override readonly name = "Cut";
}

/** What all clients have in common. */
export abstract class Session {
  protected box: MailboxRecord | undefined;
  /** The server told it of all messages below this UID: a command may name no others. */
  protected told = 1;
  #client: ImapClient | undefined;

  constructor(
    protected readonly name: string,
    protected readonly load: Load,
    protected readonly journal: Journal,
    protected readonly random: Random,
  ) {}

  /** Works until the load ends or the server is killed. */
  async run(): Promise<void> {
    try {
      await this.connect();
      while (!this.load.stopping) await this.step();
      await this.finish();
    } catch (error) {
      if (!this.load.killed) this.journal.faults.add("bugs", `${this.name}: ${error}`);
    } finally {
      await this.#client?.close();
    }
  }

  /** One thing that a client does. */
  protected abstract step(): Promise<void>;

  /** After the last step, if the server still runs. */
  protected finish(): Promise<void> {
    return Promise.resolve();
  }

  protected async connect(): Promise<void> {
    const { load, random, journal: { user } } = this;
    const secure = random.chance(0.3);
    this.#client = secure
      ? await connected(load.tlsPort, user, "tls")
      : await connected(load.port, user);
    load.count(secure ? "logins over TLS" : "logins", true);
    if (random.chance(0.3)) await this.#compress();
    if (random.chance(0.5)) await this.ask("ENABLE QRESYNC");
  }

  async #compress(): Promise<void> {
    await this.#succeed("COMPRESS DEFLATE");
    this.client.compress();
  }

  async #succeed(command: string): Promise<void> {
    const { reply } = await this.ask(command);
    if (!reply.startsWith("OK")) throw new Error(`Expected OK to ${command}: got ${reply}`);
  }

  /** Logs in once more on the same connection, which is compressed no longer. */
  protected async loginAgain(): Promise<void> {
    this.box = undefined;
    await this.#succeed("UNAUTHENTICATE");
    this.client.uncompress();
    await this.#succeed(`LOGIN ${this.journal.user} ${PASSWORD}`);
  }

  protected get client(): ImapClient {
    if (this.#client === undefined) throw new Cut("not connected");
    return this.#client;
  }

  /** Sends a command and reads its answer. */
  protected async ask(command: string): Promise<Answer> {
    this.load.note(`${this.name} C: ${command.slice(0, 200)}`);
    const told = this.box?.uidNext ?? 1;
    const answer = await this.client.command(command, PATIENCE_MS);
    this.told = Math.max(this.told, told);
    this.load.note(`${this.name} S: ${answer.reply}`);
    this.#take(command, answer);
    return answer;
  }

  /** Sends a command that changes something, and notes whether it did. */
  protected async change(
    command: string,
    change: Change,
    comes: (answer: Answer) => readonly Named[] = () => [],
  ): Promise<Answer> {
    this.journal.begin(change);
    const answer = await this.ask(command);
    if (answer.reply.startsWith("OK")) this.journal.done(change, comes(answer));
    else {
      this.journal.undone(change);
      const places = [...change.leaves ?? [], ...change.comes ?? []];
      const uncertain = this.box?.uncertain || places.some(({ box }) => box.isFolder);
      if (!uncertain && !this.load.killed) {
        this.journal.faults.add("refused", `${this.name}: ${change.what}: ${answer.reply}`);
      }
    }
    return answer;
  }

  #take(command: string, { untagged, reply }: Answer): void {
    const verb = command.replace(/^(UID \S+|\S+)[^]*/, "$1");
    this.load.count(verb, reply.startsWith("OK"));
    if (/^BAD|SERVERBUG/.test(reply)) {
      this.journal.faults.add("bugs", `${this.name}: ${command.slice(0, 100)}: ${reply}`);
    }
    const { box } = this;
    if (box === undefined || box.gone || /^(SELECT|STATUS|EXAMINE|LIST)/.test(command)) return;
    for (const text of [...untagged, reply]) {
      const modseq = /(?:HIGHESTMODSEQ |MODSEQ \()(\d+)/.exec(text)?.[1];
      box.highestModseq = Math.max(box.highestModseq, Number(modseq ?? 0));
    }
  }

  /** Asks which messages there are, and so learns of deliveries. */
  protected async learn(box: MailboxRecord): Promise<Seen[]> {
    const answer = await this.ask("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
    const seen = answer.untagged.flatMap(seenOf);
    for (const { uid, token, flags } of seen) {
      this.journal.sees(box, uid, token);
      if (!this.journal.owed.delete(token)) continue;
      box.messages.set(uid, { uid, token, flags, claimed: false });
    }
    return seen;
  }

  /** Opens a mailbox; undefined if it is not there any more. */
  protected async select(box: MailboxRecord): Promise<void> {
    this.box = undefined;
    const { untagged, reply } = await this.ask(`SELECT "${box.name}"`);
    if (!reply.startsWith("OK")) {
      if (box.isFolder) return;
      return this.journal.faults.add("refused", `${this.name}: SELECT ${box.name}: ${reply}`);
    }
    const code = (key: string) => Number(codeOf(untagged, key) ?? 0);
    // By this name there may be another one by now.
    const found = this.journal.box(code("UIDVALIDITY"), box.name);
    if (found === undefined) return;
    found.highestModseq = Math.max(found.highestModseq, code("HIGHESTMODSEQ"));
    found.uidNext = Math.max(found.uidNext, code("UIDNEXT"));
    this.box = found;
    this.told = code("UIDNEXT");
  }
}

/** A message that a client learnt of. */
export interface Seen {
  readonly uid: number;
  readonly token: number;
  readonly flags: string;
}

/** The message that a FETCH response tells of with its UID and subject. */
export function seenOf(response: string): Seen[] {
  const uid = Number(/UID (\d+)/.exec(response)?.[1] ?? 0);
  const token = tokenOf(response);
  if (uid === 0 || token === undefined) return [];
  return [{ uid, token, flags: normalFlags(/FLAGS \(([^)]*)\)/.exec(response)?.[1] ?? "") }];
}

function codeOf(responses: readonly string[], key: string): string | undefined {
  return responses.map((text) => text.match(`\\[${key} ([^\\]]+)\\]`)?.[1]).find(Boolean);
}

/** Where arrivals are, by `APPENDUID`. */
export function appended({ untagged, reply }: Answer): readonly Named[] {
  const [uidValidity, set = ""] = codeOf([...untagged, reply], "APPENDUID")?.split(" ") ?? [];
  return numbersOf(set).map((uid) => ({ uidValidity: Number(uidValidity), uid }));
}

/** What was copied or moved, by `COPYUID`. */
export function copied({ untagged, reply }: Answer) {
  const [uidValidity, from = "", to = ""] = codeOf([...untagged, reply], "COPYUID")?.split(" ") ??
    [];
  const comes = numbersOf(to).map((uid) => ({ uidValidity: Number(uidValidity), uid }));
  return { from: numbersOf(from), comes };
}

/** Connects and logs in; an answer may take as long as a busy machine needs. */
export async function connected(
  port: number,
  user: string,
  mode: "plain" | "tls" = "plain",
): Promise<ImapClient> {
  const client = await ImapClient.connect({ host: "127.0.0.1", port }, mode);
  try {
    await client.response(PATIENCE_MS);
    const { reply } = await client.command(`LOGIN ${user} ${PASSWORD}`, PATIENCE_MS);
    if (!reply.startsWith("OK")) throw new Cut(`LOGIN: ${reply}`);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** All that is in an account. */
export async function lookAt(port: number, user: string): Promise<TrueAccount> {
  await using client = await connected(port, user);
  return await readAccount(client);
}

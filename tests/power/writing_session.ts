/** A client that changes mailboxes of its own, and keeps what it was told. */

import { type Answer, ImapClient, quoted } from "../client.ts";
import { PASSWORD, type TestServer } from "../harness.ts";
import type { Random } from "../model/random.ts";
import {
  flagText,
  type KnownMailbox,
  type KnownMessage,
  NOTHING_KNOWN,
  type Step,
  type Truth,
} from "./truth.ts";

const FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "work", "$Forwarded"];

/** What a command does, once its answer is known. */
type Change = (draft: Draft, answer: string) => void;

class Draft {
  readonly mailboxes: Map<string, KnownMailbox>;
  readonly subscribed: Set<string>;
  readonly annotations: Map<string, string>;

  constructor({ mailboxes, subscribed, annotations }: Truth) {
    this.mailboxes = new Map(mailboxes);
    this.subscribed = new Set(subscribed);
    this.annotations = new Map(annotations);
  }

  edit(name: string, edit: (messages: Map<number, KnownMessage>) => void): void {
    const mailbox = this.mailboxes.get(name);
    if (!mailbox) throw new Error(`Expected to know ${name}`);
    const messages = new Map(mailbox.messages);
    edit(messages);
    const uidNext = Math.max(mailbox.uidNext, ...[...messages.keys()].map((uid) => uid + 1));
    this.mailboxes.set(name, { ...mailbox, uidNext, messages });
  }
}

export class WritingSession {
  readonly steps: Step[] = [];
  #client: ImapClient | undefined;
  #truth: Truth = NOTHING_KNOWN;
  #selected: string | undefined;
  #made = 0;
  /** Names that were mailboxes. */
  readonly #freed: string[] = [];
  #texts = 0;

  /** @param prefix of its mailboxes and tags: a letter */
  constructor(readonly prefix: string, private readonly random: Random) {}

  owns = (mailbox: string): boolean => mailbox.startsWith(this.prefix);

  async connect(server: TestServer, user: string): Promise<void> {
    const address = { host: "127.0.0.1", port: server.port };
    this.#client = await ImapClient.login(address, user, PASSWORD);
    this.#selected = undefined;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** Does one thing of each kind, in the mailboxes of one name. */
  async tour(): Promise<void> {
    const one = await this.create();
    const two = await this.create();
    await this.append(one, 1);
    await this.append(one, 3);
    await this.append(one, 1, 300_000);
    await this.select(one);
    await this.store(one, [1, 2]);
    await this.copy(one, [1, 3], two);
    await this.move(one, [2, 3], two);
    await this.replace(one, 1);
    await this.expunge(one, [4]);
    await this.subscribe(two);
    await this.annotate(two);
    await this.select(two);
    await this.expunge(two, [1, 2]);
    await this.status(two);
    await this.rename(two);
    await this.remove(one);
  }

  /** Changes flags of messages that nobody touches afterwards. */
  async mark(): Promise<void> {
    const name = await this.create();
    await this.append(name, 3);
    await this.select(name);
    for (const uid of [1, 2, 3]) await this.store(name, [uid], { mode: "+", flags: FLAGS });
    await this.store(name, [2], { mode: "-", flags: ["\\Seen"] });
  }

  /** Does something. */
  async act(): Promise<void> {
    const { random } = this;
    const names = [...this.#truth.mailboxes.keys()];
    if (names.length < 2) return void await this.create();
    const name = this.#selected ?? random.pick(names);
    const uids = [...this.#truth.mailboxes.get(name)?.messages.keys() ?? []];
    const chosen = random.some(uids, 4);
    const kind = random.below(100);
    if (kind < 30 || chosen.length === 0) {
      return await this.append(random.pick(names), random.chance(0.8) ? 1 : 3);
    }
    if (this.#selected === undefined || kind < 35) return await this.select(random.pick(names));
    if (kind < 62) return await this.store(name, chosen);
    if (kind < 69) return await this.copy(name, chosen, random.pick(names));
    if (kind < 76) return await this.move(name, chosen, random.pick(names));
    if (kind < 81) return await this.expunge(name, chosen);
    if (kind < 85) return await this.replace(name, chosen[0]);
    if (kind < 88) return await this.subscribe(random.pick(names));
    if (kind < 91) return await this.annotate(random.pick(names));
    if (kind < 94) return await this.status(random.pick(names));
    if (kind < 96 && names.length < 5) return void await this.create();
    if (kind < 98) return await this.rename(random.pick(names));
    await this.remove(random.pick(names));
  }

  async create(): Promise<string> {
    const name = this.#freeName();
    await this.#step(`CREATE ${name}`, (draft, answer) => {
      // Its UIDVALIDITY is part of its identifier.
      const uidValidity = Number(/MAILBOXID \(\w+-(\d+)\)/.exec(answer)?.[1]);
      draft.mailboxes.set(name, { uidValidity, uidNext: 1, modseq: 0, messages: new Map() });
    });
    return name;
  }

  async status(name: string): Promise<void> {
    const command = `STATUS ${name} (UIDNEXT UIDVALIDITY HIGHESTMODSEQ)`;
    await this.#step(command, (draft, answer) => {
      const number = (item: string) => Number(new RegExp(`${item} (\\d+)`).exec(answer)?.[1]);
      const known = draft.mailboxes.get(name);
      if (!known) throw new Error(`Expected to know ${name}`);
      draft.mailboxes.set(name, {
        ...known,
        uidValidity: number("UIDVALIDITY"),
        uidNext: number("UIDNEXT"),
        modseq: number("HIGHESTMODSEQ"),
      });
    });
  }

  async select(name: string): Promise<void> {
    await this.#step(`SELECT ${name}`, () => {});
    this.#selected = name;
  }

  async append(name: string, count: number, octets = this.random.below(2000)): Promise<void> {
    const messages = Array.from({ length: count }, () => ({
      text: this.#text(octets),
      flags: this.random.some(FLAGS, 2),
    }));
    const literals = messages.map(({ text, flags }) =>
      ` (${flags.join(" ")}) {${text.length}+}\r\n${text}`
    );
    await this.#step(`APPEND ${name}${literals.join("")}`, (draft, answer) => {
      const uids = set(/APPENDUID \d+ ([\d:,]+)/.exec(answer)?.[1]);
      draft.edit(name, (known) => {
        for (const [i, { text, flags }] of messages.entries()) {
          known.set(uids[i], { text, flags: flagText(flags) });
        }
      });
    });
  }

  async store(
    name: string,
    uids: readonly number[],
    { mode, flags }: { readonly mode: string; readonly flags: readonly string[] } = {
      mode: this.random.pick(["", "+", "-"]),
      flags: this.random.some(FLAGS, 3),
    },
  ): Promise<void> {
    const command = `UID STORE ${uids} ${mode}FLAGS.SILENT (${flags.join(" ")})`;
    await this.#step(command, (draft) => {
      draft.edit(name, (known) => {
        for (const uid of uids) {
          const message = known.get(uid);
          if (!message) continue;
          const before = message.flags.split(" ").filter((flag) => flag !== "");
          const result = mode === ""
            ? flags
            : mode === "+"
            ? [...new Set([...before, ...flags])]
            : before.filter((flag) => !flags.includes(flag));
          known.set(uid, { ...message, flags: flagText(result) });
        }
      });
    });
  }

  async copy(name: string, uids: readonly number[], to: string): Promise<void> {
    await this.#step(`UID COPY ${uids} ${to}`, (draft, answer) => copied(draft, name, to, answer));
  }

  async move(name: string, uids: readonly number[], to: string): Promise<void> {
    await this.#step(`UID MOVE ${uids} ${to}`, (draft, answer) => {
      copied(draft, name, to, answer);
      draft.edit(name, (known) => uids.forEach((uid) => known.delete(uid)));
    });
  }

  async expunge(name: string, uids: readonly number[]): Promise<void> {
    await this.#step(`UID STORE ${uids} +FLAGS.SILENT (\\Deleted)`, (draft) => {
      draft.edit(name, (known) => {
        for (const uid of uids) {
          const message = known.get(uid);
          if (!message) continue;
          const flags = message.flags.split(" ").filter((flag) => flag !== "");
          known.set(uid, { ...message, flags: flagText([...new Set([...flags, "\\Deleted"])]) });
        }
      });
    });
    await this.#step(`UID EXPUNGE ${uids}`, (draft) => {
      draft.edit(name, (known) => uids.forEach((uid) => known.delete(uid)));
    });
  }

  async replace(name: string, uid: number): Promise<void> {
    const text = this.#text(200);
    await this.#step(`UID REPLACE ${uid} ${name} {${text.length}+}\r\n${text}`, (draft, answer) => {
      const [made] = set(/APPENDUID \d+ ([\d:,]+)/.exec(answer)?.[1]);
      draft.edit(name, (known) => {
        known.delete(uid);
        known.set(made, { text, flags: "" });
      });
    });
  }

  async subscribe(name: string): Promise<void> {
    if (this.#truth.subscribed.has(name)) {
      await this.#step(`UNSUBSCRIBE ${name}`, (draft) => draft.subscribed.delete(name));
    } else await this.#step(`SUBSCRIBE ${name}`, (draft) => draft.subscribed.add(name));
  }

  async annotate(name: string): Promise<void> {
    const entry = "/private/comment";
    const value = `value ${++this.#texts}`;
    await this.#step(`SETMETADATA ${name} (${entry} ${quoted(value)})`, (draft) => {
      draft.annotations.set(`${name} ${entry}`, value);
    });
  }

  /** Renames a mailbox with all below it, half of the time to a name that there was before. */
  async rename(name: string): Promise<void> {
    const to = this.#freeName();
    if (to.startsWith(`${name}/`)) return;
    const renamed = (each: string) =>
      each === name || each.startsWith(`${name}/`) ? to + each.slice(name.length) : each;
    await this.#step(`RENAME ${name} ${to}`, (draft) => {
      const mailboxes = [...draft.mailboxes];
      draft.mailboxes.clear();
      for (const [each, mailbox] of mailboxes) draft.mailboxes.set(renamed(each), mailbox);
      const annotations = [...draft.annotations];
      draft.annotations.clear();
      for (const [key, value] of annotations) {
        const [each, entry] = key.split(" ");
        draft.annotations.set(`${renamed(each)} ${entry}`, value);
      }
    });
    this.#freed.push(name);
    if (this.#selected !== undefined) this.#selected = renamed(this.#selected);
  }

  async remove(name: string): Promise<void> {
    await this.#step(`DELETE ${name}`, (draft) => {
      draft.mailboxes.delete(name);
      for (const key of [...draft.annotations.keys()]) {
        if (key.startsWith(`${name} `)) draft.annotations.delete(key);
      }
    });
    this.#freed.push(name);
    if (this.#selected === name) this.#selected = undefined;
  }

  /** What was said of a name that is free again must not be true of its next mailbox. */
  #freeName(): string {
    const taken = [...this.#truth.mailboxes.keys()];
    const free = this.#freed.filter((name) =>
      !taken.some((each) => each === name || each.startsWith(`${name}/`))
    );
    if (free.length > 0 && this.random.chance(0.5)) return this.random.pick(free);
    const name = `${this.prefix}${++this.#made}`;
    return taken.length > 0 && this.random.chance(0.3)
      ? `${this.random.pick(taken)}/${name}`
      : name;
  }

  #text(octets: number): string {
    const name = `${this.prefix} ${++this.#texts}`;
    const lines = Array.from(
      { length: octets / 40 },
      (_, i) => `${name}, line ${i}: ${this.random.below(1e9)}\r\n`,
    );
    return `From: ann@example.org\r\nSubject: ${name}\r\n\r\n${lines.join("")}`;
  }

  async #step(command: string, change: Change): Promise<void> {
    if (!this.#client) throw new Error("Expected a session that is connected");
    const tag = `${this.prefix}.${this.steps.length + 1}`;
    this.#client.line(`${tag} ${command}`);
    const answer: Answer = await this.#client.answer(tag);
    if (!answer.reply.startsWith("OK")) {
      throw new Error(`Expected OK to ${command.slice(0, 100)}: got ${answer.reply}`);
    }
    const draft = new Draft(this.#truth);
    change(draft, [...answer.untagged, answer.reply].join("\r\n"));
    this.steps.push({ tag, command, before: this.#truth, after: draft });
    this.#truth = draft;
  }
}

function copied(draft: Draft, from: string, to: string, answer: string): void {
  const [, sources, made] = /COPYUID \d+ ([\d:,]+) ([\d:,]+)/.exec(answer) ?? [];
  const source = draft.mailboxes.get(from)?.messages;
  const uids = set(made);
  draft.edit(to, (known) => {
    for (const [i, uid] of set(sources).entries()) {
      const message = source?.get(uid);
      if (message) known.set(uids[i], message);
    }
  });
}

/** The numbers of a set such as `1:3,5`. */
function set(text: string | undefined): number[] {
  if (text === undefined) throw new Error("Expected UIDs in the answer");
  return text.split(",").flatMap((range) => {
    const [first, last = first] = range.split(":").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

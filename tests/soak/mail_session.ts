/** A client that changes messages. */

import type { Answer } from "../client.ts";
import { normalFlags } from "../model/client_model.ts";
import type { Arrival, MailboxRecord, MessageRecord, Place } from "./journal.ts";
import { appended, copied, Session } from "./session.ts";
import { isIntact, messageText } from "./soak_message.ts";

const FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$One", "two"] as const;
/** A mailbox with more is emptied before more comes. */
const MOST_MESSAGES = 40;

/** Changes messages that nobody else changes meanwhile, in mailboxes that all work in. */
export class MailSession extends Session {
  protected override async step(): Promise<void> {
    const { gate } = this.journal;
    if (gate.closed) await this.#wanderOrWait();
    else await gate.pass(() => this.#act());
  }

  async #wanderOrWait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.random.below(5)));
    if (this.box !== undefined && !this.box.gone) await this.#wander(this.box);
  }

  async #act(): Promise<void> {
    if (this.box === undefined || this.box.gone || this.random.chance(0.15)) {
      await this.select(this.random.pick(this.boxes));
      return;
    }
    const { random, box } = this;
    if (box.messages.size > MOST_MESSAGES) return await this.#expunge(box, 15);
    const kind = random.below(100);
    if (kind < 18) await this.#append(1);
    else if (kind < 24) await this.#append(2 + random.below(3));
    else if (kind < 44) await this.#store(box);
    else if (kind < 52) await this.#transfer("COPY", box);
    else if (kind < 66) await this.#transfer("MOVE", box);
    else if (kind < 74) await this.#expunge(box, 3);
    else if (kind < 79) await this.#expungeAll(box);
    else if (kind < 86) await this.#replace(box);
    else if (kind < 91) await this.#wander(box);
    else if (kind < 94) await this.learn(box);
    else if (kind < 99) await this.#read(box);
    else await this.loginAgain();
  }

  private get boxes(): MailboxRecord[] {
    return [...this.journal.boxes.values()].filter((box) => !box.gone);
  }

  /** Messages that nobody changes, up to `most`. */
  #some(box: MailboxRecord, most: number, wanted = (_: MessageRecord) => true): Place[] {
    const free = [...box.messages.values()]
      .filter((each) => !each.claimed && each.uid < this.told && wanted(each));
    // In the order in which COPYUID names them.
    const some = this.random.some(free, most).sort((a, b) => a.uid - b.uid);
    return some.map((record) => ({ box, record }));
  }

  #arrival(box: MailboxRecord): Arrival & { cutFlags: string; readonly sent: string } {
    const token = this.load.nextToken();
    const some = this.random.some(FLAGS, 2);
    const flags = normalFlags(some.join(" "));
    const cutFlags = normalFlags(some.filter((flag) => flag.startsWith("\\")).join(" "));
    const text = messageText(token);
    return { box, token, flags, cutFlags, sent: `(${flags}) {${text.length}+}\r\n${text}` };
  }

  async #append(count: number): Promise<void> {
    const box = this.random.pick(this.boxes);
    const comes = Array.from({ length: count }, () => this.#arrival(box));
    if (count > 1) { for (const come of comes) come.cutFlags = come.flags; }
    const command = `APPEND "${box.name}" ${comes.map(({ sent }) => sent).join(" ")}`;
    const what = `${this.name} APPEND ${box.name} ${comes.map(({ token }) => token)}`;
    await this.change(command, { what, comes }, appended);
  }

  async #store(box: MailboxRecord): Promise<void> {
    const places = this.#some(box, 5, isKept);
    if (places.length === 0) return;
    const mode = this.random.pick(["+", "-", ""]);
    const given = this.random.some(FLAGS, 3);
    const silent = this.random.chance(0.5) ? ".SILENT" : "";
    const flags = places.map((place) => {
      const before = place.record.flags.split(" ");
      const kept = mode === "" ? [] : before.filter((flag) => !given.some((f) => f === flag));
      const after = normalFlags([...kept, ...mode === "-" ? [] : given].join(" "));
      return { place, after };
    });
    const command = `UID STORE ${setOf(places)} ${mode}FLAGS${silent} (${given.join(" ")})`;
    await this.change(command, { what: `${this.name} ${command}`, flags });
  }

  async #transfer(verb: "COPY" | "MOVE", box: MailboxRecord): Promise<void> {
    const places = this.#some(box, 4, isKept);
    if (places.length === 0) return;
    const to = this.random.pick(this.boxes);
    const comes = places.map(({ record: { token, flags } }) => ({ box: to, token, flags }));
    const command = `UID ${verb} ${setOf(places)} "${to.name}"`;
    // What is copied stays as it is so long.
    const flags = places.map((place) => ({ place, after: place.record.flags }));
    const leaves = verb === "MOVE" ? [...places] : [];
    const change = {
      what: `${this.name} ${box.name} ${command}`,
      comes: [...comes],
      flags,
      leaves,
    };
    await this.change(command, change, (answer) => {
      const told = copied(answer);
      // In a mailbox that is being deleted some may not have been there any more.
      if (!box.uncertain) return told.comes;
      const isTold = (_: unknown, i: number) => told.from.includes(places[i].record.uid);
      if (verb === "MOVE") leaves.splice(0, leaves.length, ...places.filter(isTold));
      change.comes.splice(0, comes.length, ...comes.filter(isTold));
      return told.comes;
    });
  }

  /** By UID, so that others may do the same. */
  async #expunge(box: MailboxRecord, most: number): Promise<void> {
    if (box.expunging) return;
    const leaves = this.#some(box, most);
    if (leaves.length === 0) return;
    box.deleters++;
    try {
      const set = setOf(leaves);
      const flags = leaves.map((place) => {
        const before = place.record.flags.split(" ").filter((flag) => flag !== "\\Deleted");
        return { place, after: normalFlags([...before, "\\Deleted"].join(" ")) };
      });
      const store = `UID STORE ${set} +FLAGS.SILENT (\\Deleted)`;
      const what = `${this.name} ${box.name}`;
      const { reply } = await this.change(store, { what: `${what} ${store}`, flags });
      if (!reply.startsWith("OK")) return;
      const command = `UID EXPUNGE ${set}`;
      await this.change(command, { what: `${what} ${command}`, leaves });
    } finally {
      box.deleters--;
    }
  }

  /** Whatever is `\Deleted`. */
  async #expungeAll(box: MailboxRecord): Promise<void> {
    if (box.expunging || box.deleters > 0) return;
    const leaves = [...box.messages.values()]
      .filter(({ flags }) => flags.includes("\\Deleted"))
      .map((record) => ({ box, record }));
    if (leaves.some(({ record }) => record.uid >= this.told)) return;
    box.expunging = true;
    try {
      const command = this.random.pick(["EXPUNGE", "CLOSE"]);
      await this.change(command, { what: `${this.name} ${box.name} ${command}`, leaves });
      if (command === "CLOSE") this.box = undefined;
    } finally {
      box.expunging = false;
    }
  }

  async #replace(box: MailboxRecord): Promise<void> {
    const leaves = this.#some(box, 1, isKept);
    if (leaves.length === 0) return;
    const to = this.random.chance(0.7) ? box : this.random.pick(this.boxes);
    const { cutFlags: _, ...come } = this.#arrival(to);
    const command = `UID REPLACE ${setOf(leaves)} "${come.box.name}" ${come.sent}`;
    const what = `${this.name} ${box.name} REPLACE ${setOf(leaves)} by ${come.token}`;
    await this.change(command, { what, leaves, comes: [come] }, appended);
  }

  /** Moves a message that others may move at the same time, and changes its flags. */
  async #wander(box: MailboxRecord): Promise<void> {
    const here = [...box.named].filter(([, token]) => this.journal.wanderers.has(token));
    if (here.length === 0) return;
    const [uid] = this.random.pick(here);
    if (this.random.chance(0.3)) await this.ask(`UID STORE ${uid} +FLAGS (\\Flagged)`);
    // A mailbox that is deleted would take it along.
    const places = this.boxes.filter((each) => !each.isFolder);
    const to = this.random.pick(places);
    const answer = await this.ask(`UID MOVE ${uid} "${to.name}"`);
    const token = box.named.get(uid);
    const [come] = copied(answer).comes;
    if (come === undefined || token === undefined) return;
    const at = this.journal.box(come.uidValidity, to.name);
    if (at !== undefined) this.journal.sees(at, come.uid, token);
  }

  /** Reads a message, by which it gets `\Seen`. */
  async #read(box: MailboxRecord): Promise<void> {
    const [place] = this.#some(box, 1, isKept);
    if (place === undefined) return;
    const { uid, token, flags } = place.record;
    const after = normalFlags([...new Set([...flags.split(" "), "\\Seen"])].join(" "));
    const change = { what: `${this.name} reads ${uid}`, flags: [{ place, after }] };
    const answer = await this.change(`UID FETCH ${uid} (BODY[])`, change);
    this.#compare(box, answer, token);
  }

  #compare(box: MailboxRecord, { untagged }: Answer, token: number): void {
    const text = untagged.map((each) => /BODY\[\] \{\d+\}\r\n([^]*)\)$/.exec(each)?.[1])
      .find((found) => found !== undefined);
    if (text === undefined && box.uncertain) return;
    if (text !== undefined && isIntact(text.slice(0, lengthOf(untagged)), token)) return;
    this.journal.faults.add("damaged", `${this.name}: ${token} in ${box.name}`);
  }
}

function isKept({ flags }: MessageRecord): boolean {
  return !flags.includes("\\Deleted");
}

/** Of the first literal. */
function lengthOf(untagged: readonly string[]): number {
  return Number(untagged.map((each) => /BODY\[\] \{(\d+)\}/.exec(each)?.[1]).find(Boolean) ?? 0);
}

function setOf(places: readonly Place[]): string {
  return places.map(({ record }) => record.uid).join(",");
}

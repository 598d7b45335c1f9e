/** A client that makes, renames and deletes mailboxes in which others work. */

import { type Change, FOLDER, MailboxRecord } from "./journal.ts";
import { Session } from "./session.ts";

const NAMES = [0, 1, 2, 3, 4, 5].map((n) => `${FOLDER}${n}`);

/** The only one of its account that does so, so that it knows the names. */
export class FolderSession extends Session {
  protected override async step(): Promise<void> {
    const { random } = this;
    const kind = random.below(20);
    if (kind < 4) await this.#create();
    else if (kind < 8) await this.#rename();
    else if (kind < 10) await this.journal.gate.alone(() => this.#renameInbox());
    else if (kind < 13) await this.#delete();
    else if (kind < 16) await this.#subscribe();
    else if (kind < 19) await this.#comment();
    else await this.ask('LIST "" "*" RETURN (SUBSCRIBED)');
    await new Promise((resolve) => setTimeout(resolve, random.below(30)));
  }

  /** INBOX was emptied into them, by this session. */
  readonly #filled = new Set<MailboxRecord>();

  /** What came from INBOX and would be missed: wanderers, and deliveries that nobody saw yet. */
  #holdsOthers(box: MailboxRecord): boolean {
    if (this.#filled.has(box)) return true;
    return [...box.named.values()].some((token) => this.journal.wanderers.has(token));
  }

  private get folders(): MailboxRecord[] {
    return [...this.journal.boxes.values()].filter((box) => box.isFolder && !box.uncertain);
  }

  #isFree(name: string): boolean {
    return this.journal.named(name) === undefined && !this.journal.created.has(name);
  }

  /** A name below an existing mailbox, or beside them. */
  #freeName(): string | undefined {
    const tops = this.folders.map(({ name }) => name).filter((name) => !name.includes("/"));
    const below = tops.flatMap((name) => [`${name}/x`, `${name}/y`]);
    const free = [...NAMES, ...below].filter((name) => this.#isFree(name));
    return free.length === 0 ? undefined : this.random.pick(free);
  }

  async #create(): Promise<void> {
    const name = this.#freeName();
    if (name === undefined) return;
    const what = `${this.name} CREATE ${name}`;
    const { reply } = await this.change(`CREATE "${name}"`, {
      what,
      mailbox: { kind: "create", name },
    });
    if (!reply.startsWith("OK")) {
      return this.journal.faults.add("refused", `${what}: ${reply}`);
    }
    await this.#meet(name, what);
  }

  /** Asks for the UIDVALIDITY of a mailbox that was made. */
  async #meet(name: string, what: string): Promise<MailboxRecord | undefined> {
    const { untagged } = await this.ask(`STATUS "${name}" (UIDVALIDITY UIDNEXT HIGHESTMODSEQ)`);
    const uidValidity = Number(/UIDVALIDITY (\d+)/.exec(untagged.join())?.[1] ?? 0);
    const box = this.journal.box(uidValidity, name);
    if (uidValidity === 0) this.journal.faults.add("mailboxes wrong", `${what}: not there`);
    if (box === undefined) {
      this.journal.faults.add("came back", `${what}: UIDVALIDITY ${uidValidity}`);
    }
    this.journal.created.delete(name);
    return box;
  }

  async #rename(): Promise<void> {
    const tops = this.folders.filter(({ name }) => !name.includes("/"));
    const free = NAMES.filter((name) => this.#isFree(name));
    if (tops.length === 0 || free.length === 0) return;
    const { name } = this.random.pick(tops);
    const to = this.random.pick(free);
    const moves = this.folders
      .filter((box) => box.name === name || box.name.startsWith(`${name}/`))
      .map((box) => ({ box, to: `${to}${box.name.slice(name.length)}` }));
    const what = `${this.name} RENAME ${name} ${to}`;
    const { reply } = await this.change(`RENAME "${name}" "${to}"`, {
      what,
      mailbox: { kind: "rename", moves },
    });
    if (!reply.startsWith("OK")) this.journal.faults.add("refused", `${what}: ${reply}`);
  }

  /** All messages of INBOX go to a new mailbox, also what just is delivered; INBOX stays. */
  async #renameInbox(): Promise<void> {
    const { journal } = this;
    const inbox = journal.named("INBOX");
    const free = NAMES.filter((name) => this.#isFree(name));
    if (inbox === undefined || free.length === 0) return;
    const to = this.random.pick(free);
    const what = `${this.name} RENAME INBOX ${to}`;
    const change = journal.begin(renamedInbox(what, inbox, to));
    const { reply } = await this.ask(`RENAME INBOX "${to}"`);
    if (!reply.startsWith("OK")) {
      journal.undone(change);
      return journal.faults.add("refused", `${what}: ${reply}`);
    }
    change.acknowledged = true;
    journal.created.add(to);
    const box = await this.#meet(to, what);
    if (box === undefined) return;
    box.comment = inbox.comment;
    this.#filled.add(box);
    await this.ask(`EXAMINE "${to}"`);
    const seen = await this.learn(box);
    const comes = (change.comes ?? []).flatMap(({ token }) => {
      const at = seen.findIndex((each) => each.token === token);
      return at < 0 ? [] : seen.splice(at, 1);
    });
    journal.done(change, comes.map(({ uid }) => ({ uidValidity: box.uidValidity, uid })));
  }

  /** A name that there is, or may be. */
  async #subscribe(): Promise<void> {
    const names = [...this.journal.boxes.values()].map(({ name }) => name);
    const name = this.random.pick([...names, ...NAMES]);
    const on = !this.journal.subscribed.has(name);
    const command = `${on ? "SUBSCRIBE" : "UNSUBSCRIBE"} "${name}"`;
    await this.change(command, {
      what: `${this.name} ${command}`,
      setting: { kind: "subscription", name, on },
    });
  }

  async #comment(): Promise<void> {
    const box = this.random.pick([...this.journal.boxes.values()]);
    const comment = this.random.chance(0.2) ? "" : `comment ${this.load.nextToken()}`;
    const value = comment === "" ? "NIL" : `"${comment}"`;
    const command = `SETMETADATA "${box.name}" (/private/comment ${value})`;
    await this.change(command, {
      what: `${this.name} ${command}`,
      setting: { kind: "comment", box, comment },
    });
  }

  async #delete(): Promise<void> {
    const leaves = this.folders.filter((box) =>
      !this.#holdsOthers(box) &&
      !this.folders.some((other) => other.name.startsWith(`${box.name}/`))
    );
    if (leaves.length === 0) return;
    const box = this.random.pick(leaves);
    const what = `${this.name} DELETE ${box.name}`;
    const { reply } = await this.change(`DELETE "${box.name}"`, {
      what,
      mailbox: { kind: "delete", box },
    });
    if (!reply.startsWith("OK")) this.journal.faults.add("refused", `${what}: ${reply}`);
  }
}

function renamedInbox(what: string, inbox: MailboxRecord, to: string): Change {
  // In the order in which they are copied.
  const records = [...inbox.messages.values()].sort((a, b) => a.uid - b.uid);
  // Which mailbox that will be, its UIDVALIDITY tells later.
  const box = new MailboxRecord(0, to);
  return {
    what,
    leaves: records.map((record) => ({ box: inbox, record })),
    comes: records.map(({ token, flags }) => ({ box, token, flags })),
    mailbox: { kind: "create", name: to },
  };
}

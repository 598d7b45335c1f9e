/** A client that makes, renames and deletes mailboxes in which others work. */

import { FOLDER, type MailboxRecord } from "./journal.ts";
import { Session } from "./session.ts";

const NAMES = [0, 1, 2, 3, 4, 5].map((n) => `${FOLDER}${n}`);

/** The only one of its account that does so, so that it knows the names. */
export class FolderSession extends Session {
  protected override async step(): Promise<void> {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 3) await this.#create();
    else if (kind < 6) await this.#rename();
    else if (kind < 8) await this.#delete();
    else await this.ask('LIST "" "*" RETURN (SUBSCRIBED)');
    await new Promise((resolve) => setTimeout(resolve, random.below(30)));
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
    const { untagged } = await this.ask(`STATUS "${name}" (UIDVALIDITY UIDNEXT HIGHESTMODSEQ)`);
    const uidValidity = Number(/UIDVALIDITY (\d+)/.exec(untagged.join())?.[1] ?? 0);
    if (uidValidity === 0) return this.journal.faults.add("mailboxes wrong", `${what}: not there`);
    if (this.journal.deleted.has(uidValidity)) {
      return this.journal.faults.add("came back", `${what}: UIDVALIDITY ${uidValidity}`);
    }
    this.journal.box(uidValidity, name);
    this.journal.created.delete(name);
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

  async #delete(): Promise<void> {
    const leaves = this.folders.filter(({ name }) =>
      !this.folders.some((other) => other.name.startsWith(`${name}/`))
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

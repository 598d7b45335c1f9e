/** Compares what clients were told with what is there. */

import type { FaultKind } from "./faults.ts";
import type { Arrival, Change, Journal, MailboxRecord } from "./journal.ts";
import type { TrueAccount, TrueMailbox, TrueMessage } from "./true_account.ts";

/** A message that no client was told of. */
interface Unknown {
  readonly box: MailboxRecord;
  readonly uid: number;
  readonly token: number;
  readonly flags: string;
}

/** Where deliveries go. */
const INBOX = "INBOX";

/**
 * Counts the faults of an account at rest, then takes what is there for what must be there.
 */
export function reckon(journal: Journal, truth: TrueAccount): void {
  new Reckoning(journal, truth).run();
}

class Reckoning {
  readonly #there: Map<number, TrueMailbox>;
  readonly #unknown = new Map<number, Unknown[]>();
  readonly #missing = new Set<string>();

  readonly #mailboxes: readonly TrueMailbox[];

  constructor(private readonly journal: Journal, private readonly truth: TrueAccount) {
    this.#mailboxes = truth.mailboxes;
    this.#there = new Map(this.#mailboxes.map((box) => [box.uidValidity, box]));
  }

  run(): void {
    this.#settleMailboxes();
    this.#compareMailboxes();
    for (const box of this.journal.boxes.values()) this.#compareMessages(box);
    for (const change of this.journal.open) this.#settle(change);
    this.#takeOwed();
    for (const left of this.#unknown.values()) {
      for (const each of left) {
        this.#fault("doubled", `${place(each.box, each.uid)} is ${each.token} once more`);
      }
    }
    this.#countWanderers();
    this.#compareSubscriptions();
    for (const box of this.#mailboxes) this.#compareComment(box);
    this.#takeOver();
  }

  #fault(kind: FaultKind, what: string): void {
    this.journal.faults.add(kind, `${this.journal.user}: ${what}`);
  }

  /** Deletions and renames whose answer did not come are done or not. */
  #settleMailboxes(): void {
    for (const { mailbox } of this.journal.open) {
      if (mailbox?.kind === "delete") {
        if (this.#there.has(mailbox.box.uidValidity)) mailbox.box.leaving = false;
        else this.journal.forget(mailbox.box);
      }
      if (mailbox?.kind === "create") this.#maybeCreated.add(mailbox.name);
      if (mailbox?.kind !== "rename") continue;
      const done = mailbox.moves.map(({ box, to }) =>
        this.#there.get(box.uidValidity)?.name === to
      );
      if (done.includes(true) && done.includes(false)) {
        this.#fault("mailboxes wrong", `renamed in part: ${JSON.stringify(done)}`);
      }
      if (done[0]) { for (const { box, to } of mailbox.moves) box.name = to; }
    }
  }

  readonly #maybeCreated = new Set<string>();

  #compareMailboxes(): void {
    const { boxes, deleted, created } = this.journal;
    for (const box of boxes.values()) {
      const found = this.#there.get(box.uidValidity);
      if (found === undefined) this.#fault("mailboxes wrong", `${box.name} is gone`);
      else if (found.name !== box.name) {
        this.#fault("mailboxes wrong", `${box.name} is called ${found.name}`);
      }
    }
    for (const { name, uidValidity } of this.#mailboxes) {
      if (deleted.has(uidValidity)) this.#fault("came back", `the mailbox ${name}`);
      const expected = boxes.has(uidValidity) || created.has(name) || this.#maybeCreated.has(name);
      if (!expected) this.#fault("mailboxes wrong", `${name} is there`);
    }
    for (const name of created) {
      if (this.#mailboxes.every((box) => box.name !== name)) {
        this.#fault("mailboxes wrong", `${name} was made and is gone`);
      }
    }
    for (const { name, uidValidity } of this.#mailboxes) this.journal.box(uidValidity, name);
  }

  #compareMessages(box: MailboxRecord): void {
    const there = this.#there.get(box.uidValidity);
    if (there === undefined) return;
    if (there.uidNext < box.uidNext || there.highestModseq < box.highestModseq) {
      this.#fault(
        "numbers back",
        `${box.name}: UIDNEXT ${there.uidNext} after ${box.uidNext}, ` +
          `HIGHESTMODSEQ ${there.highestModseq} after ${box.highestModseq}`,
      );
    }
    for (const [uid, message] of there.messages) this.#compareMessage(box, uid, message);
    for (const uid of box.messages.keys()) {
      if (!there.messages.has(uid)) this.#missing.add(place(box, uid));
    }
  }

  #compareMessage(box: MailboxRecord, uid: number, message: TrueMessage): void {
    const { token, intact, flags } = message;
    if (!intact) this.#fault("damaged", `${place(box, uid)} was ${box.messages.get(uid)?.token}`);
    if (token === undefined) return;
    const record = box.messages.get(uid);
    if (uid < box.verifiedNext && !box.named.has(uid)) {
      this.#fault("came back", `${place(box, uid)}: ${token}`);
    } else this.journal.sees(box, uid, token);
    if (this.journal.wanderers.has(token)) return;
    if (record === undefined) {
      const others = this.#unknown.get(token) ?? [];
      this.#unknown.set(token, [...others, { box, uid, token, flags }]);
    } else if (!this.#mayHave(record, flags)) {
      this.#fault("flags lost", `${place(box, uid)}: (${record.flags}), now (${flags})`);
    }
  }

  #mayHave(record: { readonly flags: string }, flags: string): boolean {
    if (record.flags === flags) return true;
    return [...this.journal.open].some((change) =>
      change.flags?.some(({ place, after }) => place.record === record && after === flags)
    );
  }

  /** All of a change happened, or nothing. */
  #settle(change: Change): void {
    const { leaves = [], comes = [], what } = change;
    const left = leaves.filter(({ box, record }) => this.#missing.delete(place(box, record.uid)));
    const come = comes.filter((each) => this.#take(each, what));
    if ([...leaves, ...comes].some(({ box }) => box.uncertain)) return;
    const told = `${what}: ${left.length} of ${leaves.length} left, ` +
      `${come.length} of ${comes.length} came`;
    if (change.acknowledged && left.length < leaves.length) this.#fault("came back", told);
    if (leaves.length === 0) {
      if (come.length > 0 && come.length < comes.length) this.#fault("doubled", told);
    } else if (comes.length > 0) {
      // Each message is in one of both places.
      if (left.length > come.length) this.#fault("lost", told);
      if (left.length < come.length) this.#fault("doubled", told);
    }
  }

  /** Takes a message that nobody knew, if there is one of this kind. */
  #take({ token, box, flags, cutFlags, delivered }: Arrival, what: string): boolean {
    const found = this.#unknown.get(token) ?? [];
    const anyFolder = box.isFolder || delivered;
    const at = found.findIndex((each) => each.box === box || (anyFolder && each.box.isFolder));
    if (at < 0) return false;
    const [taken] = found.splice(at, 1);
    if (taken.flags !== flags && taken.flags !== cutFlags) {
      this.#fault("flags lost", `${what}: ${token} came with (${taken.flags}), not (${flags})`);
    }
    return true;
  }

  #takeOwed(): void {
    const inbox = this.journal.named(INBOX);
    if (inbox === undefined) return;
    for (const token of this.journal.owed) {
      const arrival = { token, box: inbox, flags: "", delivered: true };
      if (this.#take(arrival, "a delivery")) continue;
      this.#fault("lost", `${token}, which was delivered`);
    }
    for (const each of this.#missing) this.#fault("lost", each);
  }

  #countWanderers(): void {
    for (const token of this.journal.wanderers) {
      const count = this.#mailboxes.reduce(
        (sum, { messages }) =>
          sum + [...messages.values()].filter((each) => each.token === token).length,
        0,
      );
      if (count === 0) this.#fault("lost", `${token}, which wandered`);
      if (count > 1) this.#fault("doubled", `${token}, which wandered: ${count}`);
    }
  }

  #compareSubscriptions(): void {
    const [known, there] = [this.journal.subscribed, this.truth.subscribed];
    const changing = [...this.journal.open].flatMap(({ setting }) =>
      setting?.kind === "subscription" ? setting.name : []
    );
    for (const name of new Set([...known, ...there])) {
      if (known.has(name) === there.has(name) || changing.includes(name)) continue;
      this.#fault("settings lost", `${name} is ${there.has(name) ? "" : "not "}subscribed`);
    }
  }

  #compareComment({ uidValidity, name, comment }: TrueMailbox): void {
    const known = this.journal.boxes.get(uidValidity)?.comment;
    if (known === undefined || comment === known) return;
    for (const { setting } of this.journal.open) {
      if (setting?.kind !== "comment" || setting.box.uidValidity !== uidValidity) continue;
      if (setting.comment === comment) return;
    }
    this.#fault("settings lost", `${name} ${uidValidity}: "${known}", now "${comment}"`);
  }

  #takeOver(): void {
    const { journal } = this;
    journal.open.clear();
    journal.owed.clear();
    journal.created.clear();
    journal.subscribed.clear();
    for (const name of this.truth.subscribed) journal.subscribed.add(name);
    for (const { uidValidity } of [...journal.boxes.values()]) {
      if (!this.#there.has(uidValidity)) journal.boxes.delete(uidValidity);
    }
    for (const there of this.#mailboxes) {
      const box = journal.box(there.uidValidity, there.name);
      if (box === undefined) continue;
      Object.assign(box, { name: there.name, leaving: false, deleters: 0, expunging: false });
      Object.assign(box, { uidNext: there.uidNext, verifiedNext: there.uidNext });
      Object.assign(box, { highestModseq: there.highestModseq, comment: there.comment });
      box.messages.clear();
      box.named.clear();
      for (const [uid, { token = -1, flags }] of there.messages) {
        box.named.set(uid, token);
        if (journal.wanderers.has(token)) continue;
        box.messages.set(uid, { uid, token, flags, claimed: false });
      }
    }
  }
}

function place({ name, uidValidity }: MailboxRecord, uid: number | ""): string {
  return `${name} ${uidValidity}:${uid}`;
}

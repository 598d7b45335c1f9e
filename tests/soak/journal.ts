/** What the clients of one account were told, by which it is known what must be there. */

import type { Faults } from "./faults.ts";
import { Gate } from "./gate.ts";

/** A message that a client may name. */
export interface MessageRecord {
  readonly uid: number;
  readonly token: number;
  /** Sorted, without `\\Recent`. */
  flags: string;
  /** Somebody changes it; nobody else does so long. */
  claimed: boolean;
}

/** With this begin the names of mailboxes that come, go and change their names. */
export const FOLDER = "f";

/** A mailbox, known by its UIDVALIDITY, which no other one of the account ever has. */
export class MailboxRecord {
  readonly messages = new Map<number, MessageRecord>();
  /** Which message a UID was seen to name, also of those that are gone since the last look. */
  readonly named = new Map<number, number>();
  /** Somebody deletes it. */
  leaving = false;
  gone = false;
  /** How many set `\Deleted` to expunge by UID; who expunges all `\Deleted` waits for them. */
  deleters = 0;
  expunging = false;
  /** UIDs below it were known at the last look. */
  verifiedNext = 1;
  /** Highest that a client was told. */
  uidNext = 1;
  highestModseq = 0;
  /** Its annotation; undefined as long as nobody knows. */
  comment: string | undefined;

  constructor(readonly uidValidity: number, public name: string) {}

  /** It is in the part of the account where mailboxes come, go and change their names. */
  get isFolder(): boolean {
    return this.uncertain || this.name.startsWith(FOLDER);
  }

  /** What may vanish by somebody else's command: nothing is certain of what is in it. */
  get uncertain(): boolean {
    return this.leaving || this.gone;
  }
}

/** A message in a mailbox. */
export interface Place {
  readonly box: MailboxRecord;
  readonly record: MessageRecord;
}

/** A message that is to come. */
export interface Arrival {
  readonly box: MailboxRecord;
  readonly token: number;
  readonly flags: string;
  /** How it may be if no answer came: an APPEND that was cut short leaves a file without keywords. */
  readonly cutFlags?: string;
  /** RENAME INBOX may have taken it along since it came. */
  readonly delivered?: boolean;
}

/** What happens to mailboxes. */
export type MailboxChange =
  | { readonly kind: "create"; readonly name: string }
  | { readonly kind: "delete"; readonly box: MailboxRecord }
  | {
    readonly kind: "rename";
    readonly moves: readonly { readonly box: MailboxRecord; readonly to: string }[];
  };

/** What clients keep beside messages. */
export type Setting =
  | { readonly kind: "subscription"; readonly name: string; readonly on: boolean }
  | { readonly kind: "comment"; readonly box: MailboxRecord; readonly comment: string };

/** All that one command does: all of it or nothing, but for flags, which change one by one. */
export interface Change {
  readonly what: string;
  readonly leaves?: readonly Place[];
  readonly comes?: readonly Arrival[];
  readonly flags?: readonly { readonly place: Place; readonly after: string }[];
  readonly mailbox?: MailboxChange;
  readonly setting?: Setting;
  /** It was answered OK, and nobody has seen yet where its arrivals are. */
  acknowledged?: boolean;
}

/** Where a message that came is, as an answer says. */
export interface Named {
  readonly uidValidity: number;
  readonly uid: number;
}

/** The journal of one account. */
export class Journal {
  readonly boxes = new Map<number, MailboxRecord>();
  readonly deleted = new Set<number>();
  /** Begun, and neither answered OK nor NO. */
  readonly open = new Set<Change>();
  /** Delivered to INBOX, from where RENAME may take it, and no client has seen a UID of it. */
  readonly owed = new Set<number>();
  /** Names of mailboxes that were made, and whose UIDVALIDITY is not known. */
  readonly created = new Set<string>();
  /** Messages that all sessions move about as they like; one of each is there. */
  readonly wanderers = new Set<number>();
  readonly subscribed = new Set<string>();
  /** Who names messages goes through it; who renames INBOX is alone behind it. */
  readonly gate = new Gate();

  constructor(readonly user: string, readonly faults: Faults) {}

  /** By its name, as far as that is certain. */
  named(name: string): MailboxRecord | undefined {
    return [...this.boxes.values()].find((box) => box.name === name && !box.gone);
  }

  begin(change: Change): Change {
    this.open.add(change);
    for (const { record } of change.leaves ?? []) record.claimed = true;
    for (const { place } of change.flags ?? []) place.record.claimed = true;
    if (change.mailbox?.kind === "delete") change.mailbox.box.leaving = true;
    return change;
  }

  /** It was refused: nothing of it happened. */
  undone(change: Change): void {
    this.#end(change);
    if (change.mailbox?.kind === "delete") change.mailbox.box.leaving = false;
  }

  /** It was answered OK; `comes` says where each arrival is. */
  done(change: Change, comes: readonly Named[] = []): void {
    this.#end(change);
    for (const { box, record } of change.leaves ?? []) box.messages.delete(record.uid);
    for (const { place, after } of change.flags ?? []) place.record.flags = after;
    const arrivals = change.comes ?? [];
    if (arrivals.length !== comes.length && !arrivals.some(({ box }) => box.uncertain)) {
      this.faults.add("lost", `${this.user}: ${change.what}: ${comes.length} have come`);
    }
    comes.forEach((named, i) => this.#arrived(arrivals[i], named));
    this.#mailboxDone(change.mailbox);
    this.#settingDone(change.setting);
  }

  #end(change: Change): void {
    this.open.delete(change);
    for (const { record } of change.leaves ?? []) record.claimed = false;
    for (const { place } of change.flags ?? []) place.record.claimed = false;
  }

  #arrived({ token, flags, box }: Arrival, { uidValidity, uid }: Named): void {
    const at = this.box(uidValidity, box.name);
    if (at === undefined) return;
    this.sees(at, uid, token);
    at.messages.set(uid, { uid, token, flags, claimed: false });
  }

  /** The mailbox with this UIDVALIDITY, new if need be; undefined if it was deleted. */
  box(uidValidity: number, name: string): MailboxRecord | undefined {
    if (this.deleted.has(uidValidity)) return undefined;
    const known = this.boxes.get(uidValidity);
    if (known !== undefined) return known;
    const made = new MailboxRecord(uidValidity, name);
    this.boxes.set(uidValidity, made);
    return made;
  }

  /** A client saw that a UID names a message. */
  sees(box: MailboxRecord, uid: number, token: number): void {
    const before = box.named.get(uid);
    if (before !== undefined && before !== token) {
      this.faults.add(
        "UID reuse",
        `${this.user} ${box.name} ${box.uidValidity}: ${uid} was ${before}, is ${token}`,
      );
    }
    box.named.set(uid, token);
    box.uidNext = Math.max(box.uidNext, uid + 1);
  }

  #mailboxDone(change: MailboxChange | undefined): void {
    if (change?.kind === "create" && !this.named(change.name)) this.created.add(change.name);
    if (change?.kind === "rename") { for (const { box, to } of change.moves) box.name = to; }
    if (change?.kind === "delete") this.forget(change.box);
  }

  #settingDone(setting: Setting | undefined): void {
    if (setting?.kind === "comment") setting.box.comment = setting.comment;
    if (setting?.kind !== "subscription") return;
    if (setting.on) this.subscribed.add(setting.name);
    else this.subscribed.delete(setting.name);
  }

  /** A mailbox is deleted. */
  forget(box: MailboxRecord): void {
    box.gone = true;
    this.boxes.delete(box.uidValidity);
    this.deleted.add(box.uidValidity);
  }
}

/**
 * What one client believes about its mailbox: which sequence number is which UID, and what it
 * has been told so far. It compares itself with the mailbox's columns when it may speak.
 */

import { yieldNow } from "../pace.ts";
import type { Mailbox } from "../store/store.ts";
import {
  isWithin,
  lowerBound,
  type NumberSet,
  numbersIn,
  rangesOf,
  uidsIn,
} from "../wire/number_set.ts";
import {
  flagNames,
  permanentFlagsCode,
  statusLine,
  systemFlagNames,
  vanished,
} from "../wire/response.ts";
import { SyntaxFault } from "../wire/scanner.ts";
import { type Output, Refusal } from "./command.ts";
import { fetchOpening, namesUid } from "./message_response.ts";
import type { FollowedResults } from "./followed_results.ts";
import type { Session } from "./session.ts";

/** How much a client wants to hear of a message that changed. */
export interface DrainOptions {
  /** What it enabled decides the form. */
  readonly session: Session;
  /** False while sequence numbers must hold still. @see RFC 9051 §7.5.1 */
  readonly expunges: boolean;
  readonly withUid: boolean;
  /** True for who does not want to hear of flags. @see RFC 5465 §5.1 */
  readonly silentFlags?: boolean;
}

/** What of a session decides what its view shows. */
export type Reader = Pick<Session, "rev2" | "uidOnly">;

/** Results of searches that the client wants to be told of as they change. @see RFC 5267 §4.3 */
export interface Followers {
  has(tag: string): boolean;
  /** @returns false if there are too many already */
  add(tag: string, results: FollowedResults): boolean;
  cancel(tag: string): void;
  /** Tells which results are gone while the client still counts them. */
  tellGone(out: Output): void;
  /** Tells the other changes, once the client knows of the messages. */
  tellRest(out: Output): Promise<void>;
}

const NO_KEYWORDS: readonly string[] = [];

export class View {
  /** The client's numbering: element `n - 1` is the UID of message `n`. Shared with the columns until they change. */
  #uids: Uint32Array;
  #count: number;
  #generation: number;
  /** Expunges up to this mod-sequence have been told. */
  #expungesTold: number;
  /** Changes up to here have been told. */
  #modseq: number;
  /** Flags that changed after this one were kept from the client, which does not ask for them. */
  #silentSince: number | undefined;
  /** In the middle of telling flags: of messages up to that UID it was told, of changes up to there. */
  #telling: { readonly uid: number; readonly upTo: number } | undefined;
  /** Changes after `#modseq` that this client made, but for messages that others changed too; absent: none. */
  #known: Map<number, ReadonlySet<number>> | undefined;
  #keywordCount: number;
  /** What {@link seqOf} answered last. */
  #lastSeq = 0;
  /** UIDs that "$" stands for, ascending; some may be gone since. */
  #saved: Uint32Array | undefined;
  /** Absent where nothing is followed, as nearly always. */
  followers: Followers | undefined;
  /** UIDs that are `\Recent` in this session: [first, after last]. */
  #recent: [number, number][] = [];

  /** @param reader whose session it is, if it is one's */
  constructor(
    readonly mailbox: Mailbox,
    readonly readOnly: boolean,
    readonly reader: Reader = { rev2: false, uidOnly: false },
  ) {
    const { uids, count, generation } = mailbox.messages;
    this.#uids = uids;
    this.#count = count;
    this.#generation = generation;
    this.#modseq = mailbox.highestModseq;
    this.#expungesTold = mailbox.highestModseq;
    this.#keywordCount = mailbox.keywords().length;
    this.#claimRecent();
  }

  /** How many messages the client knows of. */
  get count(): number {
    return this.#count;
  }

  close(): void {
    this.mailbox.close();
  }

  /** @throws {Refusal} in a mailbox opened by EXAMINE */
  requireWritable(): void {
    if (this.readOnly) throw new Refusal("The mailbox was opened read-only", "READ-ONLY");
  }

  /** All sequence numbers. */
  seqs(): number[] {
    return Array.from({ length: this.#count }, (_, index) => index + 1);
  }

  /** {@link Mailbox.prepare} by sequence numbers; undefined for all. */
  prepare(seqs: readonly number[] | undefined): Promise<void> {
    if (this.mailbox.messages.prepared) return Promise.resolve();
    return this.mailbox.prepare((seqs ?? this.seqs()).map((seq) => this.uidOf(seq)));
  }

  uidOf(seq: number): number {
    return this.#uids[seq - 1];
  }

  /** The sequence number of a UID, 0 if the client does not know it. */
  seqOf(uid: number): number {
    // Callers mostly go through the messages one after the other.
    const next = this.#lastSeq;
    const seq = next < this.#count && this.#uids[next] === uid
      ? next + 1
      : search(this.#uids, this.#count, uid) + 1;
    this.#lastSeq = seq;
    return seq;
  }

  /** Where a UID stands in the mailbox's columns, -1 if it is gone. */
  indexOf(uid: number, seq: number): number {
    const messages = this.mailbox.messages;
    if (!this.diverged) return seq - 1;
    return search(messages.uids, messages.count, uid);
  }

  /** From now on "$" stands for these. @see RFC 9051 §6.4.4.1 */
  save(uids: readonly number[]): void {
    this.#saved = Uint32Array.from(uids).sort();
  }

  /** UIDs that "$" stands for, ascending: expunged messages have left it. */
  saved(): number[] {
    return [...this.#saved ?? []].filter((uid) => {
      const seq = this.seqOf(uid);
      return seq !== 0 && this.indexOf(uid, seq) >= 0;
    });
  }

  /** True for a UID of which "$" was saved, whether or not its message is still there. */
  wasSaved(uid: number): boolean {
    return this.#saved !== undefined && search(this.#saved, this.#saved.length, uid) >= 0;
  }

  /**
   * UIDs of the messages that a set names, ascending.
   *
   * @throws {SyntaxFault} for a sequence number that no message has
   */
  resolve(set: NumberSet, byUid: boolean): number[] {
    if (set.saved) return this.saved();
    if (byUid) return uidsIn(set, this.#uids, this.#count);
    if (!isWithin(set, this.#count)) {
      throw new SyntaxFault(
        `Expected message numbers from 1 to ${this.#count}: got one that no message has`,
        0,
      );
    }
    return numbersIn(set, this.#count).map((seq) => this.#uids[seq - 1]);
  }

  /** IMAP4rev2 has no `\Recent`. @see RFC 9051 Appendix E */
  isRecent(uid: number): boolean {
    if (this.reader.rev2) return false;
    for (const [first, end] of this.#recent) if (uid >= first && uid < end) return true;
    return false;
  }

  recentCount(): number {
    let count = 0;
    for (const [first, end] of this.#recent) {
      count += lowerBound(this.#uids, this.#count, end) -
        lowerBound(this.#uids, this.#count, first);
    }
    return count;
  }

  /** The RECENT response, where there is one. @see RFC 3501 §7.3.2 */
  describeRecent(): string {
    return this.reader.rev2 ? "" : `* ${this.recentCount()} RECENT\r\n`;
  }

  /** UIDs of {@link diverged} messages: the client counts them, and they are gone. */
  uidsGone(): number[] {
    const { uids, count } = this.mailbox.messages;
    const gone: number[] = [];
    for (let i = 0, j = 0; i < this.#count; i++) {
      while (j < count && uids[j] < this.#uids[i]) j++;
      if (j === count || uids[j] !== this.#uids[i]) gone.push(this.#uids[i]);
    }
    return gone;
  }

  /** The number of the first message without \Seen, 0 if there is none. */
  firstUnseen(): number {
    const { flags } = this.mailbox.messages;
    for (let i = 0; i < this.#count; i++) if ((flags[i] & 1) === 0) return i + 1;
    return 0;
  }

  /** The flags of the message at `index` of the columns, without parentheses. */
  flagsAt(index: number, uid: number): string {
    const { flags, keywordSets } = this.mailbox.messages;
    const set = keywordSets[index];
    return flagNames(
      flags[index],
      this.isRecent(uid),
      set === 0 ? NO_KEYWORDS : this.mailbox.keywordSet(set),
    );
  }

  /** Changes up to this mod-sequence have been told. */
  get told(): number {
    return this.#silentSince ?? this.#modseq;
  }

  /** The client was told of all changes up to this one, also of expunged messages. */
  get toldModseq(): number {
    return this.diverged ? Math.min(this.#expungesTold, this.told) : this.told;
  }

  /** Flags changed of which the client was not told, since it does not ask for them. */
  get silenced(): boolean {
    return this.#silentSince !== undefined;
  }

  /** There are changes that the client was not told of. */
  get behind(): boolean {
    return this.stale || this.silenced;
  }

  /**
   * The client made this change and is told of it by other means.
   *
   * @param overtaken UIDs that others had changed before, which it has not been told yet
   */
  silence(modseq: number, overtaken: readonly number[]): void {
    if (modseq <= this.#modseq) return;
    this.#known ??= new Map();
    this.#known.set(modseq, new Set(overtaken));
  }

  /** Messages that the client knows of were expunged, and it has not been told. */
  get diverged(): boolean {
    return this.#generation !== this.mailbox.messages.generation;
  }

  /** True when {@link drain} would have something to say. */
  get stale(): boolean {
    const { messages, highestModseq } = this.mailbox;
    return highestModseq > this.#modseq || messages.generation !== this.#generation ||
      messages.count !== this.#count;
  }

  /** FLAGS and PERMANENTFLAGS, as SELECT sends them and again when a new keyword appears. */
  describeFlags(out: Output): void {
    const names = [...systemFlagNames(), ...this.mailbox.keywords()];
    this.#keywordCount = names.length - systemFlagNames().length;
    out.text(`* FLAGS (${names.join(" ")})\r\n`);
    const permanent = this.readOnly ? [] : [...names, "\\*"];
    const text = this.readOnly ? "No flags can be changed" : "Flags that are kept";
    out.text(statusLine("*", "OK", text, permanentFlagsCode(permanent)));
  }

  /** Repeats FLAGS when a keyword was used for the first time. @see RFC 9051 §7.3.5 */
  announceKeywords(out: Output): void {
    if (this.mailbox.keywords().length !== this.#keywordCount) this.describeFlags(out);
  }

  /** {@link drain}, and what that changes in results that are followed. */
  tell(out: Output, options: DrainOptions): Promise<void> | undefined {
    if (this.diverged) this.followers?.tellGone(out);
    this.drain(out, options);
    return this.#telling === undefined
      ? this.followers?.tellRest(out)
      : this.#tellMore(out, options);
  }

  /** Goes on where {@link drain} stopped, because so much waits already. */
  async #tellMore(out: Output, options: DrainOptions): Promise<void> {
    while (this.#telling !== undefined) {
      await out.flush();
      await yieldNow();
      if (this.diverged) this.followers?.tellGone(out);
      this.drain(out, options);
    }
    await this.followers?.tellRest(out);
  }

  /**
   * Tells the client what changed. New messages wait behind an EXPUNGE that may not be sent yet,
   * so that numbers never shift under a client.
   *
   * @see RFC 9051 §7.5.1
   */
  drain(out: Output, options: DrainOptions): void {
    if (!(options.silentFlags ? this.stale : this.behind)) return;
    this.announceKeywords(out);
    if (options.expunges) this.#tellExpunges(out, options.session);
    this.#tellFlags(out, options);
    if (!this.diverged && this.#telling === undefined) this.#tellArrivals(out);
  }

  #tellExpunges(out: Output, { qresync, uidOnly }: Session): void {
    const { uids, generation } = this.mailbox.messages;
    this.#expungesTold = this.mailbox.highestModseq;
    if (generation === this.#generation) return;
    const gone = this.uidsGone();
    // Each EXPUNGE lowers the numbers after it.
    const text = qresync || uidOnly
      ? vanished(rangesOf(gone), false)
      : gone.map((uid, before) => `* ${this.seqOf(uid) - before} EXPUNGE\r\n`).join("");
    this.#uids = uids;
    this.#count -= gone.length;
    this.#generation = generation;
    out.text(text);
  }

  #tellFlags(out: Output, { session, withUid, silentFlags }: DrainOptions): void {
    const told = silentFlags ? this.#modseq : this.told;
    const { uid: before, upTo } = this.#telling ?? { uid: 0, upTo: this.mailbox.highestModseq };
    this.#telling = undefined;
    if (upTo === told || this.#knowsAllSince(told)) {
      this.#modseq = upTo;
      this.#known = undefined;
      return;
    }
    const { uids, count, modseqs } = this.mailbox.messages;
    const tellsUid = namesUid(session, withUid);
    const last = this.#count === 0 ? 0 : this.#uids[this.#count - 1];
    let silenced = silentFlags ? this.#silentSince : undefined;
    for (let i = lowerBound(uids, count, before + 1); i < count && uids[i] <= last; i++) {
      if (modseqs[i] <= told || this.#known?.get(modseqs[i])?.has(uids[i]) === false) continue;
      const seq = this.diverged ? this.seqOf(uids[i]) : i + 1;
      if (seq === 0) continue;
      if (silentFlags) {
        silenced ??= told;
        break;
      }
      const uid = tellsUid ? `UID ${uids[i]} ` : "";
      const modseq = session.condstore ? ` MODSEQ (${modseqs[i]})` : "";
      const opening = fetchOpening(session, seq, uids[i]);
      out.text(`${opening}${uid}FLAGS (${this.flagsAt(i, uids[i])})${modseq})\r\n`);
      if (out.full) {
        this.#telling = { uid: uids[i], upTo };
        return;
      }
    }
    this.#modseq = upTo;
    this.#silentSince = silenced;
    this.#known = undefined;
  }

  /** Each change has a mod-sequence of its own, so counting the client's own is enough. */
  #knowsAllSince(told: number): boolean {
    const known = this.#known;
    if (known === undefined || this.mailbox.highestModseq - told !== known.size) return false;
    for (const overtaken of known.values()) if (overtaken.size > 0) return false;
    return true;
  }

  #tellArrivals(out: Output): void {
    const { uids, count } = this.mailbox.messages;
    this.#uids = uids;
    if (count === this.#count) return;
    this.#count = count;
    this.#claimRecent();
    out.text(`* ${count} EXISTS\r\n${this.describeRecent()}`);
  }

  /** The first session that hears of a message has it as `\Recent`; EXAMINE takes nothing away. */
  #claimRecent(): void {
    const first = this.readOnly ? this.mailbox.firstRecent : this.mailbox.claimRecent();
    const last = this.#recent.at(-1);
    if (last !== undefined && first <= last[1]) last[1] = this.mailbox.uidNext;
    else if (first < this.mailbox.uidNext) this.#recent.push([first, this.mailbox.uidNext]);
  }
}

/** Index of `uid` among the first `count` elements, -1 if it is not there. */
function search(uids: Uint32Array, count: number, uid: number): number {
  const at = lowerBound(uids, count, uid);
  return at < count && uids[at] === uid ? at : -1;
}

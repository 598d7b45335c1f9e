/** What a client knows of a mailbox by the untagged responses alone. */

import assert from "node:assert/strict";

/** One message as a client knows it; a new one is only counted at first. */
export interface Known {
  uid?: number;
  /** Sorted, without \Recent. */
  flags?: string;
  modseq?: number;
}

/** What the client enabled, as far as it changes responses. */
export interface Features {
  readonly qresync: boolean;
  readonly uidOnly: boolean;
  /** Wanted; once connected, enabled. */
  rev2: boolean;
  /** Told by itself, at any time, so that its numbers shift at any time: it names UIDs alone. */
  readonly notify: boolean;
  /** Does not ask for changed flags, and learns of them when it comes back. */
  readonly quiet: boolean;
}

/** What a client with QRESYNC keeps to come back with. */
export interface SavedState {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly entries: readonly Known[];
}

/** Flags in one spelling. */
export function normalFlags(flags: string): string {
  return flags.split(" ").filter((flag) => flag !== "" && flag !== "\\Recent").sort().join(" ");
}

/** The numbers of a set such as `1:3,7`, in its order. */
export function numbersOf(set: string): number[] {
  if (set === "") return [];
  return set.split(",").flatMap((range) => {
    const [first, last = first] = range.split(":").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The mailbox as one client sees it. */
export class ClientModel {
  entries: Known[] = [];
  uidValidity = 0;
  uidNext = 0;
  highestModseq = 0;
  /** Of the command that is under way. @see RFC 7162 §6 */
  #seen = 0;
  #lowered: number | undefined;

  constructor(readonly features: Features) {}

  /** Forgets all but the mod-sequence: SELECT begins. */
  clear(): void {
    this.entries = [];
    this.highestModseq = 0;
  }

  /** Takes in all responses of one command. */
  take(untagged: readonly string[], reply: string): void {
    this.#seen = 0;
    this.#lowered = undefined;
    for (const response of untagged) this.#takeOne(response);
    const told = Number(/\[HIGHESTMODSEQ (\d+)\]/.exec(reply)?.[1] ?? 0);
    this.highestModseq = Math.max(this.highestModseq, this.#lowered ?? (told || this.#seen));
  }

  /** Starts from what was saved, then takes in the answer of SELECT (QRESYNC …). */
  resume(saved: SavedState, untagged: readonly string[]): void {
    this.entries = saved.entries.map((known) => ({ ...known }));
    const changes: string[] = [];
    for (const response of untagged) {
      const earlier = /^\* VANISHED \(EARLIER\) (\S+)$/.exec(response);
      if (earlier) this.#forget(earlier[1]);
      else if (/^\* \d+ (UID)?FETCH /.test(response)) changes.push(response);
      else if (!/^\* \d+ EXISTS$/.test(response)) this.#takeOne(response);
    }
    for (const change of changes) {
      const { uid, flags, modseq } = this.#parse(change);
      assert.ok(uid !== undefined && flags !== undefined && modseq !== undefined, change);
      const known = this.entries.find((each) => each.uid === uid);
      if (known) Object.assign(known, { flags, modseq });
      else this.entries.push({ uid, flags, modseq });
    }
    this.entries.sort((a, b) => (a.uid ?? 0) - (b.uid ?? 0));
  }

  /** UIDs that are named and may be gone already. */
  #forget(set: string): void {
    const gone = set.split(",").map((range) => range.split(":").map(Number));
    this.entries = this.entries.filter(({ uid = 0 }) =>
      !gone.some(([first, last = first]) => uid >= first && uid <= last)
    );
  }

  get known(): Known[] {
    return this.entries.filter(({ uid }) => uid !== undefined);
  }

  save(): SavedState {
    assert.equal(this.known.length, this.entries.length);
    const { uidValidity, uidNext, highestModseq } = this;
    return { uidValidity, uidNext, highestModseq, entries: this.entries.map((e) => ({ ...e })) };
  }

  #takeOne(response: string): void {
    const { features } = this;
    const number = (pattern: RegExp) => Number(pattern.exec(response)?.[1] ?? NaN);
    const exists = number(/^\* (\d+) EXISTS$/);
    if (exists >= 0) {
      assert.ok(exists >= this.entries.length, `${response} below ${this.entries.length}`);
      while (this.entries.length < exists) this.entries.push({});
      return;
    }
    const expunged = number(/^\* (\d+) EXPUNGE$/);
    if (expunged >= 0) {
      assert.ok(!features.qresync && !features.uidOnly, response);
      assert.ok(expunged >= 1 && expunged <= this.entries.length, response);
      this.entries.splice(expunged - 1, 1);
      return;
    }
    const vanished = /^\* VANISHED (\(EARLIER\) )?(\S+)$/.exec(response);
    if (vanished) return this.#vanish(vanished[2], vanished[1] !== undefined, response);
    if (/^\* \d+ (UID)?FETCH /.test(response)) return this.#fetched(response);
    if (/ RECENT$/.test(response)) return assert.ok(!features.rev2, response);
    this.uidValidity = number(/\[UIDVALIDITY (\d+)\]/) || this.uidValidity;
    this.uidNext = number(/\[UIDNEXT (\d+)\]/) || this.uidNext;
    const modseq = number(/^\* OK \[HIGHESTMODSEQ (\d+)\]/);
    if (modseq >= 0) this.#lowered = modseq;
    assert.ok(!features.uidOnly || !/\[UNSEEN /.test(response), response);
    assert.match(response, /^\* (OK |FLAGS |SEARCH|SORT|ESEARCH |LIST |ENABLED)/);
  }

  #vanish(set: string, earlier: boolean, response: string): void {
    assert.ok(this.features.qresync || (this.features.uidOnly && !earlier), response);
    for (const uid of numbersOf(set)) {
      let at = this.entries.findIndex((known) => known.uid === uid);
      // EARLIER must not name what is still counted.
      assert.ok(!earlier || at < 0, response);
      if (earlier) continue;
      // One that it did not ask about yet is somewhere at the end.
      if (at < 0) at = this.entries.findIndex((known) => known.uid === undefined);
      assert.ok(at >= 0, response);
      this.entries.splice(at, 1);
    }
  }

  #parse(response: string): Known & { readonly number: number } {
    const [, number, byUid] = /^\* (\d+) (UID)?FETCH \(/.exec(response) ?? [];
    assert.equal(byUid === "UID", this.features.uidOnly, response);
    const flags = /FLAGS \(([^)]*)\)/.exec(response)?.[1];
    if (this.features.rev2) assert.doesNotMatch(flags ?? "", /Recent/);
    const uid = byUid ? number : / ?\bUID (\d+)/.exec(response)?.[1];
    const modseq = /MODSEQ \((\d+)\)/.exec(response)?.[1];
    if (this.features.qresync) assert.ok(uid !== undefined && modseq !== undefined, response);
    return {
      number: Number(number),
      ...uid === undefined ? {} : { uid: Number(uid) },
      ...flags === undefined ? {} : { flags: normalFlags(flags) },
      ...modseq === undefined ? {} : { modseq: Number(modseq) },
    };
  }

  #fetched(response: string): void {
    const { number, ...told } = this.#parse(response);
    const known = this.features.uidOnly ? this.#named(number) : this.entries[number - 1];
    assert.ok(known !== undefined, `${response} of ${this.entries.length}`);
    if (known.uid !== undefined && told.uid !== undefined) {
      assert.equal(told.uid, known.uid, response);
    }
    Object.assign(known, told);
    if (told.uid !== undefined) this.uidNext = Math.max(this.uidNext, told.uid + 1);
    this.#seen = Math.max(this.#seen, told.modseq ?? 0);
  }

  #named(uid: number): Known | undefined {
    const known = this.entries.find((each) => each.uid === uid);
    const counted = this.entries.findIndex((each) => each.uid === undefined);
    if (known !== undefined || counted < 0) return known;
    // It has no number, so its place is by its UID.
    const [found] = this.entries.splice(counted, 1);
    const after = this.entries.findIndex((each) => each.uid === undefined || each.uid > uid);
    this.entries.splice(after < 0 ? this.entries.length : after, 0, found);
    return found;
  }
}

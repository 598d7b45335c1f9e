/** The arguments of SELECT and EXAMINE. */

import { mailbox, numberSet } from "./grammar.ts";
import { type NumberSet, STAR } from "./number_set.ts";
import type { Scanner } from "./scanner.ts";

/** SELECT and EXAMINE @see RFC 9051 §6.3.2 */
export interface SelectArgs {
  readonly mailbox: string;
  readonly condstore: boolean;
  readonly qresync?: QresyncParameter;
}

/** What a client knows of a mailbox from before. @see RFC 7162 §3.2.5 */
export interface QresyncParameter {
  readonly uidValidity: number;
  readonly modseq: number;
  /** UIDs that it knows; absent: all up to now. */
  readonly knownUids?: NumberSet;
  /** Sequence numbers and their UIDs as the client remembers them. */
  readonly matches?: { readonly seqs: NumberSet; readonly uids: NumberSet };
}

/**
 * select = "SELECT" SP mailbox [SP "(" select-param *(SP select-param) ")"]
 *
 * select-param =/ condstore-param
 *
 * select-param =/ "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids]
 *   [SP seq-match-data] ")"
 *
 * @see RFC 4466 §2.4, RFC 7162 §3.1.8, §3.2.5
 */
export function selectArgs(s: Scanner): SelectArgs {
  s.space();
  const name = mailbox(s);
  const parameters = s.spaceBeforeMore() ? s.list(selectParameter) : [];
  s.end();
  return Object.assign({ mailbox: name, condstore: false }, ...parameters);
}

function selectParameter(s: Scanner): Partial<SelectArgs> {
  if (s.takeKeyword("CONDSTORE")) return { condstore: true };
  if (!s.takeKeyword("QRESYNC")) throw s.fault("CONDSTORE or QRESYNC");
  s.space();
  s.expect("(");
  const uidValidity = s.nzNumber("a UIDVALIDITY");
  s.space();
  const modseq = s.number64("a mod-sequence");
  let more = s.take(" ");
  const knownUids = more && s.peek() !== "(" ? fixedSet(s) : undefined;
  if (knownUids !== undefined) more = s.take(" ");
  const matches = more ? sequenceMatches(s) : undefined;
  s.expect(")");
  return { qresync: { uidValidity, modseq, knownUids, matches } };
}

/** seq-match-data = "(" known-sequence-set SP known-uid-set ")" @see RFC 7162 §3.2.5.2 */
function sequenceMatches(s: Scanner): { seqs: NumberSet; uids: NumberSet } {
  s.expect("(");
  const seqs = fixedSet(s);
  s.space();
  const uids = fixedSet(s);
  s.expect(")");
  return { seqs, uids };
}

/** sequence-set without "*" */
function fixedSet(s: Scanner): NumberSet {
  const start = s.position;
  const set = numberSet(s);
  if (set.ranges.some(([, last]) => last === STAR)) throw s.fault("numbers without *", start);
  return set;
}

/** Documents of all messages of mailboxes, read in slices. */

import { Pace } from "../../pace.ts";
import type { Documents, MailboxDocuments } from "./documents.ts";
import type { MailboxState } from "./mailbox_state.ts";

const ROWS_PER_STEP = 4000;

/** UIDs and documents of a mailbox, some thousand at a time, in UID order. */
async function* rowsOf(
  documents: Documents,
  state: MailboxState,
  pace: Pace,
): AsyncGenerator<[uid: number, document: number][]> {
  for (let first = 0;;) {
    const rows = documents.of(state.id, first, ROWS_PER_STEP);
    yield rows;
    if (rows.length < ROWS_PER_STEP) return;
    first = rows[rows.length - 1][0] + 1;
    if (pace.due()) await pace.turn();
  }
}

/** The documents of a mailbox, as far as they are noted. */
export async function mailboxDocuments(
  documents: Documents,
  state: MailboxState,
): Promise<MailboxDocuments> {
  const uids: number[] = [];
  const numbers: number[] = [];
  for await (const rows of rowsOf(documents, state, new Pace())) {
    for (const [uid, document] of rows) {
      uids.push(uid);
      numbers.push(document);
    }
  }
  return { uids: Uint32Array.from(uids), documents: Uint32Array.from(numbers) };
}

/** The documents that messages have: how many, and 1 at the number of each. */
export async function referencedDocuments(
  documents: Documents,
  states: Iterable<MailboxState>,
): Promise<{ readonly count: number; readonly marks: Uint8Array }> {
  const marks = new Uint8Array(documents.known.next);
  const pace = new Pace();
  let count = 0;
  for (const state of [...states]) {
    for await (const rows of rowsOf(documents, state, pace)) {
      for (const [, document] of rows) {
        count += 1 - marks[document];
        marks[document] = 1;
      }
    }
  }
  return { count, marks };
}

/**
 * Those of `uids` that have one of the documents `found`, or none at all.
 *
 * @param uids ascending
 * @param found ascending
 */
export async function passing(
  uids: readonly number[],
  known: MailboxDocuments,
  found: Uint32Array,
): Promise<readonly number[]> {
  const pace = new Pace();
  const has = new Uint8Array(found.length === 0 ? 0 : found[found.length - 1] + 1);
  for (let at = 0; at < found.length; at++) has[found[at]] = 1;
  const left: number[] = [];
  let at = 0;
  for (const [i, uid] of uids.entries()) {
    while (known.uids[at] < uid) at++;
    if (known.uids[at] !== uid || has[known.documents[at]] === 1) left.push(uid);
    if (i % ROWS_PER_STEP === ROWS_PER_STEP - 1 && pace.due()) await pace.turn();
  }
  return left;
}

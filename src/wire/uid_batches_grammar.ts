/** UIDBATCHES @see RFC 10022 §4 */

import { type Scanner, SyntaxFault } from "./scanner.ts";

export interface UidBatchesArgs {
  /** Messages in a batch. */
  readonly size: number;
  /** Which batches, from 1, that of the highest UIDs; all if absent. */
  readonly batches?: readonly [first: number, last: number];
}

/** A range of batches that goes back: BAD [CLIENTBUG]. @see RFC 10022 §3.1.5 */
export class WrongOrder extends SyntaxFault {
  override readonly code = "CLIENTBUG";
}

/** message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number] @see RFC 10022 §4 */
export function uidBatchesArgs(s: Scanner): UidBatchesArgs {
  s.space();
  const size = s.nzNumber("a number of messages");
  if (!s.spaceBeforeMore()) return { size };
  const first = s.nzNumber("the number of a batch");
  s.expect(":");
  const start = s.position;
  const last = s.nzNumber("the number of a batch");
  if (last < first) throw new WrongOrder(`Expected a number from ${first} on: got ${last}`, start);
  s.end();
  return { size, batches: [first, last] };
}

/** UIDBATCHES: ranges of UIDs that part a mailbox into equal numbers of messages. */

import { type Completion, no, ok } from "../../wire/response.ts";
import type { UidBatchesArgs } from "../../wire/uid_batches_grammar.ts";
import type { SelectedContext } from "../command.ts";
import { presentUids } from "../targets.ts";

/** Less would let a client rebuild sequence numbers. @see RFC 10022 §3.1.3 */
const SMALLEST_BATCH = 500;

/** @see RFC 10022 §3.1 */
export function uidBatches(context: SelectedContext, args: UidBatchesArgs): Completion {
  const { view, tag, out, command, service } = context;
  // No batch is more than one command may be about. @see RFC 10022 §3.4
  const most = service.messageLimit ?? Infinity;
  const least = Math.min(SMALLEST_BATCH, most);
  if (args.size < least) {
    return no(`Expected batches of ${least} messages at least: got ${args.size}`, "TOOFEW");
  }
  const size = Math.min(args.size, most);
  const uids = presentUids(view, view.seqs().map((seq) => view.uidOf(seq))).present;
  const ranges = batchesOf(uids, { ...args, size }).map(([high, low]) => `${high}:${low}`);
  // There is a response also where there are no batches.
  out.text(`* UIDBATCHES (TAG "${tag}")${ranges.length === 0 ? "" : ` ${ranges.join(",")}`}\r\n`);
  return ok(`${command} completed`);
}

/**
 * The highest and lowest UID of each batch, the highest batch first; the last one of a mailbox ends
 * with 1.
 *
 * @param uids ascending
 * @see RFC 10022 §3.1.2, §3.1.4
 */
export function batchesOf(
  uids: readonly number[],
  { size, batches: [first, last] = [1, Infinity] }: UidBatchesArgs,
): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  for (let batch = first; batch <= last; batch++) {
    const end = uids.length - (batch - 1) * size;
    if (end <= 0) break;
    found.push([uids[end - 1], end > size ? uids[end - size] : 1]);
  }
  return found;
}

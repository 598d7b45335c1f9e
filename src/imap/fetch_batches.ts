/** The messages of a FETCH in batches, each with what is kept of it. */

import { type CachedItems, TooMuchAtOnce } from "../store/store.ts";
import type { SelectedContext } from "./command.ts";
import type { FetchPlan } from "./fetch_plan.ts";
import type { TextBlock } from "./lasting_texts.ts";

/** So few messages are not worth a block of texts. */
const FEW = 16;

/** Messages that are answered about at once, with what is kept of them. */
export interface Batch {
  readonly batch: readonly number[];
  /** Of each item of `plan.kept`. */
  readonly blocks?: readonly TextBlock[];
  readonly rows?: readonly (Partial<CachedItems> & { readonly uid: number })[];
}

/** @param uids ascending */
export function fetchBatches(
  context: SelectedContext,
  plan: FetchPlan,
  uids: readonly number[],
): AsyncIterable<Batch> {
  const { view: { mailbox }, service: { lastingTexts } } = context;
  const runs = plan.kept.length > 0
    ? lastingTexts.runs(uids, mailbox)
    : batches(uids, plan.opened ? 32 : 512);
  return inBatches(context, plan, runs);
}

/** Reads what is kept; of messages of which it is too much, of fewer at once. */
async function* inBatches(
  context: SelectedContext,
  plan: FetchPlan,
  runs: Iterable<readonly number[]>,
): AsyncGenerator<Batch, void> {
  const { view: { mailbox } } = context;
  for (const uids of runs) {
    if (plan.prepared) await mailbox.prepare(uids, plan.awaited);
    let batch: Batch | undefined;
    try {
      batch = await keptOfBatch(context, plan, uids);
    } catch (error) {
      if (!(error instanceof TooMuchAtOnce)) throw error;
    }
    if (batch !== undefined) yield batch;
    else yield* inBatches(context, plan, halves(uids));
  }
}

async function keptOfBatch(
  { view: { mailbox }, service: { lastingTexts } }: SelectedContext,
  plan: FetchPlan,
  batch: readonly number[],
): Promise<Batch> {
  const blocks = plan.kept.length === 0
    ? undefined
    : lastingTexts.find(plan.kept, batch, mailbox) ??
      (plan.opened || batch.length < FEW
        ? undefined
        : await lastingTexts.of(plan.lasting, batch, mailbox));
  const keys = blocks === undefined ? plan.cached : plan.cachedBeside;
  const rows = keys.length === 0
    ? undefined
    : await mailbox.cached(keys, batch[0], batch[batch.length - 1]);
  return { batch, blocks, rows };
}

function halves(uids: readonly number[]): readonly (readonly number[])[] {
  const middle = Math.ceil(uids.length / 2);
  return [uids.slice(0, middle), uids.slice(middle)];
}

/** Cuts ascending UIDs into runs that are close together, so that one range read serves each. */
function* batches(uids: readonly number[], most: number): Generator<readonly number[]> {
  for (let start = 0; start < uids.length;) {
    const limit = uids[start] + 4 * most;
    let end = start + 1;
    while (end < uids.length && end - start < most && uids[end] < limit) end++;
    yield uids.slice(start, end);
    start = end;
  }
}

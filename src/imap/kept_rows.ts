/** What the index keeps of messages, read without holding too much of it. */

import { type CachedItems, type Mailbox, TooMuchAtOnce } from "../store/store.ts";

/**
 * Rows of `Mailbox.cached`, in one piece where that is not too much, and else in several.
 *
 * @param first @param last UIDs
 */
export async function* keptRows<K extends keyof CachedItems>(
  mailbox: Pick<Mailbox, "cached">,
  items: readonly K[],
  first: number,
  last: number,
): AsyncGenerator<readonly (Pick<CachedItems, K> & { readonly uid: number })[], void> {
  try {
    return yield await mailbox.cached(items, first, last);
  } catch (error) {
    if (!(error instanceof TooMuchAtOnce)) throw error;
  }
  const middle = Math.floor((first + last) / 2);
  yield* keptRows(mailbox, items, first, middle);
  yield* keptRows(mailbox, items, middle + 1, last);
}

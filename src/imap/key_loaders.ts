/** How keys of messages are read for SORT and THREAD. */

import type { SortKeys } from "../message/sort_keys.ts";
import type { Pace } from "../pace.ts";
import type { Mailbox } from "../store/store.ts";
import { lowerBound } from "../wire/number_set.ts";
import type { KeyLoader } from "./key_memory.ts";

/** How many messages' keys are read at once, with those between that are not asked for. */
const SPAN = 1000;

/** Reads keys of messages (UIDs, ascending) and calls `take` with the place of each that has them. */
export async function eachSortKey<K extends keyof SortKeys>(
  mailbox: Mailbox,
  keys: readonly K[],
  uids: Uint32Array,
  pace: Pace,
  take: (place: number, keys: Pick<SortKeys, K>) => void,
): Promise<void> {
  if (!mailbox.messages.prepared) await mailbox.prepare([...uids]);
  for (let start = 0, end = 0; start < uids.length; start = end) {
    while (end < uids.length && uids[end] - uids[start] < SPAN) end++;
    let place = start;
    for (const row of await mailbox.sortKeys(keys, uids[start], uids[end - 1])) {
      while (place < end && uids[place] < row.uid) place++;
      if (place === end) break;
      if (uids[place] === row.uid) take(place, row);
    }
    if (pace.due()) await pace.turn();
  }
}

/** Sent dates; INTERNALDATE where the message has none. @see RFC 5256 §2.2 */
export const dateLoader: KeyLoader<Float64Array> = {
  name: "sent",
  load: async (mailbox, uids, pace) => {
    const dates = arrivalDates(mailbox, uids);
    await eachSortKey(mailbox, ["sent"], uids, pace, (place, { sent }) => {
      if (sent !== null) dates[place] = sent;
    });
    return dates;
  },
  pick: pickNumbers,
  concat: (earlier, later) => {
    const all = new Float64Array(earlier.length + later.length);
    all.set(earlier);
    all.set(later, earlier.length);
    return all;
  },
};

/** INTERNALDATE in seconds since 1970. */
export function arrivalDates({ messages }: Mailbox, uids: Uint32Array): Float64Array {
  const dates = new Float64Array(uids.length);
  let at = 0;
  for (let place = 0; place < uids.length; place++) {
    if (messages.uids[at] !== uids[place]) {
      at = lowerBound(messages.uids, messages.count, uids[place]);
    }
    if (at < messages.count && messages.uids[at] === uids[place]) {
      dates[place] = messages.dates[at++];
    }
  }
  return dates;
}

/** The numbers at these places; 0 for what is not there. */
export function pickNumbers(all: Float64Array, places: Int32Array): Float64Array {
  return Float64Array.from(places, (place) => place < 0 ? 0 : all[place]);
}

/** Whether the times of a directory tell all that happened in it. */

import type { DirectoryState } from "./mailbox_state.ts";

/**
 * A directory that changed less than this many ms before it was read may have changed unseen:
 * where times are kept in whole seconds, and where they follow the kernel's tick.
 */
const YOUNG = { seconds: 2000, tick: 50 } as const;

/** True if it may have changed unseen after it was compared. */
export function isYoung({ mtime, compared }: Pick<DirectoryState, "mtime" | "compared">): boolean {
  return compared - mtime < (mtime % 1000 === 0 ? YOUNG.seconds : YOUNG.tick);
}

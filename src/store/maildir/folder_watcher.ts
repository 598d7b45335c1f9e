/** Tells when another program delivers to, renames in or removes from Maildir folders. */

import type { Log } from "../../log.ts";

/** Something happened in `new/` or `cur/` of a folder. */
export interface FolderEvent {
  readonly directory: "new" | "cur";
  /** The file's name, or "" when it is not known: then the whole directory is to be compared. */
  readonly file: string;
}

export type FolderListener = (event: FolderEvent) => void;

export interface FolderWatcherOptions {
  /** Milliseconds between two looks at folders that the system will not watch; 2,000 if absent. */
  readonly pollInterval?: number;
}

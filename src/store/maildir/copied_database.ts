/** The copy of an index once it is open. */

import { DatabaseSync } from "node:sqlite";

/**
 * Opens a copy. Nothing has to be beside it from then on, nor has it to have a name: so nothing is
 * left where a process is killed.
 *
 * @throws {Error} SQLite's
 */
export function openCopied(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // What is in the log is in the file then.
    database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

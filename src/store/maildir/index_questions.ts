/** What the doctor asks an index, in a thread that nobody waits for. */

import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/** What has no answer in an index that is as it should be. */
export interface IndexQuestion {
  readonly sql: string;
  readonly values?: { readonly mailbox: number };
}

/**
 * Asks an index that may be in use. It is read without its log and without a lock while others write
 * to it, so what comes back is only where something may be wrong: whoever has it open has to look.
 *
 * @returns positions of the questions that have an answer, or that cannot be asked
 */
export function suspicious(path: string, questions: readonly IndexQuestion[]): readonly number[] {
  // Whoever may write to the Maildir could have put a pipe there.
  if (!Deno.lstatSync(path).isFile) return [...questions.keys()];
  // The locks of whoever has it open stay: SQLite closes the file when the last of its own does.
  using database = new DatabaseSync(`${pathToFileURL(path).href}?immutable=1`, { readOnly: true });
  return [...questions.keys()].filter((at) => hasAnswer(database, questions[at]));
}

function hasAnswer(database: DatabaseSync, { sql, values = {} as never }: IndexQuestion): boolean {
  try {
    return database.prepare(sql).get(values) !== undefined;
  } catch {
    return true;
  }
}

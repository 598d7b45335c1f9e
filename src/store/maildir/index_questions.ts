/** What the doctor asks an index, in a thread that nobody waits for. */

import type { Statements } from "./statements.ts";

/** What has no answer in an index that is as it should be. */
export interface IndexQuestion {
  readonly sql: string;
  readonly values?: { readonly mailbox: number };
}

/**
 * Asks a copy of an index. Where that is in use meanwhile, what comes back is only where something may
 * be wrong: whoever has it open has to look.
 *
 * @returns positions of the questions that have an answer, or that cannot be asked
 */
export function suspicious(
  copy: Statements,
  questions: readonly IndexQuestion[],
): readonly number[] {
  return [...questions.keys()].filter((at) => hasAnswer(copy, questions[at]));
}

function hasAnswer(copy: Statements, { sql, values = {} as never }: IndexQuestion): boolean {
  try {
    return copy.of(sql).get(values) !== undefined;
  } catch {
    return true;
  }
}

/** Looks for what is wrong within an account's index, and changes nothing. */

import type { DatabaseSync } from "node:sqlite";
import { yieldNow } from "../../pace.ts";
import type { IndexQuestion } from "./index_questions.ts";
import { keywordFaults } from "./keyword_checks.ts";
import { counted, ofMessages, some, type Told } from "./problem.ts";
import { INDEX_CHECKS, MAILBOX_CHECKS, type RowCheck } from "./row_checks.ts";
import { INDEX_FILE, schemaFault } from "./schema.ts";
import { Statements } from "./statements.ts";

/** The index that is looked at. */
export interface ExaminedIndex {
  readonly database: DatabaseSync;
  /** What is asked of each mailbox: V8 does not see what a statement takes, and lets thousands lie. */
  readonly statements: Statements;
  /** Runs `look` while nothing changes. */
  alone<T>(look: () => T): Promise<T>;
  /** Writes a copy while nothing changes. Absent where it is one. @throws {Error} such as: no room */
  copyTo?(path: string): Promise<void>;
  /** Has another thread look first: see `suspicious`. Absent where nobody waits for this one. */
  suspects?(questions: readonly IndexQuestion[]): Promise<readonly number[]>;
}

/** A mailbox as the index has it. */
export interface ExaminedMailbox {
  readonly id: number;
  readonly name: string;
  /** Name of its folder in the Maildir; "" for INBOX. */
  readonly folder: string;
}

/** What happens to a damaged index if nobody mends it, and where mending gets what it loses. */
const DAMAGED = "what can be read of it is kept by --repair; else it is made anew at the next " +
  `opening, under new UIDVALIDITYs: a backup of ${INDEX_FILE} keeps UIDs and keywords`;

/** An index that SQLite itself finds damaged; nothing else can be said of it then. */
export function damaged(why: string): Told {
  return {
    level: "failed",
    code: "index-damaged",
    text: `the index is damaged: ${why}`,
    advice: DAMAGED,
    mender: "index",
    remedy:
      "what could be read of it is in a new one; mailboxes of which it could not have new UIDs",
  };
}

/** An index that nobody else works with. */
export function ownIndex(database: DatabaseSync): ExaminedIndex {
  return {
    database,
    statements: new Statements(database),
    alone: (look) => Promise.resolve().then(look),
  };
}

/** Has SQLite look through the index. @returns the first thing that is wrong */
export async function damageOf(index: ExaminedIndex): Promise<string | undefined> {
  const fault = await index.alone(() => schemaFault(index.database));
  if (fault !== undefined) return fault;
  const tables = await index.alone(() =>
    index.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  );
  for (const { name } of tables) {
    const [found] = await answersTo(index, {
      sql: `SELECT integrity_check AS fault
        FROM pragma_integrity_check('${String(name).replaceAll("'", "''")}')
        WHERE integrity_check <> 'ok'`,
    });
    // In the line before it names the database.
    if (found !== undefined) return String(found.fault).replace(/^\*\*\* .*\n/, "");
  }
  const [foreign] = await answersTo(index, { sql: "SELECT * FROM pragma_foreign_key_check" });
  return foreign && `a row of ${foreign.table} refers to what is not there`;
}

type Row = Record<string, unknown>;

async function answersTo(index: ExaminedIndex, question: IndexQuestion): Promise<readonly Row[]> {
  const [answers] = await answersToAll(index, [question]);
  return answers;
}

/** The answers to each question; the event loop is held only by those that another thread suspects. */
async function answersToAll(
  { statements, alone, suspects }: ExaminedIndex,
  questions: readonly IndexQuestion[],
): Promise<readonly (readonly Row[])[]> {
  const answers: Row[][] = questions.map(() => []);
  for (const at of await suspects?.(questions) ?? questions.keys()) {
    const { sql, values = {} as never } = questions[at];
    answers[at] = await alone(() => statements.of(sql).all(values));
    await yieldNow();
  }
  return answers;
}

/** What is wrong with rows that belong to no mailbox alone. */
export async function* indexProblems(index: ExaminedIndex): AsyncGenerator<Told, void> {
  for (const check of INDEX_CHECKS) {
    const rows = (await answersTo(index, { sql: check.find })).length;
    if (rows > 0) yield told(check, `${counted(rows, "row")} of the index ${check.text}`);
  }
  const faults = await index.alone(() => keywordFaults(index.database));
  for (
    const [found, code, text] of [
      [faults.words, "keyword-impossible", "a keyword that can't be one"],
      [faults.sets, "keyword-set-impossible", "a set of keywords with one that has no name"],
      [faults.lists, "keywords-unlisted", "a mailbox whose list of keywords is not that in use"],
    ] as const
  ) {
    if (found.length === 0) continue;
    yield told(
      { code, remedy: "put right" },
      `${counted(found.length, "row")} of the index: ${text}`,
    );
  }
}

/** What is wrong with the rows of a mailbox. */
export async function* mailboxProblems(
  index: ExaminedIndex,
  { id, name }: ExaminedMailbox,
): AsyncGenerator<Told, void> {
  const questions = MAILBOX_CHECKS.map(({ find }) => ({ sql: find, values: { mailbox: id } }));
  const answers = await answersToAll(index, questions);
  for (const [at, check] of MAILBOX_CHECKS.entries()) {
    const rows = answers[at];
    if (rows.length === 0) continue;
    const uids = rows.map(({ uid }) => Number(uid));
    const text = `${name}: ${counted(uids.length, "message")} ${check.text} (UID ${some(uids)})`;
    yield ofMessages({ ...told(check, text), mailbox: name }, { uids });
  }
}

/** Work that a crash interrupted. */
export function interruptedWork({ database }: ExaminedIndex): Told | undefined {
  const [journal, removals] = ["journal", "removals"].map((table) =>
    Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count)
  );
  if (journal + removals === 0) return undefined;
  return {
    level: "warning",
    code: "work-interrupted",
    text: `work that was interrupted is to be finished: ${counted(journal, "entry", "entries")} ` +
      `of the journal, files of ${counted(removals, "expunged message")}`,
    advice: "nothing is to be done: it is finished when the account is next opened",
    mender: "compare",
    remedy: "it is finished",
  };
}

function told({ code, remedy }: Pick<RowCheck, "code" | "remedy">, text: string): Told {
  return {
    level: "failed",
    code,
    text,
    advice: `--repair mends it: ${remedy}`,
    mender: "rows",
    remedy,
  };
}

/** Checks what SEARCH looks texts up in against the messages, and changes nothing. */

import type { StatementSync } from "node:sqlite";
import { Pace } from "../../pace.ts";
import { ofText } from "./content_rows.ts";
import type { ExaminedIndex } from "./index_examination.ts";
import { lstat } from "./locating.ts";
import { counted, ofMessages, some, type Told } from "./problem.ts";
import { SEARCH_FILE } from "./search_file.ts";
import {
  type ExaminedSearchFile,
  type SearchService,
  SearchUnavailable,
} from "./search_service.ts";
import type { UnindexedMessage } from "./search_worker.ts";
import { isDamage } from "./sqlite_error.ts";

/** What there is to check texts with. */
export interface ExaminedSearch {
  readonly service: SearchService;
  /** Look at all messages, not only at some. */
  readonly thorough: boolean;
  /** Nobody wants to know any more. */
  readonly gone?: AbortSignal;
}

/** Messages that are looked at unless it is to be thorough. */
const SAMPLE = 50;
const MESSAGES_PER_CALL = 16;

/** A message, and the document that should have its text. */
export interface Indexed {
  readonly mailbox: string;
  readonly uid: number;
  readonly document: number;
  readonly message: UnindexedMessage;
}

/** What is wrong with the search file. */
export async function* searchProblems(
  root: string,
  index: ExaminedIndex,
  search: ExaminedSearch,
): AsyncGenerator<Told, void> {
  const known = await index.alone(() => knownFile(index));
  if (known.id === 0) return;
  const path = `${root}/${SEARCH_FILE}`;
  const there = lstat(path);
  if (there === undefined) {
    return yield broken(path, "warning", "search-missing", "it is not there");
  }
  if (!there.isFile) {
    return yield {
      level: "failed",
      code: "search-link",
      text: `${path} is not a plain file`,
      paths: [path],
      advice: "remove it; it is made anew",
    };
  }
  try {
    const file = await search.service.examine(root, known);
    try {
      if (file.fault !== undefined) {
        return yield broken(path, "failed", "search-damaged", file.fault);
      }
      yield* compare(path, root, index, search, file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof SearchUnavailable)) throw error;
    if (isDamage(error)) return yield broken(path, "failed", "search-damaged", error.message);
    yield {
      level: "warning",
      code: "search-unchecked",
      text: `${path} could not be checked: ${error.message}`,
      paths: [path],
      advice: "try it again",
    };
  }
}

async function* compare(
  path: string,
  root: string,
  index: ExaminedIndex,
  { thorough, gone }: ExaminedSearch,
  file: ExaminedSearchFile,
): AsyncGenerator<Told, void> {
  const all = await index.alone(() => documents(index, thorough ? Infinity : SAMPLE));
  // Also for a sample: to ask for each token of fifty messages takes longer.
  while (!await file.sum()) gone?.throwIfAborted();
  const statement = index.statements.of(MESSAGE);
  const wrong: Indexed[] = [];
  const pace = new Pace();
  for (let at = 0; at < all.length; at += MESSAGES_PER_CALL) {
    gone?.throwIfAborted();
    const rows = await index.alone(() =>
      all.slice(at, at + MESSAGES_PER_CALL).flatMap((id) => messageOf(root, statement, id) ?? [])
    );
    for (const which of await file.lacking(rows)) wrong.push(rows[which]);
    if (pace.due()) await pace.turn();
  }
  if (wrong.length === 0) return;
  const names = wrong.map(({ mailbox, uid }) => `${mailbox} UID ${uid}`);
  yield ofMessages(
    broken(
      path,
      "failed",
      "search-wrong",
      `it lacks texts of ${counted(wrong.length, "message")} of ${all.length} (${some(names)})`,
    ),
    { uids: wrong.map(({ uid }) => uid), paths: [path] },
  );
}

function broken(path: string, level: "warning" | "failed", code: string, why: string): Told {
  return {
    level,
    code,
    text: `${path} cannot be used to search texts: ${why}`,
    paths: [path],
    advice: "--repair makes it anew from the messages",
    mender: "search",
    remedy: "it is made anew from the messages",
  };
}

function knownFile({ database }: ExaminedIndex) {
  const meta = (name: string) =>
    Number(database.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value ?? 0);
  return {
    id: meta("search_file"),
    next: Math.max(1, meta("search_next")),
    removals: meta("search_removals"),
  };
}

/** Keys of messages with a document of the present file, at most about `most`, spread over all. */
function documents({ database }: ExaminedIndex, most: number): readonly number[] {
  const first = "ifnull((SELECT value FROM meta WHERE name = 'search_first'), 0)";
  const count = Number(
    database.prepare(
      `SELECT count(*) AS count FROM objects WHERE document >= 1 AND document >= ${first}`,
    ).get()?.count,
  );
  const step = Math.max(1, Math.floor(count / most));
  return database.prepare(
    `SELECT id FROM objects WHERE document >= 1 AND document >= ${first} AND document % ? = 0
     ORDER BY id`,
  ).all(step).map(({ id }) => Number(id));
}

const MESSAGE =
  `SELECT b.name, b.folder, m.uid, o.document, f.in_new, f.base, f.info, f.bare_lf, m.size,
       c.parts FROM objects o JOIN messages m ON m.mailbox = o.id >> 32
         AND m.uid = o.id & 4294967295
       JOIN mailboxes b ON b.id = m.mailbox
       JOIN files f ON f.id = o.id JOIN contents c ON c.id = o.id
     WHERE o.id = ? AND m.size >= 0 AND o.document >= 1`;

function messageOf(root: string, statement: StatementSync, id: number): Indexed | undefined {
  const row = statement.get(id);
  if (row === undefined) return undefined;
  const folder = row.folder === "" ? root : `${root}/${row.folder}`;
  return {
    mailbox: String(row.name),
    uid: Number(row.uid),
    document: Number(row.document),
    message: {
      path: `${folder}/${row.in_new !== 0 ? "new" : "cur"}/${row.base}${row.info}`,
      size: Number(row.size),
      bareLf: row.bare_lf !== 0,
      parts: ofText(String(row.parts)),
    },
  };
}

/** Mends an account's index while nobody has it open. No file of a message is touched. */

import { closeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import { createOwnedFile } from "../../ownership.ts";
import { Pace, yieldNow } from "../../pace.ts";
import { StoreError } from "../store.ts";
import { damageOf, ownIndex } from "./index_examination.ts";
import { keywordFaults, mendKeywords } from "./keyword_checks.ts";
import { lstat } from "./locating.ts";
import type { Finding } from "./problem.ts";
import { COPIED } from "./restored.ts";
import { INDEX_CHECKS, MAILBOX_CHECKS, type RowCheck } from "./row_checks.ts";
import { moveAside } from "./index_replacing.ts";
import { bringUpToDate, INDEX_FILE, openIndex } from "./schema.ts";
import { SearchFile } from "./search_file.ts";
import { isDamage, isLocked, isRefused } from "./sqlite_error.ts";
import { leastUidValidity, UidValidities } from "./uid_validity.ts";
import { MailboxRows } from "./mailbox_rows.ts";

/** What mends need. */
export interface RowRepair {
  readonly root: string;
  readonly log: Log;
  readonly clock: () => number;
  readonly findings: readonly Finding[];
}

/** Mending one thing may uncover another. */
const ROUNDS = 4;

/** No row has it: SQLite's least integer. */
const LEAST_ID = -(2n ** 63n);

/** Mends all that can be mended in the index itself. */
export async function mendIndex(repair: RowRepair): Promise<void> {
  const { root, log, clock, findings } = repair;
  const has = (mender: Finding["mender"]) => findings.some((each) => each.mender === mender);
  if (has("index")) await mendDamage(root, log, clock);
  const { database } = openIndex(root, log, clock, false);
  try {
    await inTransaction(database, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const mended = await mendRows(database);
        if (!mended) break;
      }
      for (const finding of findings) {
        if (finding.mender === "changed") await mendChanged(database, root, finding);
      }
      if (has("search")) forgetDocuments(database);
      // After it, whoever opens the account compares all folders.
      database.exec(
        "UPDATE mailboxes SET new_mtime = 0, new_compared = 0, cur_mtime = 0, cur_compared = 0",
      );
      if (has("uid-validity") || has("rows")) await keepUidValidity(database, repair);
    });
    if (has("search")) SearchFile.remove(root);
    await yieldNow();
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

/** Before the values are committed: else a kill could have them given again. */
async function keepUidValidity(
  database: DatabaseSync,
  { root, clock, log }: RowRepair,
): Promise<void> {
  const given = new UidValidities(root, new MailboxRows(database), clock, log);
  given.note(leastUidValidity(database));
  given.save();
  await given.keep();
}

async function inTransaction(database: DatabaseSync, work: () => Promise<void>): Promise<void> {
  database.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  try {
    await work();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** Mends rows once; that may uncover more. @returns whether there was anything to mend */
export async function mendRows(database: DatabaseSync): Promise<boolean> {
  let mended = false;
  for (const check of INDEX_CHECKS) {
    const isWrong = database.prepare(check.find).get() !== undefined;
    await yieldNow();
    if (!isWrong) continue;
    mended = true;
    for (const sql of check.mend) await run(database, sql, {});
  }
  for (const { id } of database.prepare("SELECT id FROM mailboxes").all()) {
    for (const check of MAILBOX_CHECKS) {
      if (await mendMailbox(database, Number(id), check)) mended = true;
    }
  }
  const faults = keywordFaults(database);
  mendKeywords(database, faults, (mailbox) => nextModseq(database, mailbox));
  return mended || faults.words.length + faults.sets.length + faults.lists.length > 0;
}

async function mendMailbox(
  database: DatabaseSync,
  mailbox: number,
  check: RowCheck,
): Promise<boolean> {
  const isWrong = database.prepare(check.find).get({ mailbox }) !== undefined;
  await yieldNow();
  if (!isWrong) return false;
  const changesMessages = check.mend.some((sql) => sql.includes(":modseq"));
  const modseq = changesMessages ? nextModseq(database, mailbox) : 0;
  for (const sql of check.mend) {
    await run(database, sql, sql.includes(":modseq") ? { mailbox, modseq } : { mailbox });
  }
  return true;
}

/** Others have their turns after each part: nobody else has the account meanwhile. */
async function run(
  database: DatabaseSync,
  sql: string,
  values: Record<string, number>,
): Promise<void> {
  const statement = database.prepare(sql);
  if (!sql.includes(":after")) {
    statement.run(values);
    return await yieldNow();
  }
  // Of an id in which a bit flipped a number may not be exact.
  statement.setReadBigInts(true);
  for (let ids = [LEAST_ID]; ids.length > 0;) {
    const after = ids.reduce((one, other) => one > other ? one : other);
    ids = statement.all({ ...values, after }).map(({ id }) => id as bigint);
    await yieldNow();
  }
}

/** Takes the next mod-sequence of a mailbox, above all that are believable. */
function nextModseq(database: DatabaseSync, mailbox: number): number {
  const highest = database.prepare(
    `SELECT max(1, (SELECT highest_modseq FROM mailboxes WHERE id = :mailbox),
       ifnull((SELECT max(modseq) FROM messages
         WHERE mailbox = :mailbox AND modseq <= ${Number.MAX_SAFE_INTEGER - 1}), 1)) AS highest`,
  ).get({ mailbox })?.highest;
  const modseq = Number(highest) + 1;
  database.prepare("UPDATE mailboxes SET highest_modseq = ? WHERE id = ?").run(modseq, mailbox);
  return modseq;
}

/** A message may not change under its UID: what its file is now is another one, with its flags. */
async function mendChanged(
  database: DatabaseSync,
  root: string,
  finding: Finding,
): Promise<void> {
  const { mailboxId: mailbox, uids = [] } = finding;
  if (mailbox === undefined) return;
  const row = database.prepare("SELECT folder, uid_next FROM mailboxes WHERE id = ?").get(mailbox);
  if (row === undefined) return;
  const folder = row.folder === "" ? root : `${root}/${row.folder}`;
  let uid = Number(row.uid_next);
  const modseq = nextModseq(database, mailbox);
  const pace = new Pace();
  for (const old of uids) {
    if (pace.due()) await pace.turn();
    const file = database.prepare(
      "SELECT in_new, base, info FROM files WHERE id = (? << 32) | ?",
    ).get(mailbox, old);
    const name = `${file?.base}${file?.info}`;
    const there = file && lstat(`${folder}/${file.in_new !== 0 ? "new" : "cur"}/${name}`);
    if (there === undefined || !there.isFile || uid > 0xffff_fffe) continue;
    const values = { mailbox, old, uid };
    database.prepare(
      `INSERT INTO messages SELECT mailbox, :uid, flags, keywords, :modseq, :size, date, zone
       FROM messages WHERE mailbox = :mailbox AND uid = :old`,
    ).run({ ...values, modseq, size: -1 - there.size });
    database.prepare(
      `UPDATE files SET id = (:mailbox << 32) | :uid, bare_lf = 0
       WHERE id = (:mailbox << 32) | :old`,
    ).run(values);
    const { uid: _, ...of } = values;
    database.prepare("DELETE FROM contents WHERE id = (:mailbox << 32) | :old").run(of);
    database.prepare("DELETE FROM messages WHERE mailbox = :mailbox AND uid = :old").run(of);
    database.prepare("INSERT OR REPLACE INTO expunged VALUES (:mailbox, :modseq, :old, :old)")
      .run({ ...of, modseq });
    uid++;
  }
  database.prepare("UPDATE mailboxes SET uid_next = ? WHERE id = ?").run(uid, mailbox);
}

/** Another file takes the place of the present one, with other documents. */
function forgetDocuments(database: DatabaseSync): void {
  database.exec(
    `INSERT OR REPLACE INTO meta SELECT 'search_first', max(1, ifnull(max(value), 1)) FROM meta
       WHERE name = 'search_next';
     DELETE FROM meta WHERE name = 'search_file';`,
  );
}

/** Has SQLite make its indexes anew; if that is not enough, saves what can be read. */
async function mendDamage(root: string, log: Log, clock: () => number): Promise<void> {
  const path = `${root}/${INDEX_FILE}`;
  if (["", "-wal"].some((suffix) => lstat(path + suffix)?.isFile === false)) {
    return moveAside(path, log, clock, new Error("it is no plain file"));
  }
  const why = await reindexed(path);
  if (why === undefined) return;
  const saved = `${path}.saved`;
  await save(path, saved);
  moveAside(path, log, clock, new Error(why), saved);
}

/** @returns what is wrong still */
async function reindexed(path: string): Promise<string | undefined> {
  let database: DatabaseSync | undefined;
  try {
    database = lockedDatabase(path);
    database.exec("REINDEX");
    return await damageOf(ownIndex(database));
  } catch (error) {
    if (error instanceof StoreError || isRefused(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    database?.close();
  }
}

/** @throws {StoreError} `unavailable`: another process has it open */
function lockedDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    database.exec("COMMIT");
    return database;
  } catch (error) {
    if (isDamage(error)) return database;
    database.close();
    if (!isLocked(error)) throw error;
    throw new StoreError("unavailable", "The account is in use by another process", {
      cause: error,
    });
  }
}

/** Copies what can be read of a damaged index into a new one. */
async function save(from: string, to: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) {
    if (lstat(to + suffix)) Deno.removeSync(to + suffix);
  }
  closeSync(createOwnedFile(to, 0o600));
  const target = new DatabaseSync(to);
  let source: DatabaseSync | undefined;
  try {
    bringUpToDate(target);
    // Messages and expunges that could not be read are lost to clients as after a restore.
    target.prepare("INSERT INTO meta VALUES (?, 1)").run(COPIED);
    source = new DatabaseSync(from);
    // Reads on with a schema of which a part is damaged.
    source.exec("PRAGMA writable_schema = ON");
    const tables = target.prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    ).all();
    target.exec("BEGIN");
    for (const { name } of tables) await saveTable(source, target, String(name));
    target.exec("COMMIT");
  } catch (error) {
    // Not even its tables can be found: an empty one will be filled from the Maildir.
    if (!isDamage(error)) throw error;
  } finally {
    source?.close();
    target.close();
  }
}

/** Reads from both ends up to where it is damaged. */
async function saveTable(
  source: DatabaseSync,
  target: DatabaseSync,
  table: string,
): Promise<void> {
  const info = target.prepare(`PRAGMA table_info("${table}")`).all();
  const columns = columnsOf(source, table, info.map(({ name }) => String(name)));
  if (columns.length === 0) return;
  const names = columns.map((name) => `"${name}"`).join();
  const key = info.filter(({ pk }) => Number(pk) > 0)
    .sort((a, b) => Number(a.pk) - Number(b.pk)).map(({ name }) => `"${name}"`);
  const insert = target.prepare(
    `INSERT OR IGNORE INTO "${table}" (${names}) VALUES (${columns.map(() => "?").join()})`,
  );
  for (const direction of ["ASC", "DESC"]) {
    const order = key.map((name) => `${name} ${direction}`).join();
    try {
      const rows = source.prepare(`SELECT ${names} FROM "${table}" ORDER BY ${order}`);
      rows.setReadBigInts(true);
      let known = 0;
      let read = 0;
      for (const row of rows.iterate()) {
        try {
          if (insert.run(...columns.map((name) => row[name])).changes === 0) known++;
        } catch {
          // A row that can't be is left out.
        }
        if (direction === "DESC" && known > 0) break;
        if (++read % 500 === 0) await yieldNow();
      }
      if (direction === "ASC") return;
    } catch {
      // The other end, then.
    }
  }
}

function columnsOf(source: DatabaseSync, table: string, wanted: readonly string[]): string[] {
  try {
    const there = new Set(
      source.prepare(`PRAGMA table_info("${table}")`).all().map(({ name }) => String(name)),
    );
    return wanted.filter((name) => there.has(name));
  } catch {
    return [];
  }
}

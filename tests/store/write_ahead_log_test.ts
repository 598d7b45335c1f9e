import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { putLogBack, WriteAheadLog } from "../../src/store/maildir/write_ahead_log.ts";
import { silentLog } from "./maildir_fixture.ts";

/** An index whose log was kept, closed by SQLite, as a kill before the log's own closing leaves it. */
function keptIndex(): { dir: string; index: string; log: WriteAheadLog } {
  const dir = Deno.makeTempDirSync();
  const index = `${dir}/index`;
  const database = open(index);
  database.exec("CREATE TABLE numbers (number INTEGER)");
  add(database, 1);
  const log = logOf(index, database);
  log.keep();
  database.close();
  return { dir, index, log };
}

function logOf(index: string, database: DatabaseSync): WriteAheadLog {
  const ignore = () => {};
  const numbers = {
    note: () => 0,
    raise: ignore,
    undone: ignore,
    committed: ignore,
    keep: ignore,
    close: ignore,
  };
  return new WriteAheadLog(index, database, numbers, ignore, silentLog());
}

function open(index: string): DatabaseSync {
  const database = new DatabaseSync(index);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
  return database;
}

function add(database: DatabaseSync, number: number): void {
  database.prepare("INSERT INTO numbers VALUES (?)").run(number);
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

Deno.test("WriteAheadLog.close: puts the log back that keep kept", () => {
  const { dir, log } = keptIndex();
  log.close();
  assert.deepEqual(names(dir), ["index", "index-wal"]);
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("putLogBack: puts a log back that a kill left, and SQLite reads it", () => {
  const { dir, index, log } = keptIndex();
  assert.deepEqual(names(dir), ["index", "index-wal.kept"]);
  // What was moved to the index did not reach the disk.
  const { mtime } = Deno.statSync(index);
  Deno.writeFileSync(index, new Uint8Array(Deno.statSync(index).size));
  Deno.utimeSync(index, mtime ?? 0, mtime ?? 0);
  putLogBack(index);
  assert.deepEqual(names(dir), ["index", "index-wal"]);
  const database = open(index);
  assert.deepEqual(database.prepare("SELECT number FROM numbers").all().length, 1);
  database.close();
  log.close();
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("putLogBack: removes a log that is older than what was written to the index", () => {
  const { dir, index, log } = keptIndex();
  const later = (Deno.statSync(`${index}-wal.kept`).ctime?.getTime() ?? 0) + 2000;
  const database = open(index);
  add(database, 2);
  database.close();
  Deno.utimeSync(index, new Date(later), new Date(later));
  putLogBack(index);
  assert.deepEqual(names(dir), ["index"]);
  log.close();
  Deno.removeSync(dir, { recursive: true });
});

Deno.test("putLogBack: leaves alone the log of an index that is open", () => {
  const dir = Deno.makeTempDirSync();
  const index = `${dir}/index`;
  const database = open(index);
  database.exec("CREATE TABLE numbers (number INTEGER)");
  const log = logOf(index, database);
  log.keep();
  putLogBack(index);
  assert.deepEqual(names(dir), ["index", "index-wal", "index-wal.kept"]);
  database.close();
  log.close();
  assert.deepEqual(names(dir), ["index", "index-wal"]);
  Deno.removeSync(dir, { recursive: true });
});

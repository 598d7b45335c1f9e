import * as assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { keywordFaults, mendKeywords } from "../../src/store/maildir/keyword_checks.ts";

Deno.test("mendKeywords: gives a word that is none a name that no other one has", () => {
  using database = new DatabaseSync(":memory:");
  database.exec(`CREATE TABLE keywords (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
    CREATE TABLE keyword_sets (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
    CREATE TABLE messages (mailbox INTEGER, keywords INTEGER, modseq INTEGER);
    CREATE TABLE mailboxes (id INTEGER PRIMARY KEY, keywords TEXT NOT NULL);
    INSERT INTO keywords VALUES (1, 'no atom'), (2, 'Keyword1'), (3, '')`);
  mendKeywords(database, keywordFaults(database), () => 1);
  assert.deepEqual(keywordFaults(database).words, []);
  const words = database.prepare("SELECT word FROM keywords ORDER BY id").all();
  assert.deepEqual(words.map(({ word }) => word), ["keyword1-", "Keyword1", "keyword3"]);
});

import assert from "node:assert/strict";
import { FollowedResults, horizon } from "../../src/imap/followed_results.ts";
import { evaluate } from "../../src/imap/search_keys.ts";
import { Session } from "../../src/imap/session.ts";
import type { SearchKey } from "../../src/wire/search_grammar.ts";
import { Columns, open, scopeOf } from "./columns.ts";

const SESSION = new Session("1", "127.0.0.1", true);
const SAVED: SearchKey = { name: "UID", set: { ranges: [], saved: true } };

Deno.test("evaluate: goes through what was saved once at most, however often it is named", async () => {
  const columns = new Columns([1, 2, 3, 5, 8]);
  const view = open(columns, SESSION);
  view.save([2, 5, 8]);
  const saved = view.saved.bind(view);
  let asked = 0;
  view.saved = () => {
    asked++;
    return saved();
  };
  const key: SearchKey = { name: "AND", keys: Array<SearchKey>(990).fill(SAVED) };
  const scope = scopeOf(view);
  assert.deepEqual(await evaluate(key, scope), [2, 4, 5]);
  columns.expunge(2);
  const found = await evaluate(key, scope);
  assert.deepEqual(found, [4, 5]);
  assert.deepEqual(await evaluate({ name: "NOT", key }, scope), [1, 3]);
  assert.equal(asked, 0);
  new FollowedResults({ key, byUid: true }, view, found, horizon(scope));
  assert.equal(asked, 1);
});

import assert from "node:assert/strict";
import { passingColumns } from "../../src/imap/search_columns.ts";
import { Session } from "../../src/imap/session.ts";
import { Pace } from "../../src/pace.ts";
import { Columns, open, scopeOf } from "./columns.ts";

const SESSION = new Session("1", "127.0.0.1", true);
const MESSAGES = 1000;

/** Counts what is tested between two looks at the clock. */
class Counting extends Pace {
  tested = 0;
  most = 0;

  override due(): boolean {
    this.most = Math.max(this.most, this.tested);
    this.tested = 0;
    return super.due();
  }
}

Deno.test("passingColumns: lets others have their turns after some hundred messages", async () => {
  const columns = new Columns(Array.from({ length: MESSAGES }, (_, i) => i + 1));
  const view = open(columns, SESSION);
  const all = view.seqs();
  for (const seqs of [undefined, all]) {
    const pace = new Counting();
    const test = () => ++pace.tested > 0;
    assert.deepEqual(await passingColumns(test, seqs, scopeOf(view, pace)), all);
    pace.due();
    assert.ok(pace.most < 500, `${pace.most} at once`);
  }
});

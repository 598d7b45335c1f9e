/** Mailboxes in memory. */

import { Columns } from "../src/store/maildir/columns.ts";
import type { ColumnsRow } from "../src/store/maildir/message_rows.ts";

const ROWS: readonly ColumnsRow[] = Array.from(
  { length: 100_000 },
  (_, n) => [2 * n + 1, n % 10 === 0 ? 0 : 1, 0, n + 1, 4000, 1_700_000_000 + n, 0],
);
const COLUMNS = filled();
const UIDS = Array.from({ length: 10_000 }, (_, n) => 20 * n + 1);

function filled(): Columns {
  const columns = new Columns();
  columns.pushRows(ROWS);
  return columns;
}

Deno.bench("Columns.pushRows: 100,000 messages", () => {
  filled();
});

Deno.bench("Columns.indexesOf: 10,000 of 100,000", () => {
  COLUMNS.indexesOf(UIDS);
});

Deno.bench("Columns.setFlags: 100,000", () => {
  for (let at = 0; at < COLUMNS.count; at++) COLUMNS.setFlags(at, { flags: 1, keywords: 0 }, at);
});

Deno.bench("Columns: unseen messages of 100,000", () => {
  let unseen = 0;
  const { flags, count } = COLUMNS;
  for (let at = 0; at < count; at++) if ((flags[at] & 1) === 0) unseen++;
  return void unseen;
});

Deno.bench("Columns.remove: every hundredth of 100,000", (b) => {
  const columns = filled();
  const gone = Array.from({ length: 1000 }, (_, n) => 100 * n);
  b.start();
  columns.remove(gone);
  b.end();
});

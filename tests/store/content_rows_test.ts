import * as assert from "node:assert/strict";
import { ContentRows } from "../../src/store/maildir/content_rows.ts";
import { openIndex } from "../../src/store/maildir/schema.ts";
import { silentLog } from "./maildir_fixture.ts";

Deno.test("ContentRows.cached: steps over billions of UIDs that nothing has", () => {
  const root = Deno.makeTempDirSync();
  const { database } = openIndex(root, silentLog(), () => 0, false);
  const contents = new ContentRows(database);
  // More than are read at once on either side of the gap.
  const uids = Array.from({ length: 200 }, (_, i) => i < 100 ? i + 1 : 4_000_000_000 + i);
  const message = database.prepare("INSERT INTO messages VALUES (1, ?, 0, 0, 1, 10, 0, 0)");
  const content = database.prepare(
    "INSERT INTO contents VALUES ((1 << 32) | ?1, ?2, 'e', 'b', 'h', 'p')",
  );
  for (const uid of uids) {
    message.run(uid);
    content.run(uid, uid % 1000);
  }
  const whole = { first: 1, last: 0xffff_ffff };
  assert.deepEqual(
    contents.cached(1, ["sentDay"], whole),
    uids.map((uid) => ({ uid, sentDay: uid % 1000 })),
  );
  assert.deepEqual(contents.cached(1, ["preview"], whole).map(({ uid }) => uid), uids);
  assert.deepEqual(
    contents.cached(1, ["envelope"], { first: 100, last: 4_000_000_100 }),
    [{ uid: 100, envelope: "e" }, { uid: 4_000_000_100, envelope: "e" }],
  );
  database.close();
  Deno.removeSync(root, { recursive: true });
});

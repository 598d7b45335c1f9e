import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { MaildirStore } from "../../src/store/maildir/store.ts";
import type { MeteredMailbox, StoreMeter } from "../../src/store/meter.ts";
import { until } from "../until.ts";
import { silentLog } from "./maildir_fixture.ts";

const DELIVERIES = 1000;

Deno.test("MaildirStore.measures(): tells what is open, and how many deliveries are not read yet", async () => {
  const dir = await Deno.makeTempDir({ prefix: "imapd-meter-" });
  const did: (readonly [string, number, MeteredMailbox])[] = [];
  const synced = new Set<string>();
  const meter: StoreMeter = {
    did: (...all) => did.push(all),
    synced(what, seconds) {
      ok(seconds >= 0);
      synced.add(what);
    },
  };
  const path = (account: string) => `${dir}/${account}`;
  const store = new MaildirStore({ path, specialFolders: [], log: silentLog(), meter });
  try {
    deepStrictEqual(store.measures(), { accounts: 0, mailboxes: 0, unprepared: 0, unindexed: 0 });
    const account = await store.account("ann");
    const inbox = await account.open("INBOX");
    // So many, and at once, that they cannot all be read by the time that the next line runs.
    for (let i = 0; i < DELIVERIES; i++) {
      Deno.writeTextFileSync(`${dir}/ann/new/${i}.M1P1.x`, "A: b\n\nc\n");
    }
    await inbox.refresh();
    const unread = store.measures().unprepared;
    ok(unread > 0 && unread <= DELIVERIES, String(unread));
    await inbox.prepare([...inbox.messages.uids.subarray(0, inbox.messages.count)]);
    deepStrictEqual(store.measures(), { accounts: 1, mailboxes: 1, unprepared: 0, unindexed: 0 });
    strictEqual(
      did.filter(([operation]) => operation === "adopt").reduce((sum, [, count]) => sum + count, 0),
      DELIVERIES,
    );
    deepStrictEqual(did[0][2], { account: "ann", mailbox: "INBOX" });
    // What changes nothing is no operation.
    const known = did.length;
    await inbox.expunge();
    strictEqual(did.length, known);
    inbox.close();
    await until(() => store.measures().mailboxes === 0, "no open mailbox");
    ok(synced.has("index"));
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
  deepStrictEqual(store.measures(), { accounts: 0, mailboxes: 0, unprepared: 0, unindexed: 0 });
});

/** What every store must do, whatever it keeps the mail in. */

import type { Account, Store } from "../../src/store/store.ts";
import type { StorePlace } from "./store_actions.ts";
import { testAccounts, testImports, testQuotas } from "./store_accounts.ts";
import { testAnnotations } from "./store_annotations.ts";
import { testMailboxes } from "./store_mailboxes.ts";
import { testCopies, testFlags, testMessages } from "./store_messages.ts";
import { testObjects } from "./store_objects.ts";
import { testVanished } from "./store_vanished.ts";
import { testRestarts, testSessions, testSizes } from "./store_sessions.ts";
import { testWatching } from "./store_watch.ts";

/** Runs the suite on stores that `make` makes places for. */
export function storeContract(name: string, make: () => Promise<StorePlace>): void {
  function test(title: string, body: (place: StorePlace) => Promise<void>): void {
    Deno.test(`${title} (${name})`, async () => {
      const place = await make();
      try {
        await body(place);
      } finally {
        await place.remove();
      }
    });
  }

  /** A test of one account in one store. */
  function testAccount(
    title: string,
    body: (account: Account, store: Store) => Promise<void>,
  ): void {
    test(title, async (place) => {
      const store = place.open();
      try {
        await body(await store.account("ann"), store);
      } finally {
        await store.close();
      }
    });
  }

  testAccounts(test);
  testQuotas(testAccount, test);
  testImports(testAccount, test);
  testMailboxes(testAccount);
  testAnnotations(testAccount, test);
  testMessages(testAccount);
  testFlags(testAccount);
  testCopies(testAccount);
  testVanished(testAccount, test);
  testObjects(testAccount, test);
  testSessions(testAccount);
  testRestarts(test);
  testSizes(testAccount);
  testWatching(testAccount);
}

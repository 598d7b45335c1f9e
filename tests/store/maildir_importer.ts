/**
 * Takes messages with the keys given after the first two arguments into the INBOX of "ann" in the
 * store under the first one. With "die" as the second, it is killed when the files are in place and
 * the index is about to learn of them.
 */

import { incoming, text } from "../contracts/store_actions.ts";
import { accountKilledAt } from "./killed_account.ts";

const [dir, how, ...keys] = Deno.args;
const { store, account } = await accountKilledAt(dir, how === "die" ? "INTO imported" : undefined);
const known = await account.taken("INBOX", keys);
const messages = [];
for (const key of keys.filter((key) => !known.has(key))) {
  messages.push(await incoming(account, "INBOX", text(key), { key }));
}
await account.append("INBOX", messages);
await store.close();

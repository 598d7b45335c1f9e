/**
 * Appends three messages at once to the INBOX of "ann" in the store under the argument; is killed
 * when their files are in place and the index is about to learn of them.
 */

import { incoming, text } from "../contracts/store_actions.ts";
import { accountKilledAt } from "./killed_account.ts";

const { account } = await accountKilledAt(Deno.args[0], "INTO messages");
const messages = [];
for (const subject of ["one", "two", "three"]) {
  messages.push(await incoming(account, "INBOX", text(subject)));
}
await account.append("INBOX", messages);

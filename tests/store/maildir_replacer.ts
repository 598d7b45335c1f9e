/**
 * Replaces message 1 of the INBOX of "ann" in the store under the argument; is killed when the new
 * file is in place and the index is about to learn of it.
 */

import { incoming, text } from "../contracts/store_actions.ts";
import { accountKilledAt } from "./killed_account.ts";

const { account } = await accountKilledAt(Deno.args[0], "INTO expunged");
const inbox = await account.open("INBOX");
await inbox.replace(1, "INBOX", await incoming(account, "INBOX", text("new")));

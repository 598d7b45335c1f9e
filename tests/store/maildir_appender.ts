/** Appends to the INBOX of "ann" under the folder given until it is killed; prints what was acknowledged. */

import { deliver } from "../contracts/store_actions.ts";
import { accountKilledAt } from "./killed_account.ts";

const { account } = await accountKilledAt(Deno.args[0]);

async function appendForever(sender: number): Promise<never> {
  for (let i = 0;; i++) {
    const subject = `${Deno.pid}-${sender}-${i}`;
    const uid = await deliver(account, "INBOX", subject);
    Deno.stdout.writeSync(new TextEncoder().encode(`${uid} ${subject}\n`));
  }
}

await Promise.all([appendForever(1), appendForever(2), appendForever(3)]);

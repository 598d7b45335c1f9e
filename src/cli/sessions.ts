/** `imapd sessions` and `imapd kick`: the clients of a running server. */

import type { ResultOf } from "../admin/operations.ts";
import { withAdmin } from "./admin.ts";
import { ageOf } from "./amounts.ts";
import { type Arguments, EXIT, optionalOption, UsageError } from "./command.ts";
import { print, printError } from "./output.ts";
import { printRows } from "./table_output.ts";

/** `imapd sessions` */
export async function sessions(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin) => {
    const now = Date.now();
    await printRows(args, admin.call("sessions", {}), [
      { title: "ID", text: ({ id }) => id },
      { title: "ADDRESS", text: ({ remote, secure }) => secure ? remote : `${remote} (no TLS)` },
      { title: "USER", text: ({ user }) => user ?? "-" },
      { title: "STATE", text: stateOf },
      { title: "SINCE", text: ({ since }) => ageOf(now - since), right: true },
      { title: "COMMANDS", text: ({ commands }) => commands, right: true },
      { title: "IN", text: ({ octetsIn }) => octetsIn, right: true },
      { title: "OUT", text: ({ octetsOut }) => octetsOut, right: true },
      { title: "CLIENT", text: ({ client }) => client },
    ], "Nobody is connected");
  });
  return EXIT.ok;
}

/** `imapd kick --user NAME`, `--address IP`, `--id ID` */
export async function kick(args: Arguments): Promise<number> {
  const [user, address, id] = ["user", "address", "id"].map((name) => optionalOption(args, name));
  if ((user ?? address ?? id) === undefined) {
    throw new UsageError("Expected --user, --address or --id, got none of them");
  }
  return await withAdmin(args, async (admin) => {
    let count = 0;
    for await (const { kicked } of admin.call("kick", { user, address, id })) count += kicked;
    if (count > 0) print(`Ended ${count} ${count === 1 ? "connection" : "connections"}`);
    else printError("No connection matches");
    return count > 0 ? EXIT.ok : EXIT.failure;
  });
}

function stateOf({ state, mailbox }: ResultOf<"sessions">): string {
  return mailbox === undefined ? state : `${state} ${mailbox}`;
}

/** `imapd mailbox …`: the mailboxes of an account. */

import { withAdmin } from "./admin.ts";
import { type Arguments, EXIT, optionalOption } from "./command.ts";
import { printRows } from "./table_output.ts";

/** `imapd mailbox list ACCOUNT` */
export async function mailboxList(args: Arguments): Promise<number> {
  const [account] = args.operands;
  const params = { account, storage: optionalOption(args, "storage") };
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("mailbox list", params), [
      { title: "MAILBOX", text: ({ name }) => name },
      { title: "MESSAGES", text: ({ messages }) => messages, right: true },
      { title: "UNSEEN", text: ({ unseen }) => unseen, right: true },
      { title: "OCTETS", text: ({ size }) => size, right: true },
      { title: "USE", text: ({ specialUse }) => specialUse.join(" ") },
      { title: "SUBSCRIBED", text: ({ subscribed }) => subscribed ? "yes" : "no" },
    ], "No mailboxes");
  });
  return EXIT.ok;
}

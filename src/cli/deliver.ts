/** `imapd deliver`: a command that an MTA pipes a message into. */

import type { DeliverResult } from "../admin/delivery.ts";
import { withAdmin } from "./admin.ts";
import { type Arguments, isOn, optionalOption, requiredOption } from "./command.ts";
import { printError } from "./output.ts";

/** Exit statuses that MTAs understand. @see sysexits.h */
export const SYSEXITS = {
  ok: 0,
  /** EX_DATAERR */
  data: 65,
  /** EX_NOUSER */
  noUser: 67,
  /** EX_TEMPFAIL: the MTA keeps the message and tries again. */
  again: 75,
  /** EX_NOPERM */
  refused: 77,
} as const;

/** Stores the message on standard input; the status is 0 only once it is durable everywhere. */
export async function deliver(args: Arguments): Promise<number> {
  const recipients = [requiredOption(args, "user"), ...args.operands];
  const params = {
    recipients,
    sender: senderOf(optionalOption(args, "from")),
    original: optionalOption(args, "original"),
    mailbox: optionalOption(args, "mailbox"),
    create: isOn(args, "create"),
    storage: optionalOption(args, "storage"),
  };
  const outcomes: DeliverResult[] = [];
  await withAdmin(args, async (admin) => {
    const message = Deno.stdin.readable;
    for await (const outcome of admin.call("deliver", params, message)) outcomes.push(outcome);
  });
  const statuses = recipients.map((recipient, i) => {
    const outcome: DeliverResult | undefined = outcomes[i];
    if (outcome?.ok) return SYSEXITS.ok;
    const whose = recipients.length > 1 ? `${recipient}: ` : "";
    printError(`imapd: ${whose}${outcome?.text ?? "The message was not stored"}`);
    return outcome === undefined ? SYSEXITS.again : statusOf(outcome);
  });
  // One status for all: what may still be stored must not be returned to its sender.
  if (statuses.includes(SYSEXITS.again)) return SYSEXITS.again;
  return statuses.find((status) => status !== SYSEXITS.ok) ?? SYSEXITS.ok;
}

/** Postfix has MAILER-DAEMON for the null sender unless `null_sender` says otherwise. */
function senderOf(text: string | undefined): string | undefined {
  if (text === "MAILER-DAEMON") return "";
  return text?.replace(/^<(.*)>$/, "$1");
}

function statusOf({ reason, permanent }: DeliverResult & { readonly ok: false }): number {
  if (!permanent) return SYSEXITS.again;
  switch (reason) {
    case "no-account":
      return SYSEXITS.noUser;
    case "over-quota":
      return SYSEXITS.refused;
    default:
      return SYSEXITS.data;
  }
}

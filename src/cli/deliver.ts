/** `imapd deliver`: a command that an MTA pipes a message into. */

import type { DeliverResult } from "../admin/delivery.ts";
import { withAdmin } from "./admin.ts";
import { type Arguments, isOn, optionalOption, requiredOption } from "./command.ts";
import { printError } from "./output.ts";

/** Exit statuses that MTAs understand. @see sysexits.h */
export const SYSEXITS = {
  ok: 0,
  /** EX_USAGE */
  usage: 64,
  /** EX_DATAERR */
  data: 65,
  /** EX_NOUSER */
  noUser: 67,
  /** EX_TEMPFAIL: the MTA keeps the message and tries again. */
  again: 75,
  /** EX_NOPERM */
  refused: 77,
} as const;

/** Stores the message on standard input; the status is 0 only once it is durable. */
export async function deliver(args: Arguments): Promise<number> {
  const params = {
    recipient: requiredOption(args, "user"),
    sender: senderOf(optionalOption(args, "from")),
    original: optionalOption(args, "original"),
    mailbox: optionalOption(args, "mailbox"),
    create: isOn(args, "create"),
    storage: optionalOption(args, "storage"),
  };
  let outcome: DeliverResult | undefined;
  await withAdmin(args, async (admin) => {
    const message = Deno.stdin.readable;
    for await (const result of admin.call("deliver", params, message)) outcome = result;
  });
  if (outcome?.ok) return SYSEXITS.ok;
  printError(`imapd: ${outcome?.text ?? "The message was not stored"}`);
  return outcome === undefined ? SYSEXITS.again : statusOf(outcome);
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

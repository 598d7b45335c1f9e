/** `imapd mailbox …`: the mailboxes of an account. */

import type { ListedMailbox } from "../admin/mailboxes.ts";
import { only, withAdmin } from "./admin.ts";
import { countText } from "./amounts.ts";
import { type Arguments, EXIT, optionalOption } from "./command.ts";
import { confirm } from "./confirmation.ts";
import { print } from "./output.ts";
import { type Column, printRows } from "./table_output.ts";

const COUNTS: readonly Column<ListedMailbox>[] = [
  { title: "MAILBOX", text: ({ name }) => name },
  { title: "MESSAGES", text: ({ messages }) => messages, right: true },
  { title: "UNSEEN", text: ({ unseen }) => unseen, right: true },
  { title: "OCTETS", text: ({ size }) => size, right: true },
];

/** `imapd mailbox list ACCOUNT` */
export async function mailboxList(args: Arguments): Promise<number> {
  const [account] = args.operands;
  const params = { account, storage: optionalOption(args, "storage") };
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("mailbox list", params), [
      ...COUNTS,
      { title: "USE", text: ({ specialUse }) => specialUse.join(" ") },
      { title: "SUBSCRIBED", text: ({ subscribed }) => subscribed ? "yes" : "no" },
    ], "No mailboxes");
  });
  return EXIT.ok;
}

/** `imapd mailbox status ACCOUNT MAILBOX` */
export async function mailboxStatus(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("mailbox status", mailboxParams(args)), [
      ...COUNTS,
      { title: "DELETED", text: ({ deleted }) => deleted, right: true },
      { title: "UIDNEXT", text: ({ uidNext }) => uidNext, right: true },
      { title: "UIDVALIDITY", text: ({ uidValidity }) => uidValidity, right: true },
      { title: "MODSEQ", text: ({ highestModseq }) => highestModseq, right: true },
    ], "No mailbox");
  });
  return EXIT.ok;
}

/** `imapd mailbox create ACCOUNT MAILBOX` */
export async function mailboxCreate(args: Arguments): Promise<number> {
  const params = { ...mailboxParams(args), special: optionalOption(args, "special") };
  await withAdmin(args, async (admin) => {
    for await (const { mailbox } of admin.call("mailbox create", params)) {
      print(`Made mailbox ${mailbox}`);
    }
  });
  return EXIT.ok;
}

/** `imapd mailbox remove ACCOUNT MAILBOX` */
export async function mailboxRemove(args: Arguments): Promise<number> {
  const params = mailboxParams(args);
  return await withAdmin(args, async (admin) => {
    const { name, messages = 0 } = await only(admin.call("mailbox status", params));
    const question = `Remove mailbox ${name} of account ${params.account} with ${
      countText(messages, "message")
    }, for good?`;
    if (!confirm(args, question)) return EXIT.failure;
    await only(admin.call("mailbox remove", params));
    print(`Removed mailbox ${name}`);
    return EXIT.ok;
  });
}

/** `imapd mailbox rename ACCOUNT MAILBOX NAME` */
export async function mailboxRename(args: Arguments): Promise<number> {
  const params = { ...mailboxParams(args), to: args.operands[2] };
  const { from, to } = await withAdmin(
    args,
    (admin) => only(admin.call("mailbox rename", params)),
  );
  print(`Renamed mailbox ${from} to ${to}`);
  return EXIT.ok;
}

/** `imapd mailbox subscribe ACCOUNT MAILBOX` */
export async function mailboxSubscribe(args: Arguments): Promise<number> {
  const { mailbox } = await withAdmin(
    args,
    (admin) => only(admin.call("mailbox subscribe", mailboxParams(args))),
  );
  print(`Subscribed to ${mailbox}`);
  return EXIT.ok;
}

/** `imapd mailbox unsubscribe ACCOUNT MAILBOX` */
export async function mailboxUnsubscribe(args: Arguments): Promise<number> {
  const { mailbox } = await withAdmin(
    args,
    (admin) => only(admin.call("mailbox unsubscribe", mailboxParams(args))),
  );
  print(`Unsubscribed from ${mailbox}`);
  return EXIT.ok;
}

/** The account and the mailbox that the first operands name. */
export function mailboxParams(
  args: Arguments,
): { readonly account: string; readonly mailbox: string; readonly storage?: string } {
  const [account, mailbox] = args.operands;
  return { account, mailbox, storage: optionalOption(args, "storage") };
}

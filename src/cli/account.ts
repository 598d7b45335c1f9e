/** `imapd account …`: accounts as a whole. */

import { only, withAdmin } from "./admin.ts";
import { accountNamed } from "./account_name.ts";
import { countLimit, octetLimit, octetsText } from "./amounts.ts";
import { type Arguments, EXIT, optionalOption } from "./command.ts";
import { confirm } from "./confirmation.ts";
import { print } from "./output.ts";
import { printRows } from "./table_output.ts";

/** `imapd account list` */
export async function accountList(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin) => {
    const rows = admin.call("account list", { storage: optionalOption(args, "storage") });
    await printRows(args, rows, [
      { title: "ACCOUNT", text: ({ account }) => account },
      { title: "MAILBOXES", text: (row) => "problem" in row ? "-" : row.mailboxes, right: true },
      { title: "MESSAGES", text: (row) => "problem" in row ? "-" : row.messages, right: true },
      {
        title: "SIZE",
        text: (row) => "problem" in row ? "-" : octetsText(row.octets),
        right: true,
      },
      { title: "LIMIT", text: (row) => "problem" in row ? row.problem : limitText(row) },
    ], "No accounts");
  });
  return EXIT.ok;
}

function limitText(
  { storageLimit, messagesLimit }: { storageLimit?: number; messagesLimit?: number },
): string {
  const parts = [
    ...storageLimit === undefined ? [] : [octetsText(storageLimit)],
    ...messagesLimit === undefined ? [] : [`${messagesLimit} messages`],
  ];
  return parts.join(", ") || "none";
}

/** `imapd account create ACCOUNT` */
export async function accountCreate(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin, config) => {
    const { account: typed, storage } = accountParams(args);
    const account = accountNamed(typed, config, storage);
    await only(admin.call("account create", { account, storage }));
    print(`Made account ${account}`);
  });
  return EXIT.ok;
}

/** `imapd account remove ACCOUNT` */
export async function accountRemove(args: Arguments): Promise<number> {
  const params = accountParams(args);
  return await withAdmin(args, async (admin) => {
    // Also says so where there is no such account, before it asks.
    const [{ used }, messages] = await Array.fromAsync(admin.call("account quota", params));
    const all = `${messages.used} messages, ${octetsText(used)}`;
    if (!confirm(args, `Remove account ${params.account} with all its mail (${all}), for good?`)) {
      return EXIT.failure;
    }
    await only(admin.call("account remove", params));
    print(`Removed account ${params.account}`);
    return EXIT.ok;
  });
}

/** `imapd account quota ACCOUNT`, and with options sets it */
export async function accountQuota(args: Arguments): Promise<number> {
  const [octets, messages] = [optionalOption(args, "size"), optionalOption(args, "messages")];
  const mailboxes = optionalOption(args, "mailboxes");
  const params = {
    ...accountParams(args),
    ...octets === undefined ? {} : { octets: octetLimit(octets, "--size") },
    ...messages === undefined ? {} : { messages: countLimit(messages, "--messages") },
    ...mailboxes === undefined ? {} : { mailboxes: countLimit(mailboxes, "--mailboxes") },
  };
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("account quota", params), [
      { title: "RESOURCE", text: ({ resource }) => resource },
      { title: "USED", text: (row) => amountText(row.resource, row.used), right: true },
      {
        title: "LIMIT",
        text: ({ resource, limit }) => limit === undefined ? "none" : amountText(resource, limit),
        right: true,
      },
      {
        title: "FULL",
        text: ({ used, limit }) => !limit ? "" : `${Math.round(used / limit * 100)}%`,
        right: true,
      },
    ], "No quota");
  });
  return EXIT.ok;
}

function amountText(
  resource: "storage" | "messages" | "mailboxes",
  amount: number,
): string | number {
  return resource === "storage" ? octetsText(amount) : amount;
}

/** `imapd account size ACCOUNT` */
export async function accountSize(args: Arguments): Promise<number> {
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("account size", accountParams(args)), [
      { title: "MAILBOX", text: ({ mailbox }) => mailbox },
      { title: "MESSAGES", text: ({ messages }) => messages, right: true },
      {
        title: "SIZE",
        text: ({ octets }) => octets === undefined ? "" : octetsText(octets),
        right: true,
      },
      { title: "ON DISK", text: ({ disk }) => octetsText(disk), right: true },
    ], "No mailboxes");
  });
  return EXIT.ok;
}

function accountParams(args: Arguments): { readonly account: string; readonly storage?: string } {
  return { account: args.operands[0], storage: optionalOption(args, "storage") };
}

/** `imapd message …`: messages by UID, or by IMAP's SEARCH. */

import type { ListedMessage } from "../admin/messages.ts";
import { only, withAdmin } from "./admin.ts";
import { countText } from "./amounts.ts";
import {
  type Arguments,
  EXIT,
  isOn,
  optionalOption,
  repeatedOption,
  UsageError,
} from "./command.ts";
import { confirm } from "./confirmation.ts";
import { mailboxParams } from "./mailbox.ts";
import { print, printOctets } from "./output.ts";
import { programOf } from "./search_words.ts";
import { type Column, printRows } from "./table_output.ts";

const COLUMNS: readonly Column<ListedMessage>[] = [
  { title: "UID", text: ({ uid }) => uid, right: true },
  { title: "DATE", text: ({ date }) => date.slice(0, 16).replace("T", " ") },
  { title: "SIZE", text: ({ size }) => size, right: true },
  { title: "FLAGS", text: ({ flags }) => flags.map((flag) => flag.replace("\\", "")).join(" ") },
  { title: "FROM", text: ({ from = "" }) => clipped(from, 30) },
  { title: "SUBJECT", text: ({ subject = "" }) => clipped(subject, 60) },
];

function clipped(text: string, length: number): string {
  const chars = [...text];
  return chars.length <= length ? text : `${chars.slice(0, length - 1).join("")}…`;
}

/** `imapd message list ACCOUNT MAILBOX [SET]` */
export async function messageList(args: Arguments): Promise<number> {
  const params = { ...mailboxParams(args), set: args.operands[2] };
  await withAdmin(args, async (admin) => {
    await printRows(args, admin.call("message list", params), COLUMNS, "No messages");
  });
  return EXIT.ok;
}

/** `imapd message search ACCOUNT MAILBOX QUERY…` */
export async function messageSearch(args: Arguments): Promise<number> {
  const params = { ...mailboxParams(args), search: programOf(args.operands.slice(2)) };
  await withAdmin(args, async (admin) => {
    if (!isOn(args, "uids")) {
      await printRows(args, admin.call("message list", params), COLUMNS, "No messages match");
      return;
    }
    const { set } = await only(admin.call("message select", params));
    if (set !== "") print(set);
  });
  return EXIT.ok;
}

/** `imapd message show ACCOUNT MAILBOX UID` */
export async function messageShow(args: Arguments): Promise<number> {
  const [, , uid] = args.operands;
  if (!/^[1-9]\d{0,9}$/.test(uid)) throw new UsageError(`Expected a UID, got ${uid}`);
  const params = {
    ...mailboxParams(args),
    uid: Number(uid),
    headers: isOn(args, "headers"),
    part: optionalOption(args, "part"),
  };
  await withAdmin(args, async (admin) => {
    for await (const octets of admin.call("message show", params)) printOctets(octets);
  });
  return EXIT.ok;
}

/** `imapd message add ACCOUNT MAILBOX`, the message on standard input */
export async function messageAdd(args: Arguments): Promise<number> {
  const date = optionalOption(args, "date");
  const params = {
    ...mailboxParams(args),
    flags: repeatedOption(args, "flag"),
    date: date === undefined ? undefined : internalDate(date),
  };
  await withAdmin(args, async (admin) => {
    const { uid } = await only(admin.call("message add", params, Deno.stdin.readable));
    print(String(uid));
  });
  return EXIT.ok;
}

const DATE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** @see RFC 3339 §5.6 */
function internalDate(text: string): { readonly seconds: number; readonly zone: number } {
  const match = DATE.exec(text);
  const seconds = Math.floor(Date.parse(text.toUpperCase().replace(" ", "T")) / 1000);
  if (match === null || Number.isNaN(seconds)) {
    throw new UsageError(
      `Expected a date such as 2024-01-31T09:30:00+01:00 for --date, got ${text}`,
    );
  }
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
  return { seconds, zone: match[1] === "-" && minutes > 0 ? -minutes : minutes };
}

/** `imapd message flag ACCOUNT MAILBOX SET FLAG…`, or with `--search` instead of SET */
export async function messageFlag(args: Arguments): Promise<number> {
  const { rest, ...params } = selection(args);
  if (rest.length === 0) throw new UsageError("Expected +FLAG, -FLAG or =FLAG, got none");
  await withAdmin(args, async (admin) => {
    const { count } = await only(admin.call("message flag", { ...params, flags: rest }));
    print(`Changed the flags of ${countText(count, "message")}`);
  });
  return EXIT.ok;
}

/** `imapd message copy ACCOUNT MAILBOX SET MAILBOX` */
export function messageCopy(args: Arguments): Promise<number> {
  return transfer(args, "message copy", "Copied");
}

/** `imapd message move ACCOUNT MAILBOX SET MAILBOX` */
export function messageMove(args: Arguments): Promise<number> {
  return transfer(args, "message move", "Moved");
}

async function transfer(
  args: Arguments,
  operation: "message copy" | "message move",
  done: string,
): Promise<number> {
  const { rest, ...params } = selection(args);
  if (rest.length !== 1) {
    throw new UsageError(`Expected one mailbox to go to, got ${rest.join(" ") || "none"}`);
  }
  await withAdmin(args, async (admin) => {
    const { count, destination, uids } = await only(
      admin.call(operation, { ...params, destination: rest[0] }),
    );
    const now = count === 0 ? "" : ` (UID ${uids} there)`;
    print(`${done} ${countText(count, "message")} to ${destination}${now}`);
  });
  return EXIT.ok;
}

/** `imapd message remove ACCOUNT MAILBOX SET` */
export async function messageRemove(args: Arguments): Promise<number> {
  const { rest, ...params } = selection(args);
  if (rest.length > 0) throw new UsageError(`Expected no more operands, got ${rest.join(" ")}`);
  return await withAdmin(args, async (admin) => {
    const { count, set } = await only(admin.call("message select", params));
    if (count === 0) {
      print("Removed 0 messages");
      return EXIT.ok;
    }
    const { account, mailbox } = params;
    const question = `Remove ${countText(count, "message")} from ${mailbox} of account ${account}`;
    if (!confirm(args, `${question}, for good?`)) return EXIT.failure;
    // Those that were asked about, whatever a search would find by now.
    const removed = await only(
      admin.call("message remove", { account, mailbox, set, storage: params.storage }),
    );
    print(`Removed ${countText(removed.count, "message")}`);
    return EXIT.ok;
  });
}

/** Which messages are meant: by `--search`, else by the third operand. */
function selection(args: Arguments) {
  const search = optionalOption(args, "search");
  const rest = args.operands.slice(2);
  if (search !== undefined) return { ...mailboxParams(args), search, rest };
  if (rest.length === 0) throw new UsageError("Expected a SET of UIDs or --search, got neither");
  return { ...mailboxParams(args), set: rest[0], rest: rest.slice(1) };
}

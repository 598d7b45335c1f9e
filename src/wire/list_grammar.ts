/** LIST, LSUB and STATUS. @see RFC 5258 §6, RFC 5819 §4, RFC 6154 §6 */

import { listMailbox, mailbox } from "./grammar.ts";
import { metadataEntry } from "./metadata_grammar.ts";
import type { Scanner } from "./scanner.ts";

const STATUS_ITEMS = [
  "MESSAGES",
  "RECENT",
  "UIDNEXT",
  "UIDVALIDITY",
  "UNSEEN",
  "HIGHESTMODSEQ",
  "SIZE",
  "DELETED",
  "DELETED-STORAGE",
  "APPENDLIMIT",
  "MAILBOXID",
] as const;

/** What STATUS tells. @see RFC 9051 §6.3.11, RFC 7162 §3.1.7, RFC 8438 §2, RFC 7889 §2, RFC 8474 §4.3 */
export type StatusItem = typeof STATUS_ITEMS[number];

const STATUS_ITEM: ReadonlyMap<string, StatusItem> = new Map(
  STATUS_ITEMS.map((item) => [item, item]),
);

/** STATUS @see RFC 9051 §6.3.11 */
export interface StatusArgs {
  readonly mailbox: string;
  /** In the order of their first mention, each once. */
  readonly items: readonly StatusItem[];
}

/** status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" @see RFC 9051 §6.3.11 */
export function statusArgs(s: Scanner): StatusArgs {
  s.space();
  const name = mailbox(s);
  s.space();
  const items = statusItems(s);
  s.end();
  return { mailbox: name, items };
}

function statusItems(s: Scanner): StatusItem[] {
  return [...new Set(s.list((s) => choice(s, STATUS_ITEM, "a STATUS item")))];
}

/** Which mailboxes LIST looks for. @see RFC 5258 §3.1 */
export type ListSelection = "SUBSCRIBED" | "REMOTE" | "RECURSIVEMATCH" | "SPECIAL-USE";

const SELECTIONS: ReadonlyMap<string, ListSelection> = new Map(
  (["SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"] as const).map((name) => [name, name]),
);

/** What LIST tells of each. @see RFC 5258 §3.2, RFC 5819 §2 */
export interface ListReturn {
  readonly subscribed: boolean;
  readonly children: boolean;
  readonly specialUse: boolean;
  /** A STATUS response for each selectable mailbox. */
  readonly status?: readonly StatusItem[];
  /** Entries of a METADATA response for each selectable mailbox. @see RFC 9590 §3 */
  readonly metadata?: readonly string[];
}

/** LIST @see RFC 5258 §3 */
export interface ListArgs {
  /** SUBSCRIBED here implies `returns.subscribed`. */
  readonly selection: ReadonlySet<ListSelection>;
  readonly reference: string;
  readonly patterns: readonly string[];
  readonly returns: ListReturn;
  /** Anything that RFC 3501 did not have was used: the answer follows RFC 5258. */
  readonly extended: boolean;
}

const NO_RETURNS: ListReturn = { subscribed: false, children: false, specialUse: false };

/**
 * list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
 *
 * mbox-or-pat = list-mailbox / patterns
 *
 * patterns = "(" list-mailbox *(SP list-mailbox) ")"
 *
 * @see RFC 5258 §6
 */
export function listArgs(s: Scanner): ListArgs {
  s.space();
  const hasSelection = s.peek() === "(";
  const selection = hasSelection ? listSelection(s) : new Set<ListSelection>();
  if (hasSelection) s.space();
  const reference = mailbox(s);
  s.space();
  const several = s.peek() === "(";
  const patterns = several ? s.list(listMailbox) : [listMailbox(s)];
  const hasReturn = s.spaceBeforeMore();
  const returns = hasReturn ? listReturn(s) : NO_RETURNS;
  s.end();
  return {
    selection,
    reference,
    patterns,
    returns: selection.has("SUBSCRIBED") ? { ...returns, subscribed: true } : returns,
    extended: hasSelection || several || hasReturn,
  };
}

/**
 * list-select-opts = "(" [*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)
 *   / list-select-independent-opt *(SP list-select-independent-opt)] ")"
 *
 * RECURSIVEMATCH modifies another option and may not stand without one.
 */
function listSelection(s: Scanner): ReadonlySet<ListSelection> {
  const start = s.position;
  const options = s.listOrEmpty((s) => choice(s, SELECTIONS, "a LIST selection option"));
  const selection = new Set(options);
  const hasBase = selection.has("SUBSCRIBED") || selection.has("SPECIAL-USE");
  if (selection.has("RECURSIVEMATCH") && !hasBase) {
    throw s.fault("RECURSIVEMATCH together with SUBSCRIBED", start);
  }
  return selection;
}

type ReturnOption = Partial<ListReturn>;

const RETURN_OPTIONS: ReadonlyMap<string, (s: Scanner) => ReturnOption> = new Map([
  ["SUBSCRIBED", (): ReturnOption => ({ subscribed: true })],
  ["CHILDREN", (): ReturnOption => ({ children: true })],
  ["SPECIAL-USE", (): ReturnOption => ({ specialUse: true })],
  ["STATUS", statusReturn],
  ["METADATA", metadataReturn],
]);

/** list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")" */
function listReturn(s: Scanner): ListReturn {
  if (!s.takeKeyword("RETURN")) throw s.fault("RETURN");
  s.space();
  const options = s.listOrEmpty((s) => choice(s, RETURN_OPTIONS, "a LIST return option")(s));
  return Object.assign({ ...NO_RETURNS }, ...options);
}

/** status-option = "STATUS" SP "(" status-att *(SP status-att) ")" @see RFC 5819 §4 */
function statusReturn(s: Scanner): ReturnOption {
  s.space();
  return { status: statusItems(s) };
}

/** return-option =/ "METADATA" SP "(" entry *(SP entry) ")" @see RFC 9590 §5 */
function metadataReturn(s: Scanner): ReturnOption {
  s.space();
  return { metadata: s.list(metadataEntry) };
}

/** LSUB @see RFC 3501 §6.3.9 */
export interface LsubArgs {
  readonly reference: string;
  /** Always one. */
  readonly patterns: readonly string[];
}

/** lsub = "LSUB" SP mailbox SP list-mailbox @see RFC 3501 §6.3.9 */
export function lsubArgs(s: Scanner): LsubArgs {
  s.space();
  const reference = mailbox(s);
  s.space();
  const patterns = [listMailbox(s)];
  s.end();
  return { reference, patterns };
}

function choice<T>(s: Scanner, choices: ReadonlyMap<string, T>, wanted: string): T {
  const start = s.position;
  const found = choices.get(s.keyword(wanted));
  if (found === undefined) throw s.fault(wanted, start);
  return found;
}

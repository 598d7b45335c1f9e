/** Looks up commands, and computes CAPABILITY from all tables, so that it cannot lie. */

import { latin1 } from "../wire/bytes.ts";
import { commandName } from "../wire/grammar.ts";
import { isStreamed, type Literal, Scanner, SyntaxFault } from "../wire/scanner.ts";
import { appendLimitCapability } from "./append_limit.ts";
import type { Context } from "./command.ts";
import { mayLogIn, mechanisms } from "./commands/authenticate.ts";
import { ENABLEABLES } from "./enableables.ts";
import { messageLimitCapabilities } from "./message_limit.ts";
import { FETCH_ITEMS } from "./fetch_items.ts";
import { RETURN_OPTIONS } from "./return_options.ts";
import { SEARCH_KEYS } from "./search_keys.ts";
import { QUOTA_RESOURCES } from "./quota_resources.ts";
import { SORT_KEYS } from "./sort_keys.ts";
import { STATUS_ITEMS } from "./status_items.ts";
import { THREAD_ALGORITHMS } from "./threads.ts";
import { isOffered } from "./withheld.ts";
import { type AnyRow, commandRows } from "./command_rows.ts";

const COMMANDS: ReadonlyMap<string, AnyRow> = new Map(
  commandRows((context) => capabilities(context)),
);

/** Every row by its name, for documents and tests. */
export function commandTable(): ReadonlyMap<string, AnyRow> {
  return COMMANDS;
}

/** A login in the wrong place: behind another command, or in a literal of one. */
const LOGIN_WORD = /\b(?:LOGIN|AUTHENTICATE)\b/i;

/** Whether it may be a login, and so hold a secret, wherever it stands. */
export function mayLogInBy(text: string): boolean {
  return LOGIN_WORD.test(text);
}

/**
 * A command as a log may show it; undefined if it is none, and so may be a secret itself. Where a
 * word tells of a login there may be a secret, too, whatever the command is.
 */
export function withoutSecrets(text: string, literals: readonly Literal[]): string | undefined {
  const scanner = new Scanner(text);
  const space = text.indexOf(" ");
  if (space <= 0 || !scanner.take(text.slice(0, space + 1))) return undefined;
  const found = findCommand(scanner);
  if (found === undefined) return undefined;
  const secret = found.row.secret || mayLogInBy(text) ||
    literals.some((each) => !isStreamed(each) && mayLogInBy(latin1(each)));
  return secret ? `${text.slice(0, space)} ${found.name} ***` : text;
}

/**
 * What every connection may use, whatever its state. LITERAL+ has all of LITERAL-, and only one of
 * them may be told. @see RFC 7888 §5
 */
const WIRE_CAPABILITIES = ["INPROGRESS", "LITERAL+"] as const;

const TABLE_CAPABILITIES: readonly string[] = [
  ...new Set(
    [
      ...COMMANDS.values(),
      ...Object.values(FETCH_ITEMS),
      ...Object.values(SEARCH_KEYS),
      ...Object.values(RETURN_OPTIONS),
      ...Object.values(SORT_KEYS),
      ...Object.values(THREAD_ALGORITHMS),
      ...Object.values(STATUS_ITEMS),
      ...Object.values(QUOTA_RESOURCES),
      ...Object.values(ENABLEABLES),
    ].flatMap((row) => row.capability ?? []),
  ),
].sort();

/** Those with a value, by their names. */
const VALUED_CAPABILITIES = ["APPENDLIMIT", "MESSAGELIMIT", "SAVELIMIT"] as const;

/** All that clients are offered beyond IMAP4rev1, whatever their state; without values. */
export function capabilityNames(): readonly string[] {
  return [
    ...WIRE_CAPABILITIES,
    ...TABLE_CAPABILITIES,
    ...VALUED_CAPABILITIES,
  ];
}

/** What this connection may use now. @see RFC 9051 §7.2.2 */
export function capabilities(context: Pick<Context, "session" | "service">): readonly string[] {
  const { session, service } = context;
  const all = [
    "IMAP4rev1",
    ...WIRE_CAPABILITIES,
    ...TABLE_CAPABILITIES,
    appendLimitCapability(service),
    ...messageLimitCapabilities(service),
  ].filter((capability) => isOffered(capability, context));
  if (session.state.name !== "not-authenticated") return all;
  if (service.tls && !session.secure) all.push("STARTTLS");
  all.push(...mechanisms(context).map(({ name }) => `AUTH=${name}`));
  if (!mayLogIn(context)) all.push("LOGINDISABLED");
  return all;
}

/**
 * Reads a command's name and looks up its row; undefined if there is none.
 *
 * The row comes before the arguments are read, so that bad arguments are answered under the
 * right tag.
 */
export function findCommand(
  scanner: Scanner,
): { readonly name: string; readonly row: AnyRow } | undefined {
  try {
    const name = commandName(scanner);
    const row = COMMANDS.get(name);
    return row && { name, row };
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}

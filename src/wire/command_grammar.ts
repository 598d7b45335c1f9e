/**
 * The arguments of every command but SELECT, LIST, STATUS, SEARCH, APPEND and REPLACE. Each parser
 * starts right after the command's name and reads to the end of the command. Mailbox names come as
 * the client spelled them.
 */

import { type FetchItem, fetchItems } from "./fetch_grammar.ts";
import { type FlagSet, lenientText, mailbox, sequenceSet, storeFlags } from "./grammar.ts";
import type { NumberSet } from "./number_set.ts";
import { partialModifier, type ResultRange } from "./return_options.ts";
import { LimitFault, type Scanner } from "./scanner.ts";

/** Commands without arguments: CAPABILITY, NOOP, EXPUNGE, IDLE and their like. */
export function noArgs(s: Scanner): void {
  s.end();
}

/** ID @see RFC 2971 §3.1 */
export interface IdArgs {
  /** Name and value (undefined for NIL) of each field; empty for `ID NIL`. */
  readonly fields: readonly (readonly [name: string, value: string | undefined])[];
}

const MAX_ID_FIELDS = 30;

/**
 * id = "ID" SP id_params_list
 *
 * id_params_list = "(" #(string SP nstring) ")" / nil
 *
 * @see RFC 2971 §4
 */
export function idArgs(s: Scanner): IdArgs {
  s.space();
  const start = s.position;
  const fields = s.takeKeyword("NIL") ? [] : s.listOrEmpty(idField);
  if (fields.length > MAX_ID_FIELDS) {
    throw new LimitFault(`Expected at most ${MAX_ID_FIELDS} fields`, start);
  }
  s.end();
  return { fields };
}

function idField(s: Scanner): readonly [string, string | undefined] {
  const name = lenientText(s.string("a field's name"));
  s.space();
  const value = s.nstring("a field's value or NIL");
  return [name, value === undefined ? undefined : lenientText(value)];
}

/** ENABLE @see RFC 5161 §3.1 */
export interface EnableArgs {
  /** In upper case. */
  readonly capabilities: readonly string[];
}

/** enable = "ENABLE" 1*(SP capability) @see RFC 5161 §4 */
export function enableArgs(s: Scanner): EnableArgs {
  s.space();
  const capabilities = s.separated(" ", () => s.atom("a capability").toUpperCase());
  s.end();
  return { capabilities };
}

/**
 * compress = "COMPRESS" SP algorithm
 *
 * algorithm = "DEFLATE"
 *
 * @see RFC 4978 §5
 */
export function compressArgs(s: Scanner): void {
  s.space();
  if (!s.takeKeyword("DEFLATE")) throw s.fault("DEFLATE");
  s.end();
}

/** LOGIN @see RFC 9051 §6.2.3 */
export interface LoginArgs {
  /** Byte strings. */
  readonly username: string;
  readonly password: string;
}

/** login = "LOGIN" SP userid SP password @see RFC 9051 §6.2.3 */
export function loginArgs(s: Scanner): LoginArgs {
  s.conceal();
  s.space();
  const username = s.astring("a user name");
  s.space();
  const password = s.astring("a password");
  s.end();
  return { username, password };
}

/** AUTHENTICATE @see RFC 9051 §6.2.2 */
export interface AuthenticateArgs {
  /** In upper case. */
  readonly mechanism: string;
  /** Base64, not checked yet; "" for an empty one, which is "=" on the wire. */
  readonly initialResponse?: string;
}

/** authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] @see RFC 4959 §3 */
export function authenticateArgs(s: Scanner): AuthenticateArgs {
  s.conceal();
  s.space();
  const mechanism = s.atom("a SASL mechanism").toUpperCase();
  if (!s.spaceBeforeMore()) return { mechanism };
  const initial = s.atom("base64");
  s.end();
  return { mechanism, initialResponse: initial === "=" ? "" : initial };
}

/** Special uses that a mailbox may have. @see RFC 6154 §2 */
export type SpecialUseName =
  | "\\All"
  | "\\Archive"
  | "\\Drafts"
  | "\\Flagged"
  | "\\Junk"
  | "\\Sent"
  | "\\Trash";

/** By name in upper case. */
export const SPECIAL_USES: ReadonlyMap<string, SpecialUseName> = new Map(
  (["\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"] as const)
    .map((name) => [name.toUpperCase(), name]),
);

/** CREATE @see RFC 9051 §6.3.4 */
export interface CreateArgs {
  readonly mailbox: string;
  readonly specialUse: readonly SpecialUseName[];
  /** Special uses that are not known here: NO [USEATTR]. */
  readonly unknownUse: readonly string[];
}

/**
 * create = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]
 *
 * create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"
 *
 * @see RFC 4466 §2.2, RFC 6154 §6
 */
export function createArgs(s: Scanner): CreateArgs {
  s.space();
  const name = mailbox(s);
  const uses = s.spaceBeforeMore() ? s.list(useParameter).flat() : [];
  s.end();
  const specialUse = new Set<SpecialUseName>();
  const unknownUse: string[] = [];
  for (const use of uses) {
    const known = SPECIAL_USES.get(use.toUpperCase());
    if (known === undefined) unknownUse.push(use);
    else specialUse.add(known);
  }
  return { mailbox: name, specialUse: [...specialUse], unknownUse };
}

function useParameter(s: Scanner): string[] {
  if (!s.takeKeyword("USE")) throw s.fault("USE");
  s.space();
  return s.listOrEmpty(() => {
    s.expect("\\");
    return `\\${s.atom("a special use")}`;
  });
}

/** DELETE, SUBSCRIBE and UNSUBSCRIBE @see RFC 9051 §6.3.5 */
export interface MailboxArgs {
  readonly mailbox: string;
}

/** DELETE, SUBSCRIBE, UNSUBSCRIBE: SP mailbox */
export function mailboxArgs(s: Scanner): MailboxArgs {
  s.space();
  const name = mailbox(s);
  s.end();
  return { mailbox: name };
}

/** RENAME @see RFC 9051 §6.3.6 */
export interface RenameArgs {
  readonly from: string;
  readonly to: string;
}

/** rename = "RENAME" SP mailbox SP mailbox @see RFC 9051 §6.3.6 */
export function renameArgs(s: Scanner): RenameArgs {
  s.space();
  const from = mailbox(s);
  s.space();
  const to = mailbox(s);
  s.end();
  return { from, to };
}

function spaced<T>(s: Scanner, item: (s: Scanner) => T): T {
  const value = item(s);
  s.space();
  return value;
}

/** STORE @see RFC 9051 §6.4.6 */
export interface StoreArgs {
  readonly set: NumberSet;
  /** @see RFC 7162 §3.1.3 */
  readonly unchangedSince?: number;
  readonly mode: "replace" | "add" | "remove";
  readonly silent: boolean;
  readonly flags: FlagSet;
}

/**
 * store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
 *
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
 *
 * @see RFC 9051 §6.4.6, RFC 4466 §2.5
 */
export function storeArgs(s: Scanner): StoreArgs {
  s.space();
  const set = sequenceSet(s);
  s.space();
  const unchangedSince = s.peek() === "(" ? spaced(s, unchangedSinceModifier) : undefined;
  const mode = s.take("+") ? "add" : s.take("-") ? "remove" : "replace";
  const silent = s.takeKeyword("FLAGS.SILENT");
  if (!silent && !s.takeKeyword("FLAGS")) throw s.fault("FLAGS or FLAGS.SILENT");
  s.space();
  const flags = storeFlags(s);
  s.end();
  return { set, unchangedSince, mode, silent, flags };
}

/** "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" */
function unchangedSinceModifier(s: Scanner): number {
  s.expect("(");
  if (!s.takeKeyword("UNCHANGEDSINCE")) throw s.fault("UNCHANGEDSINCE");
  s.space();
  const modseq = s.number64("a mod-sequence");
  s.expect(")");
  return modseq;
}

/** COPY and MOVE @see RFC 9051 §6.4.7 */
export interface CopyArgs {
  readonly set: NumberSet;
  readonly mailbox: string;
}

/** COPY, MOVE and their UID forms: SP sequence-set SP mailbox @see RFC 9051 §6.4.7, §6.4.8 */
export function copyArgs(s: Scanner): CopyArgs {
  s.space();
  const set = sequenceSet(s);
  s.space();
  const name = mailbox(s);
  s.end();
  return { set, mailbox: name };
}

/** UID EXPUNGE @see RFC 4315 §2.1 */
export interface UidExpungeArgs {
  readonly set: NumberSet;
}

/** uid-expunge = "UID" SP "EXPUNGE" SP sequence-set @see RFC 4315 §2.1 */
export function uidExpungeArgs(s: Scanner): UidExpungeArgs {
  s.space();
  const set = sequenceSet(s);
  s.end();
  return { set };
}

/** FETCH @see RFC 9051 §6.4.5 */
export interface FetchArgs {
  readonly set: NumberSet;
  /** In the order of their first mention, each once. */
  readonly items: readonly FetchItem[];
  /** Only messages whose mod-sequence is above it; never 0. @see RFC 7162 §3.1.4.1 */
  readonly changedSince?: number;
  /** Only these of the messages that `set` names; for UID FETCH alone. @see RFC 9394 §3.3 */
  readonly partial?: ResultRange;
  /** Expunged messages are told too. @see RFC 7162 §3.2.6 */
  readonly vanished?: boolean;
}

/**
 * fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att /
 *   "(" fetch-att *(SP fetch-att) ")") [SP fetch-modifiers]
 *
 * @see RFC 9051 §6.4.5, RFC 4466 §2.4
 */
export function fetchArgs(s: Scanner): FetchArgs {
  s.space();
  const set = sequenceSet(s);
  s.space();
  const items = fetchItems(s);
  const modifiers = s.spaceBeforeMore() ? s.list(fetchModifier) : [];
  s.end();
  return Object.assign({ set, items }, ...modifiers);
}

type FetchModifiers = Omit<FetchArgs, "set" | "items">;

/** What follows the name of a FETCH modifier, by that name. */
const FETCH_MODIFIERS: ReadonlyMap<string, (s: Scanner) => FetchModifiers> = new Map(
  Object.entries(
    {
      "CHANGEDSINCE": changedSince,
      "VANISHED": () => ({ vanished: true }),
      "PARTIAL": (s) => ({ partial: partialModifier(s) }),
    } satisfies Record<string, (s: Scanner) => FetchModifiers>,
  ),
);

/** fetch-modifier = fetch-modifier-name [SP fetch-modifier-params] @see RFC 4466 §2.4 */
function fetchModifier(s: Scanner): FetchModifiers {
  const start = s.position;
  const rest = FETCH_MODIFIERS.get(s.keyword("a FETCH modifier"));
  if (rest === undefined) throw s.fault("a FETCH modifier", start);
  return rest(s);
}

/** "CHANGEDSINCE" SP mod-sequence-value; some clients send 0 and mean 1 */
function changedSince(s: Scanner): FetchModifiers {
  s.space();
  return { changedSince: Math.max(1, s.number64("a mod-sequence")) };
}

/** LIST with its options, LSUB, XLIST, STATUS. */

import { normalForm } from "../../normal_form.ts";
import { type Account, type MailboxInfo, StoreError } from "../../store/store.ts";
import type { ListArgs, LsubArgs, StatusArgs, StatusItem } from "../../wire/list_grammar.ts";
import { decodeMailboxName, decodeUtf8Name } from "../../wire/mailbox_name.ts";
import { type Completion, ok } from "../../wire/response.ts";
import { type AuthenticatedContext, Refusal } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import type { Pace } from "../../pace.ts";
import { ListPattern, withSingleWildcards } from "../list_pattern.ts";
import { LIST_FORM, type ListForm, listResponse, mailboxAttributes } from "../list_response.ts";
import { mailboxArgument } from "../mailbox_argument.ts";
import { statusResponse } from "../status_items.ts";
import { tellMetadata } from "./metadata.ts";
import { enableCondstore } from "../condstore.ts";

/** One line of an answer, before it is spelled. */
interface Listed {
  readonly name: string;
  readonly info: MailboxInfo | undefined;
  /** A child was chosen that does not match the pattern itself. @see RFC 5258 §3.5 */
  readonly childInfo: boolean;
  readonly subscribed: boolean;
}

/** @see RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 6154 */
export function list(form: ListForm) {
  return async (context: AuthenticatedContext, args: ListArgs): Promise<Completion> => {
    const { out, user, session } = context;
    if (!args.extended && args.patterns[0] === "") {
      // Asks only for the hierarchy separator.
      out.text(listResponse(form.label, ["\\Noselect"], "", session.utf8));
      return ok(`${context.command} completed`);
    }
    if (args.returns.status?.includes("HIGHESTMODSEQ")) enableCondstore(context);
    await user.account.refresh();
    const pace = new CommandPace(context.dialogue);
    for (const entry of await select(user.account, args, session.utf8, pace)) {
      out.text(responseOf(entry, args, form, session.utf8));
      if (args.returns.status && entry.info?.selectable) {
        out.text(await statusOf(context, entry.name, args.returns.status));
      }
      if (args.returns.metadata && entry.info?.selectable) {
        await metadataOf(context, entry.name, args.returns.metadata);
      }
      if (out.full) await out.flush();
      if (pace.due()) await pace.turn();
    }
    return ok(`${context.command} completed`);
  };
}

/** A mailbox that vanishes meanwhile has no STATUS. @see RFC 5819 §2 */
async function statusOf(
  context: AuthenticatedContext,
  name: string,
  items: readonly StatusItem[],
): Promise<string> {
  try {
    return statusResponse(name, items, await context.user.account.status(name, true), context);
  } catch (error) {
    if (error instanceof StoreError) return "";
    throw error;
  }
}

/** A mailbox that vanishes meanwhile has no METADATA. @see RFC 9590 §3 */
async function metadataOf(
  context: AuthenticatedContext,
  name: string,
  entries: readonly string[],
): Promise<void> {
  try {
    await tellMetadata(context, name, entries);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

async function select(
  account: Account,
  args: ListArgs,
  utf8: boolean,
  pace: Pace,
): Promise<Listed[]> {
  const matches = matcher(args, utf8, pace);
  const wanted = args.selection;
  const subscribed = new Set(account.subscriptions());
  const listed = (info: MailboxInfo | undefined, name: string, childInfo = false): Listed => ({
    name,
    info,
    childInfo,
    subscribed: subscribed.has(name),
  });
  const chosen = wanted.has("SUBSCRIBED")
    ? [...subscribed]
    : account.list().map(({ name }) => name);
  const selected = wanted.has("SPECIAL-USE")
    ? chosen.filter((name) => (account.info(name)?.specialUse.length ?? 0) > 0)
    : chosen;
  const matching = await matchingNames(selected, matches);
  const parents = wanted.has("RECURSIVEMATCH")
    ? await parentsOutside(selected, matching, matches)
    : new Set<string>();
  const names = new Set([...matching, ...parents]);
  const sorted = wanted.has("SUBSCRIBED") || parents.size > 0
    ? [...names].sort(byName)
    : [...names];
  return sorted.map((name) => listed(account.info(name), name, parents.has(name)));
}

async function matchingNames(
  names: readonly string[],
  matches: Matcher,
): Promise<Set<string>> {
  const matching = new Set<string>();
  for (const name of names) {
    if (await matches(name)) matching.add(name);
  }
  return matching;
}

/** Parents that match, of chosen mailboxes that do not match themselves. */
async function parentsOutside(
  names: readonly string[],
  matching: ReadonlySet<string>,
  matches: Matcher,
): Promise<Set<string>> {
  const seen = new Set<string>();
  const parents = new Set<string>();
  for (const name of names) {
    if (matching.has(name)) continue;
    for (const parent of ancestors(name)) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      if (await matches(parent)) parents.add(parent);
    }
  }
  return parents;
}

function* ancestors(name: string): Generator<string> {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    yield name.slice(0, end);
  }
}

function byName(a: string, b: string): number {
  if (a === "INBOX") return -1;
  if (b === "INBOX") return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each costs work for each mailbox. */
const MOST_PATTERNS = 1000;
/** More octets than any name has, in any spelling: who asks for it is answered without a look. */
const LONGEST_PATTERN = 8192;

type Matcher = (name: string) => Promise<boolean>;

/**
 * Tests a name against `reference` with each pattern; INBOX matches in any case.
 *
 * @throws {Refusal} for too many patterns
 */
function matcher(
  { reference, patterns }: Pick<ListArgs, "reference" | "patterns">,
  utf8: boolean,
  pace: Pace,
): Matcher {
  if (patterns.length > MOST_PATTERNS) {
    throw new Refusal(`Expected at most ${MOST_PATTERNS} patterns`, "LIMIT");
  }
  const decode = utf8 ? decodeUtf8Name : decodeMailboxName;
  const start = withSingleWildcards(reference);
  const decoded = patterns.flatMap((pattern) => {
    const end = withSingleWildcards(pattern);
    if (start.length + end.length > LONGEST_PATTERN) return [];
    const whole = start + end;
    return [normalForm(decode(whole) ?? whole, "NFC")];
  });
  const exact = decoded.map((pattern) => new ListPattern(pattern));
  const upper = decoded.map((pattern) => new ListPattern(pattern.toUpperCase()));
  const below = decoded.map((pattern) => new ListPattern(pattern.replace(/^inbox/i, "INBOX")));
  return async (name) => {
    const chosen = name === "INBOX" ? upper : name.startsWith("INBOX/") ? below : exact;
    for (const pattern of chosen) {
      if (pace.due()) await pace.turn();
      if (pattern.matches(name)) return true;
    }
    return false;
  };
}

function responseOf(
  { name, info, childInfo, subscribed }: Listed,
  args: ListArgs,
  form: ListForm,
  utf8: boolean,
): string {
  const attributes = mailboxAttributes(info, args.extended ? "\\NonExistent" : "\\Noselect", form);
  if (args.returns.subscribed && subscribed) attributes.unshift("\\Subscribed");
  const selected = (["SUBSCRIBED", "SPECIAL-USE"] as const).filter((option) =>
    args.selection.has(option)
  );
  const extra = childInfo ? ` ("CHILDINFO" (${selected.map((o) => `"${o}"`).join(" ")}))` : "";
  return listResponse(form.label, attributes, name, utf8, extra);
}

/**
 * Subscribed names, and parents of those that a "%" hides. Special uses are told here too, since
 * some clients look only at LSUB.
 *
 * @see RFC 3501 §6.3.9
 */
export async function lsub(
  { dialogue, out, user, session }: AuthenticatedContext,
  args: LsubArgs,
): Promise<Completion> {
  await user.account.refresh();
  const names = user.account.subscriptions();
  const matches = matcher(args, session.utf8, new CommandPace(dialogue));
  const shown = await matchingNames(names, matches);
  const hidden = await parentsOutside(names, shown, matches);
  for (const name of [...new Set([...shown, ...hidden])].sort(byName)) {
    const info = user.account.info(name);
    // To Thunderbird a name that is subscribed, but only a parent, is no mailbox to be opened.
    const mere = !shown.has(name) || (info !== undefined && !info.selectable);
    const uses = shown.has(name) && info !== undefined ? LIST_FORM.uses(info) : [];
    const attributes = [...mere ? ["\\Noselect"] : [], ...uses];
    out.text(listResponse("LSUB", attributes, name, session.utf8));
  }
  return ok("LSUB completed");
}

/** @see RFC 9051 §6.3.11 */
export async function status(context: AuthenticatedContext, args: StatusArgs): Promise<Completion> {
  const { out, user, session } = context;
  const name = mailboxArgument(args.mailbox, session);
  if (args.items.includes("HIGHESTMODSEQ")) enableCondstore(context);
  out.text(statusResponse(name, args.items, await user.account.status(name), context));
  return ok("STATUS completed");
}

/** Messages by a set of UIDs or by a program of SEARCH. */

import { Refusal } from "../imap/command.ts";
import { Relevancy } from "../imap/relevancy.ts";
import { evaluate } from "../imap/search_keys.ts";
import { View } from "../imap/view.ts";
import { Pace } from "../pace.ts";
import { latin1 } from "../wire/bytes.ts";
import { numberSet } from "../wire/grammar.ts";
import type { NumberSet } from "../wire/number_set.ts";
import { Scanner, SyntaxFault } from "../wire/scanner.ts";
import { searchProgram, UnknownCharset } from "../wire/search_grammar.ts";
import { existingMailbox, type MailboxParams } from "./lookup.ts";
import { type AdminContext, AdminError } from "./operation.ts";

/** Which messages are meant; all of the mailbox if neither is there, those of both if both are. */
export interface SelectionParams extends MailboxParams {
  /** UIDs, as `1:5,7,*`. */
  readonly set?: string;
  /** A program of SEARCH. @see RFC 9051 §6.4.4 */
  readonly search?: string;
}

/**
 * Opens the mailbox and hands over the UIDs that are meant, ascending.
 *
 * @throws {AdminError} when there is no such mailbox, or what selects is wrong
 */
export async function* selected<T>(
  context: AdminContext,
  params: SelectionParams,
  work: (view: View, uids: readonly number[]) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  // First: who types wrongly should hear of that even where it takes long to open a mailbox.
  const set = params.set === undefined ? undefined : uidSet(params.set);
  const key = params.search === undefined ? undefined : searchKey(params.search);
  const { account, name } = await existingMailbox(context, params);
  // Read-only: nothing stops being \Recent for the account's clients.
  const view = new View(await account.open(name), true);
  try {
    const found = key && await evaluate(key, {
      view,
      now: Date.now() / 1000,
      pace: new Pace(),
      warn: (uid, error) => context.log.warn("message not searched", { uid, mailbox: name, error }),
      relevancy: new Relevancy(),
      annotation: (entry) => account.annotation("", entry),
    });
    const uids = set === undefined ? allUids(view) : view.resolve(set, true);
    if (found === undefined) yield* work(view, uids);
    else {
      const within = set && new Set(uids);
      const matching = found.map((seq) => view.uidOf(seq));
      yield* work(view, within ? matching.filter((uid) => within.has(uid)) : matching);
    }
  } catch (error) {
    if (error instanceof Refusal) throw new AdminError(error.message, "usage", { cause: error });
    throw error;
  } finally {
    view.close();
  }
}

function allUids(view: View): number[] {
  return view.seqs().map((seq) => view.uidOf(seq));
}

/** @throws {AdminError} */
function uidSet(text: string): NumberSet {
  return parsed(text, "UIDs", (s) => {
    const set = numberSet(s);
    s.end();
    return set;
  });
}

/** @throws {AdminError} */
function searchKey(text: string) {
  return parsed(text, "search", searchProgram);
}

function parsed<T>(text: string, what: string, read: (s: Scanner) => T): T {
  try {
    return read(new Scanner(latin1(new TextEncoder().encode(text))));
  } catch (error) {
    if (!(error instanceof SyntaxFault || error instanceof UnknownCharset)) throw error;
    throw new AdminError(`${error.message} of the ${what} ${JSON.stringify(text)}`, "usage", {
      cause: error,
    });
  }
}

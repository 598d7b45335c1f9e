/** Operations that change messages; connected clients hear of it at once. */

import {
  FLAG,
  type FlagChange,
  type FlagSet,
  type IncomingMessage,
  type InternalDate,
} from "../store/store.ts";
import { storeFlags } from "../wire/grammar.ts";
import { formatNumberSet } from "../wire/number_set.ts";
import { Scanner, SyntaxFault } from "../wire/scanner.ts";
import { existingMailbox, mailboxOf, type MailboxParams } from "./lookup.ts";
import { selected, type SelectionParams } from "./message_selection.ts";
import { AdminError, type Operation } from "./operation.ts";

/** A message to be stored; its octets are the input. */
export interface AddParams extends MailboxParams {
  readonly flags: readonly string[];
  /** INTERNALDATE; now by default. */
  readonly date?: InternalDate;
}

/** Stores one message. */
export const addMessage: Operation<
  AddParams,
  { readonly uid: number; readonly uidValidity: number }
> = {
  async *run(context, params, input) {
    const flags = flagsNamed(params.flags);
    const { account, name } = await existingMailbox(context, params);
    const incoming = await account.receive(name);
    try {
      if (await received(incoming, input, context.appendLimit(params.storage)) === 0) {
        throw new AdminError("Expected a message, got no octets");
      }
      const { uids, uidValidity } = await account.append(name, [
        { incoming, flags, date: params.date },
      ]);
      yield { uid: uids[0], uidValidity };
    } finally {
      await incoming.abort();
    }
  },
};

async function received(
  incoming: IncomingMessage,
  input: AsyncIterable<unknown>,
  limit: number,
): Promise<number> {
  let octets = 0;
  // What is too big is read to its end: who still writes would hear only that the connection is gone.
  for await (const piece of input) {
    if (!(piece instanceof Uint8Array)) continue;
    octets += piece.length;
    if (octets <= limit) await incoming.write(piece);
  }
  if (octets > limit) {
    throw new AdminError(`Expected a message of at most ${limit} octets, got ${octets}`);
  }
  return octets;
}

/** What is to become of the flags of messages. */
export interface FlagParams extends SelectionParams {
  /** `+FLAG` adds, `-FLAG` takes away; `=FLAG`, alone or several, replaces all. */
  readonly flags: readonly string[];
}

/** How many messages are meant. */
export interface Affected {
  readonly count: number;
}

/** Changes flags. */
export const flagMessages: Operation<FlagParams, Affected> = {
  run(context, params) {
    const changes = changesOf(params.flags);
    return selected(context, params, async function* ({ mailbox }, uids) {
      if (uids.length > 0) { for (const change of changes) await mailbox.store(uids, change); }
      yield { count: uids.length };
    });
  },
};

const MODES = { "+": "add", "-": "remove", "=": "replace" } as const;

function changesOf(words: readonly string[]): FlagChange[] {
  const byMode = Map.groupBy(words, (word) => {
    const sign = word.charAt(0);
    if (sign === "+" || sign === "-" || sign === "=") return MODES[sign];
    throw new AdminError(`Expected +FLAG, -FLAG or =FLAG, got ${word}`, "usage");
  });
  if (byMode.has("replace") && byMode.size > 1) {
    throw new AdminError("Expected =FLAG alone, got it together with +FLAG or -FLAG", "usage");
  }
  return Array.from(byMode, ([mode, flags]) => ({
    mode,
    ...flagsNamed(flags.map((flag) => flag.slice(1)).filter((flag) => flag !== "")),
  }));
}

/**
 * Flags as people write them: "seen", "\Seen", "$Forwarded".
 *
 * @throws {AdminError} for what no flag can be called
 */
function flagsNamed(words: readonly string[]): FlagSet {
  if (words.length === 0) return { system: 0, keywords: [] };
  const wire = words.map((word) => Object.hasOwn(FLAG, word.toLowerCase()) ? `\\${word}` : word);
  const s = new Scanner(wire.join(" "));
  try {
    const flags = storeFlags(s);
    s.end();
    return flags;
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    throw new AdminError(
      `Expected ${Object.keys(FLAG).join(", ")} or a keyword without a backslash, got ${
        words.join(" ")
      }`,
      "usage",
    );
  }
}

/** Messages and where they shall be. */
export interface TransferParams extends SelectionParams {
  readonly destination: string;
}

/** What came of a copy; the UIDs are those in the destination. */
export interface Transferred extends Affected {
  readonly destination: string;
  readonly uids: string;
}

/** Copies messages within an account, or copies nothing. */
export const copyMessages: Operation<TransferParams, Transferred> = transfer("copy");

/** Moves messages within an account, or moves nothing. */
export const moveMessages: Operation<TransferParams, Transferred> = transfer("move");

function transfer(how: "copy" | "move"): Operation<TransferParams, Transferred> {
  return {
    async *run(context, params) {
      const { account } = await existingMailbox(context, params);
      const destination = mailboxOf(account, params.destination);
      yield* selected(context, params, async function* ({ mailbox }, uids) {
        const copied = uids.length === 0 ? [] : (await mailbox[how](uids, destination)).destination;
        const sorted = copied.toSorted((a, b) => a - b);
        yield { count: copied.length, destination, uids: formatNumberSet(sorted) };
      });
    },
  };
}

/** Expunges messages, whatever flags they have. */
export const removeMessages: Operation<SelectionParams, Affected> = {
  run: (context, params) =>
    selected(context, params, async function* ({ mailbox }, uids) {
      if (uids.length === 0) {
        yield { count: 0 };
        return;
      }
      await mailbox.store(uids, { mode: "add", system: FLAG.deleted, keywords: [] });
      const { uids: expunged } = await mailbox.expunge(uids);
      yield { count: expunged.length };
    }),
};

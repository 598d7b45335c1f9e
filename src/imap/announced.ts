/** Decides on literals before their bytes come: kept, handed to the store, or refused. */

import { StoreError } from "../store/store.ts";
import { tag as parseTag } from "../wire/grammar.ts";
import { bad, type Completion, no, statusLine } from "../wire/response.ts";
import { LimitFault, type Literal, Scanner, SyntaxFault } from "../wire/scanner.ts";
import { type AnnouncedLiteral, Refusal, type Service } from "./command.ts";
import { receiveLiteral } from "./commands/append.ts";
import { storeRefusal } from "./dispatch.ts";
import type { ReceivedMessage } from "./received_message.ts";
import type { Session } from "./session.ts";
import { findCommand } from "./table.ts";

export interface Announcement {
  /** The command up to the literal, and the literals before it. */
  readonly text: string;
  readonly literals: readonly Literal[];
  /** Octets. */
  readonly size: number;
}

export type Verdict =
  | { readonly type: "keep" }
  | { readonly type: "stream"; readonly message: ReceivedMessage }
  /** The command ends here with this reply. */
  | { readonly type: "refuse"; readonly reply: string; readonly bad: boolean };

/** A message goes to the store; what else is announced is kept in memory within its limit. */
export async function judge(
  announcement: Announcement,
  session: Session,
  service: Service,
): Promise<Verdict> {
  const scanner = new Scanner(announcement.text, announcement.literals);
  let tag = "*";
  try {
    tag = parseTag(scanner);
    scanner.space();
    const row = findCommand(scanner)?.row;
    const { state } = session;
    if (
      row?.literal === undefined || state.name === "not-authenticated" || state.name === "logout"
    ) {
      return { type: "keep" };
    }
    const literal: AnnouncedLiteral = row.literal(scanner, session);
    if (literal.kind === "argument") return { type: "keep" };
    const context = { user: state.user, session, service };
    return { type: "stream", message: await receiveLiteral(literal, announcement.size, context) };
  } catch (error) {
    const { status, text, code } = refusal(error);
    return { type: "refuse", reply: statusLine(tag, status, text, code), bad: status === "BAD" };
  }
}

function refusal(error: unknown): Completion {
  if (error instanceof LimitFault) return no(error.message, "LIMIT");
  if (error instanceof SyntaxFault) return bad(error.message);
  if (error instanceof Refusal) return no(error.message, error.code);
  if (error instanceof StoreError) return storeRefusal(error);
  throw error;
}

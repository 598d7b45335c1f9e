/** SELECT, EXAMINE, CLOSE, UNSELECT. */

import { type Completion, mailboxIdCode, numberCode, ok, statusLine } from "../../wire/response.ts";
import type { SelectArgs } from "../../wire/select_grammar.ts";
import type { AuthenticatedContext, SelectedContext } from "../command.ts";
import { SyntaxFault } from "../../wire/scanner.ts";
import { unaskedListResponse } from "../list_response.ts";
import { denormalized, mailboxArgument } from "../mailbox_argument.ts";
import { resynchronize } from "../resync.ts";
import { UidRequired } from "../uid_required.ts";
import { View } from "../view.ts";
import { enableCondstore } from "../condstore.ts";

/** @see RFC 9051 §6.3.2, §6.3.3, RFC 8474 §4.2 */
export function select(examines: boolean) {
  return async (context: AuthenticatedContext, args: SelectArgs): Promise<Completion> => {
    const { session, user, out } = context;
    if (args.qresync && !session.qresync) throw new SyntaxFault("QRESYNC was not enabled", 0);
    if (args.qresync?.matches && session.uidOnly) throw new UidRequired();
    // Also when the new mailbox cannot be selected, the old one is left.
    if (session.state.name === "selected") {
      session.enter({ name: "authenticated", user });
      out.text(statusLine("*", "OK", "The mailbox that was selected is closed", "CLOSED"));
    }
    if (args.condstore) enableCondstore(context);
    const name = mailboxArgument(args.mailbox, session);
    const mailbox = await user.account.open(name);
    const view = new View(mailbox, examines || mailbox.readOnly, session);
    session.enter({ name: "selected", user, view });
    describe(context, view);
    if (session.rev2) {
      out.text(unaskedListResponse(user.account, name, denormalized(session, args.mailbox)));
    }
    if (args.qresync) await resynchronize(context, view, args.qresync);
    return ok(`${context.command} completed`, view.readOnly ? "READ-ONLY" : "READ-WRITE");
  };
}

function describe({ out, session }: AuthenticatedContext, view: View): void {
  const { mailbox } = view;
  view.describeFlags(out);
  out.text(`* ${view.count} EXISTS\r\n${view.describeRecent()}`);
  // IMAP4rev2 has no UNSEEN, and UIDONLY no numbers. @see RFC 9051 Appendix E, RFC 9586 §3
  const unseen = session.rev2 || session.uidOnly ? 0 : view.firstUnseen();
  if (unseen !== 0) {
    out.text(statusLine("*", "OK", "First unseen message", numberCode("UNSEEN", unseen)));
  }
  const { uidValidity, uidNext, highestModseq, mailboxId } = mailbox;
  out.text(statusLine("*", "OK", "UIDs are valid", numberCode("UIDVALIDITY", uidValidity)));
  out.text(statusLine("*", "OK", "Predicted next UID", numberCode("UIDNEXT", uidNext)));
  out.text(statusLine("*", "OK", "Highest", numberCode("HIGHESTMODSEQ", highestModseq)));
  out.text(statusLine("*", "OK", "Identifier", mailboxIdCode(mailboxId)));
}

/**
 * Expunges without a word, but never after EXAMINE. A client that is told of no UIDs must not be
 * told a mod-sequence after them either. @see RFC 9051 §6.4.1, RFC 7162 §3.2.8
 */
export async function close(context: SelectedContext): Promise<Completion> {
  const { session, user, view } = context;
  if (!view.readOnly) await view.mailbox.expunge();
  session.enter({ name: "authenticated", user });
  return ok("CLOSE completed");
}

/** @see RFC 3691 §2 */
export function unselect({ session, user }: SelectedContext): Completion {
  session.enter({ name: "authenticated", user });
  return ok("UNSELECT completed");
}

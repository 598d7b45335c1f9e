/** What a client hears of its selected mailbox while it runs commands. */

import type { Dialogue, Output } from "./command.ts";
import type { Session } from "./session.ts";
import type { DrainOptions } from "./view.ts";

/** How much a command allows. */
export interface TellOptions extends Pick<DrainOptions, "expunges" | "withUid"> {
  /** The client itself removed messages, and hears of that whatever it asked for by NOTIFY. */
  readonly removed: boolean;
}

/** Sends what happened in the selected mailbox, as far as the command and NOTIFY allow it. */
export function tellSelected(
  session: Session,
  out: Output,
  { removed, ...options }: TellOptions,
): Promise<void> | undefined {
  if (session.state.name !== "selected") return undefined;
  const { view } = session.state;
  return session.notify === undefined
    ? view.tell(out, { session, ...options })
    : session.notify.drain(view, out, { session, ...options }, removed);
}

/** Nothing but another session, or SELECT, shows the client what becomes of an outdated mailbox. */
export function endIfOutdated({ state }: Session, dialogue: Pick<Dialogue, "end">): void {
  if (state.name !== "selected" || !state.view.mailbox.outdated) return;
  dialogue.end("The mailbox can be changed again: connect anew");
}

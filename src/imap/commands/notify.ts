/** NOTIFY. */

import { type Completion, no, ok } from "../../wire/response.ts";
import { EVENT_NAMES, type EventName, type NotifyArgs } from "../../wire/notify_grammar.ts";
import { StoreError } from "../../store/store.ts";
import type { AuthenticatedContext } from "../command.ts";
import { CommandPace } from "../command_pace.ts";
import { firstItems } from "../event_groups.ts";
import { Notifications } from "../notifications.ts";
import { statusResponse } from "../status_items.ts";

/** There are no annotations of messages. */
const SUPPORTED: readonly EventName[] = EVENT_NAMES.filter((name) => name !== "AnnotationChange");

/** @see RFC 5465 §3.1 */
export async function notify(
  context: AuthenticatedContext,
  { groups, status }: NotifyArgs,
): Promise<Completion> {
  const { session, user, out } = context;
  const supports = (name: EventName) => SUPPORTED.includes(name);
  if (!groups.every(({ events, unknown }) => unknown.length === 0 && [...events].every(supports))) {
    const code = { text: `BADEVENT (${SUPPORTED.join(" ")})` };
    return no("Not all of these events can be told of", code);
  }
  // What happened so far is told as it was before.
  if (session.state.name === "selected" && groups.length > 0) {
    await session.state.view.tell(out, { session, expunges: true, withUid: true });
  }
  const notifications = new Notifications(groups, session, user, context.service);
  session.notify = notifications;
  if (status) await tellStatus(context, notifications);
  return ok("NOTIFY completed");
}

/** The selected mailbox needs none. */
async function tellStatus(
  { session, user, service, out, dialogue }: AuthenticatedContext,
  notifications: Notifications,
): Promise<void> {
  const selected = session.state.name === "selected" ? session.state.view.mailbox.name : undefined;
  await user.account.refresh();
  const pace = new CommandPace(dialogue);
  for (const { name, selectable } of user.account.list()) {
    const items = firstItems((event) => notifications.wants(name, event));
    if (!selectable || name === selected || items.length === 0) continue;
    try {
      const counts = await user.account.status(name);
      out.text(statusResponse(name, items, counts, { service, session }));
    } catch (error) {
      // It may have gone meanwhile.
      if (!(error instanceof StoreError)) throw error;
    }
    if (out.full) await out.flush();
    if (pace.due()) await pace.turn();
  }
}

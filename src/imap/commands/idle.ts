/** IDLE. */

import { bad, type Completion, ok, statusLine } from "../../wire/response.ts";
import type { AuthenticatedContext } from "../command.ts";
import type { Session } from "../session.ts";
import type { View } from "../view.ts";

/** @see RFC 2177, RFC 9051 §6.3.13 */
export async function idle(context: AuthenticatedContext): Promise<Completion> {
  const { dialogue, session } = context;
  const view = session.state.name === "selected" ? session.state.view : undefined;
  const alarm = new Alarm();
  const unwatch = watch(session, view, () => alarm.ring());
  await dialogue.prompt("idling");
  const line = dialogue.line();
  // The line may fail while nobody waits for it; it is awaited below all the same.
  line.catch(() => {});
  void line.then(() => alarm.ring(), () => alarm.ring());
  try {
    await announce(context, view, alarm, line);
  } finally {
    unwatch();
    alarm.stop();
  }
  return (await line).toUpperCase() === "DONE"
    ? ok("IDLE completed")
    : bad("Expected DONE to end IDLE", "CLIENTBUG");
}

/** Calls `ring` when there is something to tell. */
function watch(session: Session, view: View | undefined, ring: () => void): () => void {
  const { notify } = session;
  const ends = [session.metadataNews?.listen(ring)];
  if (notify === undefined) ends.push(view?.mailbox.watch(ring));
  else {
    notify.onDue = ring;
    ends.push(() => notify.onDue = () => {});
  }
  return () => ends.forEach((end) => end?.());
}

/** Tells what happens until the client's line is there. */
async function announce(
  context: AuthenticatedContext,
  view: View | undefined,
  alarm: Alarm,
  line: Promise<string>,
): Promise<void> {
  const { out, service, session } = context;
  let ended = false;
  void line.then(() => ended = true, () => ended = true);
  while (!ended) {
    if (session.notify !== undefined) await session.notify.tell(context, true);
    else await view?.tell(out, { session, expunges: true, withUid: false });
    session.metadataNews?.tell(out);
    await out.flush();
    // Clients and NAT boxes give up on a silent connection.
    if (!await alarm.wait(service.keepalive)) out.text(statusLine("*", "OK", "Still here"));
  }
}

/** Wakes one waiter; rings while nobody waits are remembered. */
class Alarm {
  #rung = false;
  #wake: ((rung: boolean) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.(true);
  }

  /** True when it rang, false after `milliseconds`. */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<boolean>((resolve) => {
        this.#wake = resolve;
        this.#timer = setTimeout(() => resolve(false), milliseconds);
      });
      this.stop();
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake = undefined;
  }
}

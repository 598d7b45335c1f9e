/** IDLE. */

import { bad, type Completion, ok, statusLine } from "../../wire/response.ts";
import type { AuthenticatedContext } from "../command.ts";
import type { Session } from "../session.ts";
import { endIfOutdated } from "../tell_selected.ts";
import type { View } from "../view.ts";

/** @see RFC 2177, RFC 9051 §6.3.13 */
export async function idle(context: AuthenticatedContext): Promise<Completion> {
  const { dialogue, session, out, service } = context;
  const view = session.state.name === "selected" ? session.state.view : undefined;
  const alarm = new Alarm();
  const unwatch = watch(session, view, () => alarm.ring());
  await dialogue.prompt("idling");
  let ended = false;
  const line = dialogue.line();
  const end = () => {
    ended = true;
    alarm.ring();
  };
  // The line may fail while nobody waits for it; it is awaited below all the same.
  void line.then(end, end);
  // Most connections stand here: what is awaited within costs each of them 500 octets.
  try {
    while (!ended) {
      await announce(context, view);
      // Clients and NAT boxes give up on a silent connection.
      if (!await alarm.rung(service.keepalive)) out.text(statusLine("*", "OK", "Still here"));
    }
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

/** Tells what happened. */
async function announce(context: AuthenticatedContext, view: View | undefined): Promise<void> {
  const { dialogue, out, session } = context;
  if (session.notify !== undefined) await session.notify.tell(context, true);
  else await view?.tell(out, { session, expunges: true, withUid: false });
  session.metadataNews?.tell(out);
  endIfOutdated(session, dialogue);
  await out.flush();
}

/** Wakes one waiter; rings while nobody waits are remembered. */
class Alarm {
  #rung = false;
  #wake: ((rung: boolean) => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  ring(): void {
    if (this.#wake === undefined) this.#rung = true;
    else this.#end(true);
  }

  /** True when it rang, false after `milliseconds`. */
  rung(milliseconds: number): Promise<boolean> {
    if (this.#rung) {
      this.#rung = false;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(() => this.#end(false), milliseconds);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wake = undefined;
  }

  #end(rung: boolean): void {
    const wake = this.#wake;
    this.stop();
    wake?.(rung);
  }
}

/** Waits for connections to those who are asked. */

import type { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { PeerUnavailable } from "./remote_check.ts";

/** When to give up waiting. */
export interface Patience {
  /** As `Date.now()` counts. */
  readonly deadline: number;
  /** Aborted when the server closes. */
  readonly closing: AbortSignal;
}

/** Milliseconds that are left until the deadline, at least one. */
export function timeLeft({ deadline }: Patience): number {
  return Math.max(1, deadline - Date.now());
}

/**
 * Waits until `socket` says `event`: that it is connected, or that it speaks TLS.
 *
 * @throws {Error} when it does not come; the socket is destroyed then
 */
export async function opened<S extends Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  patience: Patience,
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(new PeerUnavailable("The connection was closed"));
  const aborted = () => reject(patience.closing.reason);
  const late = setTimeout(
    () => reject(new PeerUnavailable("No connection in time")),
    timeLeft(patience),
  );
  socket.once(event, resolve).once("error", reject).once("close", closed);
  // An error without a listener would end the program.
  socket.on("error", () => {});
  patience.closing.addEventListener("abort", aborted);
  if (patience.closing.aborted) aborted();
  try {
    await promise;
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    patience.closing.removeEventListener("abort", aborted);
    socket.off(event, resolve).off("error", reject).off("close", closed);
  }
}

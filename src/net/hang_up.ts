/** The end of a connection. */

import type { Socket } from "node:net";

/**
 * Closes it once all is sent, or after `patience` milliseconds: neither a client that does not close
 * its side nor one that reads no more holds the socket. Settles when it is closed.
 */
export async function hangUp(socket: Socket, patience: number): Promise<void> {
  if (socket.closed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", resolve);
  const timer = setTimeout(() => socket.destroy(), patience);
  socket.end();
  socket.destroySoon();
  await promise;
  clearTimeout(timer);
}

/** The start of a connection that a proxy hands on. */

import type { Socket } from "node:net";
import { Buffer } from "node:buffer";
import { type ProxyHeader, ProxyHeaderFault, readProxyHeader } from "./proxy_header.ts";

/** The peer went away before it had sent a header: it may have asked only who listens. */
export class NoProxyHeader extends Error {
  override name = "NoProxyHeader";
}

/**
 * Takes the header off a connection, and leaves it paused with the bytes after the header unread.
 *
 * @param patience milliseconds
 * @throws {ProxyHeaderFault} when something else comes, or it does not come in time
 * @throws {NoProxyHeader}
 */
export function receiveHeader(socket: Socket, patience: number): Promise<ProxyHeader> {
  const { promise, resolve, reject } = Promise.withResolvers<ProxyHeader>();
  let received = Buffer.alloc(0);
  const onData = (bytes: Uint8Array) => {
    received = Buffer.concat([received, bytes]);
    try {
      const header = readProxyHeader(received);
      if (header === undefined) return;
      // Paused first: what is put back would flow away, for there is no reader yet.
      socket.pause();
      if (received.length > header.length) socket.unshift(received.subarray(header.length));
      resolve(header);
    } catch (error) {
      reject(error);
    }
  };
  const onClose = () => reject(new NoProxyHeader("The peer closed the connection"));
  const timer = setTimeout(
    () => reject(new ProxyHeaderFault(`Expected a PROXY header within ${patience / 1000} s`)),
    patience,
  );
  socket.on("data", onData);
  socket.on("end", onClose);
  socket.on("close", onClose);
  const settled = () => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", onClose);
    socket.off("close", onClose);
  };
  return promise.finally(settled);
}

/** TLS put onto a connection that is there already. */

import type { Socket } from "node:net";
import { createServer, type TlsOptions, TLSSocket } from "node:tls";
import { certificateRequest, requireCertificate } from "./client_certificate.ts";
import type { TlsContext } from "./endpoint.ts";

/** Whether this Deno can do TLS on a connection that is there already: from 2.7.13 on. */
export function canSecure(): boolean {
  // TLS servers of older ones take nothing but a port and a callback.
  return createServer().listen.length !== 2;
}

/**
 * The server's side of TLS on `plain`, which must not be read any more, but may have unread bytes.
 * The handshake happens with the first read.
 */
export function secured(plain: Socket, tls: TlsContext): TLSSocket {
  const socket = new TLSSocket(plain, {
    isServer: true,
    secureContext: tls.context(),
    ...serverNameChoice(tls),
    ...certificateRequest(tls),
  });
  requireCertificate(socket, tls);
  pauseWith(socket, plain);
  return socket;
}

/** What `node:net` has below a socket. */
interface Handle {
  readStart(): number;
  readStop(): number;
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as Socket & { readonly _handle?: Handle })._handle;
}

/**
 * Deno reads on from below a TLS socket that is paused, and keeps in memory whatever the client sends.
 */
function pauseWith(socket: TLSSocket, plain: Socket): void {
  const above = handleOf(socket);
  const below = handleOf(plain);
  if (above === undefined || below === undefined) return;
  const { readStart, readStop } = above;
  above.readStart = () => {
    below.readStart();
    return readStart.call(above);
  };
  above.readStop = () => {
    below.readStop();
    return readStop.call(above);
  };
}

/** What chooses a certificate by the name that the client asks for, where there is a choice. */
export function serverNameChoice(tls: TlsContext): Pick<TlsOptions, "SNICallback"> {
  if (!tls.choosesByName) return {};
  return { SNICallback: (name, done) => done(null, tls.context(name)) };
}

/** Waits for the end of the handshake. @throws {Error} when it fails, or lasts `patience` ms */
export function handshake(socket: TLSSocket, patience: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = (error?: Error) => {
      clearTimeout(timer);
      socket.off("secure", succeeded);
      socket.off("close", closed);
      socket.off("error", ended);
      if (error === undefined) return resolve();
      socket.destroy();
      reject(error);
    };
    const succeeded = () => ended();
    const closed = () => ended(new Error("The client closed the connection"));
    const timer = setTimeout(() => ended(new Error("The TLS handshake took too long")), patience);
    socket.on("secure", succeeded);
    socket.on("close", closed);
    socket.on("error", ended);
    // Stays: an error without a listener would end the process.
    socket.on("error", ignored);
    socket.read(0);
  });
}

/** Holds nothing, as long as the connection lasts. */
function ignored(): void {}

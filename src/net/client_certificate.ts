/** Certificates that clients show. */

import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { type TlsOptions, TLSSocket } from "node:tls";
import type { TlsContext } from "./endpoint.ts";

/** What a TLS server has to be told, so that clients are asked. */
export function certificateRequest(
  { clientCertificate }: TlsContext,
): Pick<TlsOptions, "requestCert" | "rejectUnauthorized"> {
  if (clientCertificate === "unasked") return {};
  return { requestCert: true, rejectUnauthorized: clientCertificate === "required" };
}

/**
 * The certificate that the client has shown in the handshake, if an authority of the endpoint
 * vouches for it. Others are as if they had not been shown.
 */
export function clientCertificate(socket: Socket): X509Certificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate !== undefined && isVerified(socket) ? certificate : undefined;
}

/** Ends a handshake without the certificate that is required. */
export function requireCertificate(socket: TLSSocket, tls: TlsContext): void {
  if (tls.clientCertificate !== "required") return;
  // Deno sees to it on sockets that a TLS server made, but not on those of STARTTLS.
  socket.once("secure", () => {
    if (clientCertificate(socket) === undefined) {
      socket.destroy(new Error("The client has no certificate that an authority vouches for"));
    }
  });
}

/** `authorized` is only for sockets that a TLS server made; the handshake's verdict is for all. */
function isVerified(socket: TLSSocket): boolean {
  if (socket.authorized) return true;
  const handshake: unknown = Reflect.get(socket, "ssl");
  if (typeof handshake !== "object" || handshake === null) return false;
  const verifyError: unknown = Reflect.get(handshake, "verifyError");
  return typeof verifyError === "function" && !verifyError.call(handshake);
}

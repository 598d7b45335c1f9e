/** What TLS tells of the two ends of a connection, for SASL. */

import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { SaslChannel } from "../auth/auth.ts";
import { certificateNames, endPointHash } from "./certificate.ts";
import { clientCertificate } from "./client_certificate.ts";
import type { Endpoint, TlsContext } from "./endpoint.ts";

/**
 * Looks at the handshake when it is asked: after STARTTLS that has yet to come.
 *
 * @param socket of the client's own TLS, never that of a proxy
 */
export function tlsChannel(
  socket: TLSSocket,
  { channelBinding, certificateName, tls }: Pick<
    Endpoint,
    "channelBinding" | "certificateName" | "tls"
  >,
): SaslChannel {
  if (tls === undefined) return {};
  const serverEndPoint = once(() => channelBinding ? hashOfServer(socket, tls) : undefined);
  const names = once(() => {
    const certificate = clientCertificate(socket);
    return certificate && certificateNames(certificate.raw, certificateName);
  });
  return {
    get serverEndPoint() {
      return serverEndPoint();
    },
    get certificateNames() {
      return names();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The socket cannot tell which certificate it showed, only the name that it was asked for. */
function hashOfServer({ servername }: TLSSocket, tls: TlsContext): Uint8Array | undefined {
  const name = typeof servername === "string" ? servername : undefined;
  if (name === undefined && tls.choosesByName) return undefined;
  return endPointHash(new X509Certificate(tls.certificate(name)).raw);
}

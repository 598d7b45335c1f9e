/** What TLS tells of the two ends of a connection, for SASL. */

import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { SaslChannel } from "../auth/auth.ts";
import { type CertificateName, certificateNames, endPointHash } from "./certificate.ts";
import type { ClientCertificates, Endpoint, TlsContext } from "./endpoint.ts";

/** Looks at the handshake when it is asked: after STARTTLS that has yet to come. */
export function tlsChannel(
  socket: Socket,
  { channelBinding, clientCertificates, tls }: Pick<
    Endpoint,
    "channelBinding" | "clientCertificates" | "tls"
  >,
): SaslChannel {
  if (!(socket instanceof TLSSocket) || tls === undefined) return {};
  const serverEndPoint = once(() => channelBinding ? hashOfServer(socket, tls) : undefined);
  const names = once(() => clientCertificates && namesOfClient(socket, clientCertificates.name));
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
  const { cert } = tls.options(name);
  return typeof cert === "string" ? endPointHash(new X509Certificate(cert).raw) : undefined;
}

/** Deno does not verify certificates of clients after STARTTLS: nobody is `authorized` there. */
function namesOfClient(socket: TLSSocket, kind: CertificateName): readonly string[] {
  const certificate = socket.authorized ? socket.getPeerCertificate() : undefined;
  return certificate?.raw === undefined ? [] : certificateNames(certificate.raw, kind);
}

/** Makes every handshake ask for a client's certificate; a client may go on without. */
export function askingClients(tls: TlsContext, { ca }: ClientCertificates): TlsContext {
  const made = new WeakMap<SecureContext, SecureContext>();
  const options = (serverName?: string) => ({
    ...tls.options(serverName),
    ca: [...ca],
    requestCert: true,
    rejectUnauthorized: false,
  });
  return {
    context(serverName) {
      const plain = tls.context(serverName);
      const context = made.get(plain) ?? createSecureContext(options(serverName));
      made.set(plain, context);
      return context;
    },
    options,
    get choosesByName() {
      return tls.choosesByName;
    },
    watch: (listener) => tls.watch(listener),
  };
}

/** What TLS tells of the two ends of a connection, for SASL. */

import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { SaslChannel } from "../auth/auth.ts";
import { certificateNames, endPointHash } from "./certificate.ts";
import { clientCertificate } from "./client_certificate.ts";
import type { Endpoint, TlsContext } from "./endpoint.ts";

type ChannelSettings = Pick<Endpoint, "channelBinding" | "certificateName" | "tls">;

/**
 * Looks at the handshake when it is asked: after STARTTLS that has yet to come.
 *
 * @param socket of the client's own TLS, never that of a proxy
 */
export function tlsChannel(socket: TLSSocket, settings: ChannelSettings): SaslChannel {
  return settings.tls === undefined ? {} : new TlsChannel(socket, settings, settings.tls);
}

/** Nearly no connection asks for any of it. */
class TlsChannel implements SaslChannel {
  #hash: { readonly value: Uint8Array | undefined } | undefined;
  #names: { readonly value: readonly string[] | undefined } | undefined;

  constructor(
    private readonly socket: TLSSocket,
    private readonly settings: ChannelSettings,
    private readonly tls: TlsContext,
  ) {}

  get serverEndPoint(): Uint8Array | undefined {
    const { channelBinding } = this.settings;
    this.#hash ??= { value: channelBinding ? hashOfServer(this.socket, this.tls) : undefined };
    return this.#hash.value;
  }

  get certificateNames(): readonly string[] | undefined {
    this.#names ??= { value: this.#readNames() };
    return this.#names.value;
  }

  #readNames(): readonly string[] | undefined {
    const certificate = clientCertificate(this.socket);
    return certificate && certificateNames(certificate.raw, this.settings.certificateName);
  }
}

/** The socket cannot tell which certificate it showed, only the name that it was asked for. */
function hashOfServer({ servername }: TLSSocket, tls: TlsContext): Uint8Array | undefined {
  const name = typeof servername === "string" ? servername : undefined;
  if (name === undefined && tls.choosesByName) return undefined;
  return endPointHash(new X509Certificate(tls.certificate(name)).raw);
}

/** What one `[[imap]]` block of the config means to the server. */

import type { SecureContext, SecureContextOptions } from "node:tls";

import type { CertificateName } from "./certificate.ts";

/** Where an endpoint listens. `tls` means implicit TLS. */
export type ListenAddress = { readonly tls: boolean; readonly host: string; readonly port: number };

/** Certificates in force; asked for each handshake, so that a reload needs no restart. */
export interface TlsContext {
  /** The context for a server name (SNI), or the default one. */
  context(serverName?: string): SecureContext;
  /**
   * What {@link context} is made of, as `tls.createServer` wants it at start: the certificate with
   * the chain above it is in PEM.
   */
  options(serverName?: string): SecureContextOptions;
  /**
   * There is more than one certificate to choose from. Only then is a server name asked for: an
   * SNI callback costs 20 KB for each connection.
   */
  readonly choosesByName: boolean;
  /** Calls `listener` after {@link options} changed, until the returned function is called. */
  watch(listener: () => void): () => void;
}

/** Certificates that clients may show. */
export interface ClientCertificates {
  /** Certificates in PEM; what one of them has issued is trusted. */
  readonly ca: readonly string[];
  /** Which names in a certificate are those of a user. */
  readonly name: CertificateName;
}

/** Bounds of one endpoint; each is a setting under `limits` of the config. */
export interface Limits {
  /** Octets of a command line without its literals. */
  readonly line: number;
  /** Octets of a message that APPEND takes (APPENDLIMIT). */
  readonly append: number;
  /** Octets of all literals of one command but APPEND's message. */
  readonly literals: number;
  /** Milliseconds from connect to a successful login. */
  readonly login: number;
  /** Milliseconds without a command; never in IDLE. @see RFC 9051 §5.4 */
  readonly idle: number;
  /** Milliseconds that output may be stuck. */
  readonly write: number;
  /** Milliseconds between two "* OK Still here" in IDLE. */
  readonly keepalive: number;
  /** Bad commands in a row before login, then after it, that end the connection. */
  readonly badBeforeLogin: number;
  readonly badAfterLogin: number;
  /** Connections at once. */
  readonly connections: number;
}

export interface Endpoint {
  readonly listen: readonly ListenAddress[];
  /** Absent: TLS is off. */
  readonly tls?: TlsContext;
  readonly insecureAuth: boolean;
  /** SASL's LOGIN is offered. */
  readonly saslLogin: boolean;
  /** SCRAM is offered with channel binding. */
  readonly channelBinding: boolean;
  /** Absent: clients are not asked for one. */
  readonly clientCertificates?: ClientCertificates;
  readonly ioDebug: boolean;
  readonly ioErrors: boolean;
  readonly limits: Limits;
}

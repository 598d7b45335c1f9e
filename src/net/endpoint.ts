/** What one `[[imap]]` block of the config means to the server. */

import type { SecureContext, SecureContextOptions } from "node:tls";
import type { CertificateName } from "./certificate.ts";
import type { Networks } from "./ip_address.ts";

/** Certificates in force; asked for each handshake, so that a reload needs no restart. */
export interface TlsContext {
  /** The context for a server name (SNI), or the default one. */
  context(serverName?: string): SecureContext;
  /** The certificate that {@link context} shows, in PEM with the chain above it. */
  certificate(serverName?: string): string;
  /** Whether clients are asked for a certificate, and whether they have to show one. */
  readonly clientCertificate: "unasked" | "optional" | "required";
  /** The default certificate as `tls.createServer` wants it at start. */
  options(): SecureContextOptions;
  /**
   * There is more than one certificate to choose from. Only then is a server name asked for: an
   * SNI callback costs 20 KB for each connection.
   */
  readonly choosesByName: boolean;
  /** Calls `listener` after {@link options} changed, until the returned function is called. */
  watch(listener: () => void): () => void;
}

/** Bounds of one endpoint; each is a setting under `limits` of the config. */
export interface Limits {
  /** Octets of a command line without its literals, after login and before. */
  readonly line: number;
  readonly lineBeforeLogin: number;
  /** Octets of a message that APPEND takes (APPENDLIMIT). */
  readonly append: number;
  /** Messages that one command may process, and that one may store; absent: any number. */
  readonly messages?: number;
  readonly savedMessages?: number;
  /** Octets of all literals of one command but APPEND's message, after login and before. */
  readonly literals: number;
  readonly literalsBeforeLogin: number;
  /** Milliseconds from connect to a successful login. */
  readonly login: number;
  /** Milliseconds without a command; never in IDLE. @see RFC 9051 §5.4 */
  readonly idle: number;
  /** Milliseconds that the client may need for more of a command that it has begun. */
  readonly read: number;
  /** Milliseconds that output may be stuck. */
  readonly write: number;
  /** Milliseconds between two "* OK Still here" in IDLE. */
  readonly keepalive: number;
  /** Bad commands in a row before login, then after it, that end the connection. */
  readonly badBeforeLogin: number;
  readonly badAfterLogin: number;
  /** Octets that connections may hold in memory, all together. */
  readonly buffers: number;
  /** Failed logins on one connection that end it. */
  readonly failedLogins: number;
  /** Connections at once. */
  readonly connections: number;
}

/** Proxies that tell whose connections they hand on. */
export interface ProxyProtocol {
  /** Their addresses. Whoever else connects is a client. */
  readonly trust: Networks;
  /** Whether a client counts as secure if the proxy says that it came over TLS. */
  readonly tlsOffloaded: boolean;
  /** TLS between proxy and server, around the header. */
  readonly tls?: TlsContext;
}

export interface Endpoint {
  /** Absent: every peer is a client. */
  readonly proxyProtocol?: ProxyProtocol;
  /** Absent: TLS is off. */
  readonly tls?: TlsContext;
  readonly insecureAuth: boolean;
  /** SASL's LOGIN is offered. */
  readonly saslLogin: boolean;
  /** SCRAM is offered with channel binding. */
  readonly channelBinding: boolean;
  /** Which names in a certificate of a client are those of users. */
  readonly certificateName: CertificateName;
  /** Names of the accounts whose users are admins; absent: nobody is. */
  readonly admins?: readonly string[];
  /** A URI. */
  readonly adminContact?: string;
  /** Octets of a message that APPEND takes into a mailbox, where that is less. */
  readonly appendLimits?: ReadonlyMap<string, number>;
  readonly ioDebug: boolean;
  readonly ioErrors: boolean;
  readonly limits: Limits;
  /** Capabilities that are not offered, in upper case, with all that needs them; absent: none. */
  readonly withheld?: ReadonlySet<string>;
  /** Clients that are known to break on a capability are not offered it. */
  readonly clientQuirks?: boolean;
}
